"""Measuring a model from the command line."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from mien.data.readers.fer2013 import read
from mien.expressions import EXPRESSIONS_7
from tiny_fer import tiny_fer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A FER-2013 of four faces a split, with votes and points."""
    faces = tiny_fer()
    faces.images[-1] = faces.images[0]  # one private face equals one of train
    faces.write(tmp_path / "fer2013.csv")
    faces.write_votes(tmp_path / "fer2013new.csv")
    faces.write_points(tmp_path / "points.npz", [True] * len(faces.labels))
    (tmp_path / "list.txt").write_text(f"3_{faces.names[0]} 8 0\n1_{faces.names[9]} 8 0\n")
    return tmp_path


@pytest.fixture
def evaluate(mien: Callable, root: Path, expression_path: Path) -> Callable[..., Any]:
    """Measure the tiny model and read the JSON."""

    def run(*words: str | Path, dataset: str = "fer2013") -> Any:
        done = mien(
            *("evaluate", "--dataset", dataset, "--root", root, "--model", expression_path),
            *("--format", "json", *words),
        )
        assert done.code == 0, done.err
        return json.loads(done.out)

    return run


def test_the_json_has_what_a_script_needs(evaluate: Callable) -> None:
    result = evaluate()
    assert {
        *("faces", "correct", "accuracy", "interval95", "balanced_accuracy", "macro_f1", "ece"),
        *("confusion", "labels", "protocol", "model_sha256"),
    } <= set(result)
    assert result["faces"] == 4
    assert result["correct"] == sum(row[i] for i, row in enumerate(result["confusion"]))


