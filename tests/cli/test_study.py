"""Studies from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiny_fer import tiny_fer
from tiny_tables import table

pytest.importorskip("matplotlib")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A FER-2013 of seven faces a split, with votes and points."""
    folder, faces = tmp_path / "data", tiny_fer(7)
    faces.write(folder / "fer2013.csv")
    faces.write_votes(folder / "fer2013new.csv")
    faces.write_points(folder / "points.npz", [True] * len(faces.labels))
    return folder


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    table().save(tmp_path / "tiny")
    return tmp_path / "tiny"


@pytest.fixture
def study(mien: Callable, tmp_path: Path) -> Callable[..., Any]:
    def run(*words: str | Path) -> Any:
        return mien("study", "importance", "--out", tmp_path / "out", "--rounds", "100", *words)

    return run


def test_a_sweep_writes_a_report_and_says_the_answer(
    study: Callable, root: Path, expression_path: Path, tmp_path: Path
) -> None:
    words = ("--sweep", "--dataset", "fer2013", "--root", root, "--model", expression_path)
    words = (*words, "--conditions", "eyes,mouth", "--points", root / "points.npz")
    done = study(*words)
    assert done.code == 0, done.err
    record = json.loads((tmp_path / "out" / "study.json").read_text())
    assert done.out.startswith(record["answer"]) and "mind: Only 7 faces were tested." in done.out
    assert record["protocol"]["split"] == "private"
    assert record["protocol"]["points"].startswith("points.npz")
    again = study(*words, "--format", "json", "--quiet")
    assert json.loads(again.out) == record and not again.err


def test_a_preset_chooses_question_and_conditions(
    study: Callable, tables: Path, expression_path: Path
) -> None:
    words = ("--sweep", "--table", tables, "--model", expression_path, "--format", "json")
    record = json.loads(study(*words, "--preset", "system1").out)
    assert record["question"].startswith("How much of an expression is left above a face mask")
    assert record["conditions"] == ["none", "mask-polygon"]
    assert record["protocol"]["table"] == "tiny"


def test_a_preset_pads_boxes_alike_in_both_modes(
    study: Callable, tables: Path, expression_path: Path, tmp_path: Path, mien: Callable
) -> None:
    words = ("--preset", "system0", "--table", tables, "--format", "json")
    record = json.loads(study("--sweep", *words, "--model", expression_path).out)
    assert record["protocol"]["preset"] == "system0"
    assert record["protocol"]["drawn"] == {"pad_px": 0.375}  # 3/256 of 32 pixels
    receipt = next((tmp_path / "out").glob("cells/*/eyes/*.json"))
    assert json.loads(receipt.read_text())["condition"]["pad_px"] == 0.375
    verified = ("--table", tables, "--model", expression_path)
    assert mien("verify", receipt, *verified).code == 0
    done = study("--retrain", *words, "--conditions", "eyes,surgical")
    assert done.code == 2 and "'surgical' does not take pad_px" in done.err


def test_one_size_for_all_faces_is_swept_too(
    study: Callable, tables: Path, expression_path: Path
) -> None:
    words = ("--sweep", "--table", tables, "--model", expression_path, "--format", "json")
    record = json.loads(study(*words, "--fixed-size", "face").out)
    assert record["conditions"] == ["none", "eyes", "mouth", "eyes+mouth", "mask-polygon"]
    assert record["protocol"]["drawn"] == {"fixed_size": True}
    done = study(*words, "--fixed-size", "face", "--conditions", "surgical")
    assert done.code == 2 and "'surgical' does not take fixed_size" in done.err


def test_tone_and_box_are_swept_and_verified(
    study: Callable, tables: Path, expression_path: Path, tmp_path: Path, mien: Callable
) -> None:
    words = ("--sweep", "--table", tables, "--model", expression_path, "--format", "json")
    drawn = ("--tone", "200", "--fixed-size", "9x4")
    record = json.loads(study(*words, *drawn).out)
    assert record["protocol"]["drawn"] == {"tone": 200, "fixed_size": [9, 4]}
    assert "surgical" not in record["conditions"]
    receipt = next((tmp_path / "out").glob("cells/*/mouth/*.json"))
    verified = ("--table", tables, "--model", expression_path)
    assert mien("verify", receipt, *verified).code == 0
    assert study(*words, *drawn).code == 0  # goes on in the same folder


