"""The tables of the pages are made from what `mien evaluate` measures, in the pages' own form."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import models
from bench.__main__ import build
from bench.report import Table
from bench.result_tables import CARD, DOCS, README
from bench.results import Remembering
from mien.data.readers.ferplus import SUBSETS
from mien.evaluation import Choice, score
from mien.recognizer import ExpressionReader
from tiny_fer import tiny_fer

ROOT = Path(__file__).parents[1]
# From which line of a page to which its tables are of this measurement.
SECTIONS = {
    README: ("## How good it is", "## How fast it is"),
    CARD: ("## Results", "## Where it fails"),
    DOCS: ("## Expressions", "### Networks that learned"),
}
PER_SPLIT = 9


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data set, one of its test faces a copy from training; lists of test faces beside it."""
    root = tmp_path_factory.mktemp("data")
    made = tiny_fer(per_split=PER_SPLIT)
    made.images[-1] = made.images[0]
    folder = root / "fer2013"
    made.write(folder / "fer2013.csv")
    made.write_votes(folder / "fer2013new.csv")
    made.write_points(folder / "landmarks68.npz", [True] * len(made.labels))
    lists = root / "ferplus-real-occlusion"
    lists.mkdir()
    for number, name in enumerate(("occlusion", "pose-30", "pose-45")):
        chosen = made.names[-3 - number :]
        lines = [f"{at}_{one} {at} 0" for at, one in enumerate(chosen)]
        (lists / SUBSETS[name]).write_text("\n".join(lines))
    return folder


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that averages mirror images and tells how frequent each expression was."""
    fields = models.expression_metadata()
    fields["outputs"][0]["prior"] = [0.4, 0.3, 0.1, 0.1, 0.04, 0.03, 0.02, 0.01]
    fields["extra"]["mirror"] = True
    return models.expression_model(tmp_path_factory.mktemp("models") / "e.onnx", fields=fields)


def bench(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        build()(args=["results", *map(str, words)], prog_name="bench")
    return int(end.value.code or 0)


@pytest.fixture(scope="module")
def out(
    data: Path, model: Path, shipped_models: None, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """All that is written of the private split."""
    folder = tmp_path_factory.mktemp("out") / "results"
    assert bench("--data", data, "--model", model, "--out", folder, "--quiet") == 0
    return folder


@pytest.mark.parametrize(
    ("name", "chosen", "how", "condition"),
    [
        ("ferplus none", {"data_set": "ferplus"}, {}, {}),
        ("ferplus none no-mirror", {"data_set": "ferplus"}, {"mirror": False}, {}),
        (
            "ferplus mask-polygon balanced",
            {"data_set": "ferplus"},
            {"balanced": True},
            {"occluder": "mask-polygon"},
        ),
        (
            "fer2013 mask-polygon without-duplicates",
            {"data_set": "fer2013", "without_duplicates": True},
            {"labels": "fer2013"},
            {"occluder": "mask-polygon"},
        ),
        ("occlusion none", {"data_set": "ferplus", "list_file": "occlusion"}, {}, {}),
    ],
)
def test_every_result_is_that_of_an_evaluation(
    out: Path,
    data: Path,
    model: Path,
    name: str,
    chosen: dict[str, Any],
    how: dict[str, Any],
    condition: dict[str, Any],
) -> None:
    if subset := chosen.get("list_file"):
        lists = data.parent / "ferplus-real-occlusion"
        chosen = {**chosen, "list_file": lists / SUBSETS[subset]}
    else:
        chosen = {**chosen, "points_file": data / "landmarks68.npz"}
    reader = ExpressionReader(model, **{"labels": "ferplus", **how})
    faces = Choice(**chosen).select(data, reader.preparation)
    expected = score(faces, reader, **condition).result
    found = json.loads((out / "results.json").read_text())["figures"]["results"][name]
    assert found["protocol"] == expected["protocol"]
    assert found["confusion"] == expected["confusion"]
    for measure in ("accuracy", "interval95", "balanced_accuracy", "macro_f1", "ece"):
        assert found[measure] == pytest.approx(expected[measure], abs=1e-6), measure
    assert found["certain"] == expected["certain"] and found["hidden"] == expected["hidden"]


def test_copies_of_training_faces_and_lists_are_counted(out: Path) -> None:
    found = json.loads((out / "results.json").read_text())["figures"]["results"]
    assert found["fer2013 none"]["faces"] == PER_SPLIT
    assert found["fer2013 none without-duplicates"]["faces"] == PER_SPLIT - 1
    faces = [found[f"{name} none"]["faces"] for name in ("occlusion", "pose-30", "pose-45")]
    assert faces == [3, 4, 5]
    assert "landmark network" in found["fer2013 mask-polygon own-points"]["protocol"]["points"]


@pytest.mark.parametrize("place", [README, CARD, DOCS])
def test_the_tables_have_the_form_of_the_page(out: Path, place: str) -> None:
    start, end = SECTIONS[place]
    shown = (ROOT / place).read_text(encoding="utf-8").split(start)[1].split(end)[0]
    made = (out / "results.md").read_text().split(f"## {place}\n")[1].split("\n## ")[0]
    expected = tables(shown)
    assert expected and all(one in tables(made) for one in expected)


def test_the_study_and_its_figure_are_written(out: Path) -> None:
    for name, conditions in (("ferplus", 15), ("fer2013", 13)):
        study = json.loads((out / name / "study.json").read_text())
        assert len(study["effects"]) == conditions and study["faces"] == PER_SPLIT
        assert (out / name / "report.html").is_file()
    drawn = (out / "importance.svg").read_text()
    assert drawn.startswith("<svg") and "sunglasses" in drawn and "currentColor" not in drawn


def test_what_a_row_says_is_what_was_measured(out: Path) -> None:
    found = json.loads((out / "results.json").read_text())["figures"]["results"]
    written = (out / "results.md").read_text()
    whole, once = found["ferplus none"], found["ferplus none no-mirror"]
    low, high = (100 * bound for bound in whole["interval95"])
    right = f"{100 * whole['accuracy']:.1f} % ({low:.1f} to {high:.1f})"
    row = next(line for line in written.splitlines() if line.startswith("| FER+ test, majority"))
    assert row.startswith(f"| FER+ test, majority rule | {PER_SPLIT} | {right} |")
    assert f"of {PER_SPLIT - 1} | {100 * once['accuracy']:.1f} % (" in row
    contempt = whole["expressions"]["contempt"]
    assert f"| contempt | {round(contempt['recall'] * contempt['faces'])} | " in written


def test_the_public_split_needs_no_list_and_has_no_listed_faces(
    data: Path, model: Path, shipped_models: None, tmp_path: Path
) -> None:
    words = ("--data", data, "--lists", tmp_path / "none", "--model", model, "--out", tmp_path)
    assert bench(*words, "--split", "public", "--quiet") == 0
    found = json.loads((tmp_path / "results.json").read_text())["figures"]["results"]
    assert {one["protocol"]["split"] for one in found.values()} == {"public"}
    written = (tmp_path / "results.md").read_text()
    assert "| FER+ PublicTest, majority rule |" in written and "test, as they are" not in written
    assert "really occluded" not in written and "turned over" not in written


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--lists", "nowhere"), 4, "no jianfei_occlusion_list.txt"),
        (("--split", "privat"), 2, "did you mean 'private'?"),
    ],
)
def test_what_is_lacking_is_told_before_anything_is_written(
    words: tuple[str, ...],
    code: int,
    said: str,
    data: Path,
    model: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    folder = tmp_path / "out"
    assert bench("--data", data, "--model", model, "--out", folder, *words) == code
    assert said in capsys.readouterr().err
    assert not folder.exists()


def test_the_network_runs_once_for_a_crop(
    model: Path, rng: np.random.Generator, monkeypatch: pytest.MonkeyPatch
) -> None:
    crops = rng.integers(0, 256, (5, 48, 48), dtype=np.uint8)
    memory: dict[bytes, Any] = {}
    usual = Remembering(str(model), memory)
    once = Remembering(str(model), memory, labels="fer2013", mirror=False)
    plain = ExpressionReader(model)
    for reader in (usual, once):
        plain.mirror = reader.mirror
        for name, expected in plain.outputs(crops).items():
            np.testing.assert_allclose(reader.outputs(crops)[name], expected, atol=1e-5)
    assert len(memory) == 10
    known = usual.outputs(crops)
    monkeypatch.setattr(ExpressionReader, "outputs", None)
    for name, values in usual.outputs(crops[[4, 0, 4]]).items():
        np.testing.assert_array_equal(values, known[name][[4, 0, 4]])


def test_a_table_is_set_in_markdown() -> None:
    table = Table("t", ("", "of", "n"), [("a", "b", 1), ("c", None, "")], words=2)
    assert (
        table.to_markdown() == "| | of | n |\n| --- | --- | ---: |\n| a | b | 1 |\n| c | - |  |\n"
    )


def tables(text: str) -> list[list[str]]:
    """Give the first cells, and whole head, of each table of a page, numbers left out."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if not line.startswith("|"):
            found.append([])
        else:
            part = line if len(found[-1]) < 2 else line.split(" | ")[0]
            found[-1].append(re.sub(r"[\d,]*\d", "N", part))
    return [one for one in found if one]
