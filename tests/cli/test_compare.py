"""Comparing from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from mien import images
from mien.evaluation import Receipt
from mien.training.joined import Unit
from tiny_fer import tiny_fer
from tiny_receipts import tiny_receipt
from tiny_runs import done as run_of


@pytest.fixture
def root(tmp_path: Path) -> Path:
    faces = tiny_fer()
    faces.write(tmp_path / "fer2013.csv")
    faces.write_points(tmp_path / "points.npz", [True] * 12)
    return tmp_path


def job(out: Path, right: dict[tuple[int | None, int], list[int]]) -> None:
    """Write what a job leaves, of runs by fold and seed."""
    for (fold, seed), hits in right.items():
        run_of(fold, seed, hits).receipt.save(Unit(fold, seed).folder(out) / "test.json")
    rows = [{"fold": None if fold is None else fold + 1, "seed": seed} for fold, seed in right]
    (out / "job.json").write_text(json.dumps({"runs": rows, "subjects_overlap": None}))


@pytest.fixture
def receipts(tmp_path: Path) -> list[Path]:
    truth, paths = [0, 1, 2, 0], [tmp_path / f"{name}.json" for name in ("none", "eyes", "mouth")]
    for path, said in zip(paths, ([0, 1, 2, 0], [0, 1, 1, 0], [1, 1, 1, 0]), strict=True):
        tiny_receipt(truth, said, occluder=path.stem).save(path)
    return paths


def test_receipts_are_compared_with_the_first(mien: Callable, receipts: list[Path]) -> None:
    done = mien("compare", *receipts)
    assert done.code == 0, done.err
    assert "4 faces of neutral, happiness, surprise" in done.out
    assert "none - eyes" in done.out and "none - mouth" in done.out
    assert "eyes - mouth" not in done.out and "McNemar" in done.out
    assert "worst expression" in done.out and "surprise 0.0% of 1" in done.out
    assert "eyes - mouth" in mien("compare", *receipts, "--all-pairs").out


def test_the_json_has_rows_and_pairs(mien: Callable, receipts: list[Path]) -> None:
    found = json.loads(mien("compare", *receipts, "--format", "json").out)
    assert [row["name"] for row in found["rows"]] == ["none", "eyes", "mouth"]
    assert [row["accuracy"] for row in found["rows"]] == [1, 0.75, 0.5]
    assert {"p", "p_holm", "difference", "interval95", "odds_ratio", "cohen_g"} <= set(
        found["pairs"][0]
    )


def test_conditions_and_models_are_evaluated_first(
    mien: Callable, root: Path, tmp_path: Path, expression_path: Path
) -> None:
    faces = ["--dataset", "fer2013", "--root", root, "--points", root / "points.npz"]
    kept = tmp_path / "kept"
    done = mien(
        *("compare", "none", "eyes", "eyes+mouth", *faces, "--model", expression_path),
        *("--receipts", kept, "--format", "json"),
    )
    assert done.code == 0, done.err
    names = [row["name"] for row in json.loads(done.out)["rows"]]
    assert names == ["none", "eyes", "eyes+mouth"]
    assert Receipt.open(kept / "eyes+mouth.json").condition["occluder"] == "eyes+mouth"
    other = models.expression_model(tmp_path / "other.onnx", seed=1)
    done = mien("compare", expression_path, other, *faces, "--occlude", "mouth")
    assert done.code == 0, done.err
    assert "4 faces of" in done.out
    done = mien("compare", "none", "eyes", *faces, "--tone", "9", "--model", expression_path)
    assert "none - eyes tone 9" in done.out, done.err


def test_models_stand_against_data_sets(mien: Callable, tmp_path: Path) -> None:
    for name, data in (("a", "x"), ("a", "y"), ("b", "x")):
        receipt = tiny_receipt([0, 1, 2], [0, 1, 1], model=name, data=data)
        receipt.save(tmp_path / f"{name}{data}.json")
    paths = [tmp_path / f"{name}.json" for name in ("ax", "ay", "bx")]
    done = mien("compare", *paths, "--across")
    assert done.code == 0, done.err
    assert "66.7%, surprise 0.0% of 1" in done.out
    assert "66.7% (" in done.out and "over neutral, happiness, surprise" in done.out


def test_histories_of_runs_stand_in_one_plot(mien: Callable, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    for name, loss in (("a", 2.0), ("b", 1.0)):
        (tmp_path / name).mkdir()
        entry = {"epoch": 1, "loss": loss, "fer2013/none": 0.5, "fer2013/eyes": 0.4}
        (tmp_path / name / "log.jsonl").write_text(json.dumps(entry) + "\n")
    runs, plot = [tmp_path / "a", tmp_path / "b"], tmp_path / "histories.svg"
    done = mien("compare", *runs, "--plot", plot)
    assert done.code == 0, done.err
    assert plot.read_text().startswith("<svg")
    assert "loss  fer2013/none" in done.out and "eyes" not in done.out
    done = mien("compare", *runs, "--measure", "fer2013/eyes", "--format", "json")
    assert json.loads(done.out) == {name: {"fer2013/eyes": [0.4]} for name in ("a", "b")}
    assert "did you mean 'loss'" in mien("compare", *runs, "--measure", "los").err


def test_a_run_folder_holds_a_log_and_stands_beside_others_only(
    mien: Callable, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a").mkdir()
    Path("a", "log.jsonl").write_text('{"epoch": 1, "loss": 1.0}\n')
    for words, said in (
        (["eyes"], "a is a run folder; compare run folders with each other only"),
        (["lost"], "of the name 'lost'"),
        (["a"], "given twice"),
        (["--across"], "--across goes with receipts, models, conditions"),
        (["--all-pairs"], "--all-pairs goes with receipts, models, conditions"),
        (["--dataset", "fer2013"], "--dataset is of models and conditions, which are evaluated"),
    ):
        done = mien("compare", "a", *words)
        assert done.code == 2 and said in done.err
    Path("eyes").mkdir()  # a folder of that name is no run
    done = mien("compare", "eyes", "mouth")
    assert "eyes is evaluated first" in done.err
    Path("eyes", "log.jsonl").write_text('{"epoch": 1, "loss": 1.0}\n')
    assert mien("compare", "eyes", "a").code == 0


def test_jobs_are_compared_on_the_faces_held_out(mien: Callable, tmp_path: Path) -> None:
    whole = [[1, 1, 1, 1, 1, 0], [1, 1, 1, 1, 1, 1]]
    job(tmp_path / "a", {(fold, 1): right for fold, right in enumerate(whole)})
    job(tmp_path / "b", {(fold, 1): [1, 1, 0, 0, 0, 0] for fold in (1, 0)})
    done = mien("compare", tmp_path / "a", tmp_path / "b", "--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert [row["name"] for row in found["rows"]] == ["a", "b"]
    assert [row["correct"] for row in found["rows"]] == [11, 4] and found["faces"] == 12
    (pair,) = found["pairs"]
    assert (pair["only_a"], pair["only_b"]) == (7, 0) and pair["p"] == 2 / 2**7
    assert found["test"] == "mcnemar" and pair["difference"] == pytest.approx(7 / 12)


def test_the_seeds_of_a_job_are_averaged_a_face(mien: Callable, tmp_path: Path) -> None:
    job(tmp_path / "a", {(None, seed): [1, 1, 1, int(seed > 1)] for seed in (1, 2)})
    job(tmp_path / "b", {(None, 1): [1, 0, 0, 0]})
    words = ["compare", tmp_path / "a", tmp_path / "b"]
    found = json.loads(mien(*words, "--format", "json").out)
    assert [row["accuracy"] for row in found["rows"]] == [7 / 8, 1 / 4] and found["faces"] == 4
    assert found["test"] == "sign-flip" and found["drawn_from"] == "faces"
    (pair,) = found["pairs"]
    assert (pair["only_a"], pair["difference"], pair["p"]) == (3, 7 / 8 - 1 / 4, 0.25)
    done = mien(*words)
    assert "sign flips of faces" in done.out and "means of seeds (a: 2)" in done.out


def test_jobs_of_other_faces_are_refused(mien: Callable, tmp_path: Path) -> None:
    job(tmp_path / "a", {(0, 1): [1, 1], (1, 1): [1, 1]})
    job(tmp_path / "b", {(0, 1): [1, 1], (2, 1): [1, 1]})
    done = mien("compare", tmp_path / "a", tmp_path / "b")
    assert done.code == 4 and "a and b must be of the same faces: 2 are only in" in done.err
    done = mien("compare", tmp_path / "a", tmp_path / "b", "--across")
    assert done.code == 2 and "is a job, which --across cannot take" in done.err
    (tmp_path / "b" / "fold-1" / "seed-1" / "test.json").unlink()
    done = mien("compare", tmp_path / "a", tmp_path / "b")
    assert done.code == 4 and "test.json" in done.err


def test_models_of_one_name_are_opened_first_and_kept_apart(
    mien: Callable, root: Path, tmp_path: Path, expression_path: Path
) -> None:
    kept = tmp_path / "kept"
    for name in ("x", "y"):
        (tmp_path / name).mkdir()
        models.expression_model(tmp_path / name / "same.onnx", seed=ord(name))
    twins = [tmp_path / name / "same.onnx" for name in ("x", "y")]
    words = ["--dataset", "fer2013", "--root", root, "--receipts", kept]
    done = mien("compare", *twins, tmp_path / "lost.onnx", *words)
    assert done.code == 5 and "lost.onnx" in done.err and not kept.exists()
    done = mien("compare", *twins, *words)
    assert done.code == 0, done.err
    assert {path.name for path in kept.iterdir()} == {"same.onnx.json", "same.onnx-2.json"}


def test_a_plot_has_intervals(mien: Callable, receipts: list[Path], tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    done = mien("compare", *receipts, "--plot", tmp_path / "plot.svg")
    assert done.code == 0, done.err
    assert "mouth" in (tmp_path / "plot.svg").read_text()
    done = mien("compare", *receipts, "--plot", tmp_path / "new" / "plot.PNG")
    assert done.code == 0, done.err
    assert images.read(tmp_path / "new" / "plot.PNG").shape[2] == 3
    done = mien("compare", *receipts, "--plot", tmp_path / "plot.pdf")
    assert done.code == 2 and "is written as .svg or .png, got 'plot.pdf'" in done.err


def test_what_cannot_be_written_is_known_before_anything_is_measured(
    mien: Callable, root: Path, expression_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.evaluation.score", lambda *_, **__: pytest.fail("measured"))
    words = ["none", "eyes", "--dataset", "fer2013", "--root", root, "--model", expression_path]
    for option, target in (("--plot", root / "fer2013.csv" / "a.svg"), ("--receipts", "/dev/null")):
        done = mien("compare", *words, option, target)
        assert done.code in (6, 7)
        assert "cannot write" in done.err or "Matplotlib" in done.err


def test_the_faces_of_a_list_or_without_copies_are_compared(
    mien: Callable, root: Path, expression_path: Path
) -> None:
    fer = tiny_fer()
    fer.write_votes(root / "fer2013new.csv")
    (root / "list.txt").write_text(f"3_{fer.names[0]} 8 0\n1_{fer.names[9]} 8 0\n")
    words = ["--dataset", "ferplus", "--root", root, "--points", root / "points.npz"]
    words += ["--model", expression_path, "--format", "json"]
    done = mien("compare", "none", "eyes", *words, "--list", root / "list.txt")
    assert done.code == 0, done.err
    assert json.loads(done.out)["faces"] == 2
    assert mien("compare", "none", "eyes", *words, "--without-duplicates").code == 0


def test_different_faces_are_refused(mien: Callable, receipts: list[Path], tmp_path: Path) -> None:
    tiny_receipt([0, 1], [0, 1], model="b").save(tmp_path / "few.json")
    done = mien("compare", receipts[0], tmp_path / "few.json")
    assert done.code == 4
    assert "must be of the same faces: 2 are only in the first" in done.err


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["eye", "mouth"], 2, "did you mean 'eyes'"),
        (["eyes", "mouth"], 2, "eyes is evaluated first; say on which faces: --dataset NAME"),
        (["eyes", "mouth", "--table", "t", "--rule", "majorty"], 2, "did you mean 'majority'"),
        (["eyes", "mouth", "--table", "t", "--style", "flatt"], 2, "did you mean 'flat'"),
        (["nowhere.json", "nowhere.json"], 4, "cannot read nowhere.json"),
        (["."], 2, "condition, job (with job.json) or run folder (with log.jsonl) of the name '.'"),
        (["runs/lost", "eyes"], 2, "of the name 'runs/lost'"),
        (["eyes", "--table", "t"], 2, "at least two to compare, got eyes alone"),
        (["a.json", "b.json", "--tone", "9"], 2, "--tone says how a part is hidden, and none is"),
        (["eyes", "mouth", "--table", "t", "--tone", "300"], 2, "a tone must be"),
        (["eyes", "mouth", "--table", "t", "--occlude", "nose"], 2, "that models are compared"),
        (["eyes", "mouth", "--table", "t", "--part", "train"], 2, "--part goes with --splits"),
        (["a.json", "b.json", "--across", "--shared"], 2, "--shared is no matter of --across"),
        (["a.json", "b.json", "--receipts", "kept"], 2, "--receipts is of models and conditions"),
        (["a.json", "b.json", "--measure", "loss"], 2, "--measure goes with run folders"),
        (["eyes", "mouth", "--table", "t", "--severity", "3"], 2, "'--severity'"),
        (["eyes", "mouth", "--table", "t", "--severity", "nan"], 2, "'--severity'"),
        (["eyes", "mouth", "--table", "t", "--seed", "-1"], 2, "'--seed'"),
        ([], 2, "Missing argument"),
    ],
)
def test_what_cannot_be_compared_is_named(
    words: list[str], code: int, message: str, mien: Callable
) -> None:
    done = mien("compare", *words)
    assert (done.code, done.out) == (code, "")
    assert message in done.err