def test_networks_are_trained_for_a_table_of_people(
    study: Callable, tables: Path, tmp_path: Path
) -> None:
    pytest.importorskip("onnx")
    recipe = tmp_path / "mine.toml"
    recipe.write_text('name = "mine"\ntask = "labels"\nside = 32\n[network]\nname = "simple"\n')
    words = ("--retrain", "--table", tables, "--conditions", "mouth", "--recipe", recipe)
    words = (*words, "--epochs", "1", "--set", "batch_size=6", "--network", "triple")
    done = study(*words, "--folds", "2", "--fixed-size", "face", "--format", "json")
    assert done.code == 0, done.err
    record = json.loads(done.out)
    assert len(record["cells"]) == 8 and record["trained"] == ["none", "mouth"]
    said = record["protocol"]
    assert said["splits"].startswith("by-subject, 2 folds") and said["drawn"] == {
        "fixed_size": True
    }
    assert (said["recipe"], said["network"], said["epochs"]) == ("mine", "triple", 1)
    assert said["settings"]["batch_size"] == 6
    assert "trainings: 1 of 4" in done.err


def test_networks_are_trained_as_published_where_no_recipe_says_how() -> None:
    pytest.importorskip("onnx")
    from mien.cli.study.importance import _training

    narrow = _training(None, "narrow", 24, None)
    assert (narrow.network.name, narrow.epochs, narrow.batch_size) == ("narrow", 24, 128)
    assert narrow.optimizer.learning_rate == 0.05 and narrow.optimizer.ema == 0
    assert _training(None, None, None, None).network.name == "residual"
    jaffe = _training(None, "jaffe", None, None)
    assert (jaffe.epochs, jaffe.batch_size, jaffe.optimizer.kind) == (50, 7, "adam")
    assert (jaffe.side, jaffe.network.channels, jaffe.data.preparation) == (128, 3, "system0")
    assert _training(None, "mini-xception", None, None).side == 64


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (["--sweep", "--preset", "system0", "--pad-px", "2"], 2, "the pad of the preset system0"),
        (["--sweep", "--preset", "system0", "--fixed-size", "9x4"], 2, "--fixed-size differs"),
        (["--sweep", "--conditions", "surgical", "--tone", "9"], 2, "does not take tone"),
        (["--sweep", "--conditions", ""], 2, "at least one condition that hides something"),
        (["--sweep", "--conditions", "eyes,moth"], 2, "did you mean 'mouth'?"),
        (["--sweep", "--conditions", "none"], 2, "at least one condition"),
        (["--sweep", "--preset", "system9"], 2, "unknown preset 'system9'"),
        (["--sweep", "--retrain"], 2, "either --sweep or --retrain"),
        ([], 2, "either --sweep or --retrain"),
        (["--sweep", "--network", "jaffe"], 2, "--network goes with --retrain"),
        (["--sweep", "--recipe", "mine.toml"], 2, "--recipe goes with --retrain"),
        (["--retrain", "--recipe", "lost.toml"], 2, "no recipe at lost.toml"),
        (["--retrain", "--recipe", "landmarks"], 2, "a study trains recipes of the task 'labels'"),
        (["--sweep", "--epochs", "2"], 2, "--epochs goes with --retrain"),
        (["--sweep", "--folds", "2"], 2, "--folds goes with --retrain"),
        (["--sweep", "--device", "cuda"], 2, "--device goes with --retrain"),
        (["--retrain", "--mirror"], 2, "--mirror goes with --sweep"),
        (["--retrain", "--no-mirror"], 2, "--mirror goes with --sweep"),
        (["--retrain", "--provider", "cpu"], 2, "--provider goes with --sweep"),
        (["--retrain", "--severity", "3"], 2, "'--severity'"),
        (["--retrain", "--severity", "nan"], 2, "'--severity'"),
        (["--retrain", "--network", "jafe"], 2, "did you mean 'jaffe'?"),
        (["--retrain", "--protocol", "by-subjects"], 2, "did you mean 'by-subject'?"),
        (["--retrain", "--folds", "7"], 4, "expected at least 7"),
        (["--retrain", "--splits", "lost.json"], 4, "cannot read lost.json"),
        (["--sweep", "--rule", "majorty"], 2, "did you mean 'majority'?"),
        (["--sweep", "--style", "flatt"], 2, "did you mean 'flat'?"),
        (["--sweep", "--out", "/dev/null/out"], 6, "cannot write /dev/null/out"),
    ],
)
def test_what_cannot_be_meant_is_named(
    words: list[str], code: int, said: str, study: Callable, tables: Path
) -> None:
    done = study("--table", tables, *words)
    assert (done.code, done.out) == (code, "") and said in done.err


def test_a_set_of_one_expression_is_refused(
    study: Callable, tmp_path: Path, expression_path: Path
) -> None:
    faces = table()
    faces[faces.labels == 1].save(tmp_path / "fear")
    for mode in ("--sweep", "--retrain"):
        done = study(mode, "--table", tmp_path / "fear", "--conditions", "eyes")
        assert done.code == 4 and "fear" in done.err and "at least two" in done.err