@pytest.mark.parametrize(("dataset", "labels"), [("fer2013", 7), ("ferplus", 8)])
def test_the_model_answers_as_the_data_set_is_labelled(
    dataset: str, labels: int, evaluate: Callable
) -> None:
    assert len(evaluate(dataset=dataset)["labels"]) == labels


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A model that names its one output as `mien train --dataset` does."""
    outputs = [models.output("expression", "expression", EXPRESSIONS_7, certain=0.5)]
    layers = {"expression": (np.zeros((48 * 48, 7)), np.arange(7.0))}
    fields = models.metadata("expression", 48, outputs)
    return models.write(tmp_path / "own.onnx", 48, layers, fields)


def test_a_model_with_other_outputs_answers_with_its_first(
    mien: Callable, root: Path, own: Path, expression_path: Path
) -> None:
    named = ["--dataset", "fer2013", "--root", root, "--format", "json"]
    done = mien("evaluate", *named, "--model", own)
    assert done.code == 0, done.err
    assert json.loads(done.out)["protocol"]["output"] == "expression"
    done = mien("compare", own, expression_path, *named)
    assert done.code == 0, done.err
    assert "unknown labels" in mien("evaluate", *named, "--model", own, "--labels", "ferplus").err


def test_copies_of_a_set_and_tables_of_it_are_answered_as_it_is(
    mien: Callable, root: Path, expression_path: Path, evaluate: Callable
) -> None:
    assert evaluate()["protocol"]["output"] == "fer2013"
    assert evaluate("--rule", "argmax", dataset="ferplus")["protocol"]["output"] == "ferplus"
    read(root).save(root / "table")
    words = ["evaluate", "--table", root / "table", "--model", expression_path, "--format", "json"]
    assert json.loads(mien(*words).out)["protocol"]["output"] == "ferplus"
    (root / "table" / "summary.json").write_text('{"data_set": "debanga"}')
    assert json.loads(mien(*words).out)["protocol"]["output"] == "fer2013"


def test_other_answers_can_be_asked_for(evaluate: Callable) -> None:
    assert "contempt" in evaluate("--labels", "ferplus")["labels"]


def test_splits_and_duplicates_are_chosen(evaluate: Callable) -> None:
    assert evaluate("--split", "public")["protocol"]["split"] == "public"
    assert evaluate("--without-duplicates")["faces"] == 3


@pytest.mark.parametrize("rule", ["majority", "argmax", "multi-target"])
def test_rules_of_the_votes_are_chosen(rule: str, evaluate: Callable) -> None:
    assert evaluate("--rule", rule, dataset="ferplus")["protocol"]["rule"] == rule


@pytest.mark.parametrize("name", ["mask-polygon", "eyes", "mouth"])
def test_parts_are_hidden_by_given_points(name: str, root: Path, evaluate: Callable) -> None:
    protocol = evaluate("--occlude", name, "--points", root / "points.npz")["protocol"]
    assert protocol["occluder"] == name
    assert protocol["points"].startswith("points.npz")


def test_without_points_the_result_says_whose_were_used(
    tiny_weights: None, evaluate: Callable
) -> None:
    assert "network" in evaluate("--occlude", "mouth")["protocol"]["points"]


def test_a_list_brings_its_own_labels(root: Path, evaluate: Callable) -> None:
    result = evaluate("--list", root / "list.txt", dataset="ferplus")
    assert result["faces"] == 2
    assert [sum(row) for row in result["confusion"]] == [0, 1, 0, 1, 0, 0, 0, 0]


def test_the_mirror_image_is_stated(evaluate: Callable) -> None:
    assert evaluate()["protocol"]["test_time_augmentation"] == "none"
    assert evaluate("--mirror")["protocol"]["test_time_augmentation"] == "mirror"


def test_balanced_answers_are_stated_and_verified_as_given(
    mien: Callable, root: Path, evaluate: Callable, tmp_path: Path
) -> None:
    fields = models.expression_metadata()
    fields["outputs"][0]["prior"] = [0.4, 0.3, 0.1, 0.1, 0.04, 0.03, 0.02, 0.01]
    model = models.expression_model(tmp_path / "prior.onnx", fields=fields)
    given = ("--model", model, "--labels", "ferplus")
    usual = evaluate(*given, dataset="ferplus")
    receipt = tmp_path / "receipt.json"
    balanced = evaluate(*given, "--balanced", "--receipt", receipt, dataset="ferplus")
    assert balanced["protocol"]["balanced"] is True and "balanced" not in usual["protocol"]
    assert balanced["ece"] != usual["ece"]
    done = mien("verify", receipt, "--root", root, "--model", model)
    assert done.code == 0, done.out


def test_the_table_names_what_was_measured(
    mien: Callable, root: Path, expression_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DATA", str(root))
    done = mien("evaluate", "--dataset", "fer2013", "--model", expression_path)
    assert done.code == 0
    for words in ("split: private", "of 4 faces", "balanced accuracy", "worst: ", "macro F1"):
        assert words in done.out


@pytest.mark.parametrize(
    ("words", "suggestion"),
    [
        (["--occlude", "mask-poly"], "did you mean 'mask-polygon'?"),
        (["--split", "privat"], "did you mean 'private'?"),
        (["--rule", "majorty"], "did you mean 'majority'?"),
        (["--labels", "fer2014"], "did you mean 'fer2013'?"),
    ],
)
def test_a_name_that_is_mistyped_gets_a_suggestion(
    words: list[str], suggestion: str, mien: Callable, root: Path, expression_path: Path
) -> None:
    named = ["--dataset", "ferplus", "--root", root, "--model", expression_path]
    done = mien("evaluate", *named, *words)
    assert done.code == 2
    assert suggestion in done.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["--receipt", "taken/a.json"], 6, "cannot write taken/a.json: Not a directory"),
        (["--receipt", "."], 6, "cannot write .: it is there and no file"),
        (["--report", "taken/report"], 6, "cannot write taken/report: Not a directory"),
        (["--points", "lost.npz"], 4, "no file lost.npz; expected an .npz with points_xy"),
        (["--points", "taken"], 4, "taken is no .npz; expected an .npz with points_xy"),
        (["--option", "rule=majorty"], 2, "did you mean 'majority'?"),
        (["--fold", "1"], 2, "--fold goes with --splits"),
        (["--faces"], 2, "--faces goes with --report"),
        (["--by", "gender"], 2, "unknown column of faces 'gender'"),
        (["--by", "lost.csv:gender"], 4, "cannot read lost.csv"),
        (["--tone", "9"], 2, "--tone says how a part is hidden, and none is"),
        (["--severity", "0.5"], 2, "--severity says how a part is hidden"),
        (["--occlude", "surgical", "--pad-px", "2"], 2, "does not take pad_px"),
        (["--occlude", "eyes", "--fixed-size", "big"], 2, "--fixed-size face or WxH"),
        (["--occlude", "eyes", "--pad-px", "1", "--pad-share", "1"], 2, "expected one of pad_px"),
        (["--seed", "-1"], 2, "'--seed'"),
        (["--occlude", "eyes", "--severity", "nan"], 2, "'--severity'"),
    ],
)
def test_what_must_fail_fails_before_a_face_is_read(
    words: list[str],
    code: int,
    message: str,
    mien: Callable,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").write_text("")
    done = mien("evaluate", "--dataset", "ferplus", "--root", "nowhere", *words)
    assert done.code == code and message in done.err


def test_a_table_is_measured_with_a_fold_of_splits(
    mien: Callable, root: Path, expression_path: Path
) -> None:
    table, splits = root / "table", root / "folds.json"
    read(root).save(table)
    done = mien("data", "split", "--table", table, "--protocol", "official", "--out", splits)
    assert done.code == 0, done.err
    words = ["evaluate", "--table", table, "--model", expression_path, "--format", "json"]
    done = mien(*words, "--splits", splits, "--part", "validation")
    assert done.code == 0, done.err
    protocol = json.loads(done.out)["protocol"]
    assert (protocol["table"], protocol["fold"], protocol["part"]) == (
        *("table", "official", "validation"),
    )


def test_parts_are_joined_and_drawn_more_or_less(root: Path, evaluate: Callable) -> None:
    words = ["--points", root / "points.npz", "--severity", "0.5", "--seed", "4"]
    protocol = evaluate("--occlude", "eyes+mouth", *words)["protocol"]
    assert (protocol["occluder"], protocol["severity"]) == ("eyes+mouth", 0.5)
    assert protocol["seed"] == 4 and "style" not in protocol


@pytest.mark.parametrize(
    ("words", "stated"),
    [
        (["--tone", "10,20,30"], {"tone": [10, 20, 30]}),
        (["--tone", "mean", "--pad-share", "0.2"], {"tone": "mean", "pad_share": 0.2}),
        (["--pad-px", "2", "--fixed-size", "face"], {"pad_px": 2, "fixed_size": True}),
        (["--fixed-size", "20x9"], {"fixed_size": [20, 9]}),
    ],
)
def test_tone_pad_and_size_are_drawn_stated_and_verified(
    words: list[str],
    stated: dict[str, Any],
    mien: Callable,
    root: Path,
    evaluate: Callable,
    expression_path: Path,
) -> None:
    receipt, hidden = root / "receipt.json", ("--occlude", "eyes", "--points", root / "points.npz")
    found = evaluate(*hidden, *words, "--receipt", receipt)
    assert stated.items() <= found["protocol"].items()
    assert stated.items() <= json.loads(receipt.read_text())["condition"].items()
    assert mien("verify", receipt, "--root", root, "--model", expression_path).code == 0


def test_only_what_both_know_is_measured_if_wanted(evaluate: Callable) -> None:
    result = evaluate("--labels", "ferplus", "--shared")
    assert "contempt" not in result["labels"]
    assert result["protocol"]["expressions"].endswith("those shared; 0 faces left out")


def test_groups_stand_in_table_json_and_page(
    mien: Callable, root: Path, evaluate: Callable, expression_path: Path
) -> None:
    pytest.importorskip("matplotlib")
    words = ["--split", "all", "--by", "split"]
    found = evaluate(*words, "--report", root / "report")["by"]
    assert [of["faces"] for of in found["groups"].values()] == [4, 4, 4]
    page = (root / "report" / "report.md").read_text()
    assert "## By split" in page and f"Right least often on {found['worst']}" in page
    given = ["--dataset", "fer2013", "--root", root, "--model", expression_path]
    done = mien("evaluate", *given, *words)
    assert f"by split; the worst group is {found['worst']}" in done.out
    assert "mind: fewer than 30 faces of the groups private, public, train" in done.out


def test_figures_and_faces_go_into_a_folder(root: Path, evaluate: Callable) -> None:
    pytest.importorskip("matplotlib")
    evaluate("--report", root / "report", dataset="ferplus")
    names = {path.name for path in (root / "report").iterdir()}
    drawn = {"confusion.svg", "distribution.svg", "reliability.svg", "risk-coverage.svg"}
    assert names == {"index.html", "report.md", *drawn}
    page = (root / "report" / "index.html").read_text()
    assert "What it says is hidden" in page and " nats." in page
    assert "<img" not in page and "Of ten people" in page
    evaluate("--report", root / "report", "--faces")
    assert "<img" in (root / "report" / "index.html").read_text()


def test_the_table_holds_the_model_against_the_votes(
    mien: Callable, root: Path, expression_path: Path
) -> None:
    done = mien("evaluate", "--dataset", "ferplus", "--root", root, "--model", expression_path)
    assert done.code == 0, done.err
    for words in ("of ten", "one voter says", "divergence", "precision", "mind: only 4 faces"):
        assert words in done.out
