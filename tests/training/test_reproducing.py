"""Published runs done again on a tiny FER-2013: every stage once, and the comparison."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from shutil import copytree
from typing import Any

import numpy as np
import pytest

from mien import metrics
from mien.data.readers.fer2013 import read_fer2013
from mien.data.rights import record
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError
from mien.evaluation import Receipt
from mien.session import open_model
from mien.training import reproducing
from mien.training.material import DataSource
from mien.training.published import RUNS
from mien.training.reproducing import reproduce
from tiny_fer import tiny_fer

QUICK = {"epochs": 1, "data.set": "A"}
TRIPLE = RUNS["system4-triple"]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> DataSource:
    """A FER-2013 of 42 faces with their points."""
    folder = tmp_path_factory.mktemp("data")
    faces = tiny_fer(per_split=14)
    faces.images[28:31] = faces.images[:3]  # three faces of the test part equal training faces
    faces.images[40] = faces.images[41]  # and two each other
    faces.write(folder / "fer2013.csv")
    points = faces.write_points(folder / "points.npz", [True] * 42)
    return DataSource(root=folder, points_file=points)


def done(source: DataSource, out: Path, changes: Mapping[str, Any] = QUICK) -> dict[str, Any]:
    return reproduce(TRIPLE, source, out, changes=changes, quiet=True)


@pytest.fixture(scope="module")
def out(source: DataSource, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that is over."""
    folder = tmp_path_factory.mktemp("reproduced") / "out"
    done(source, folder)
    return folder


def test_a_run_ends_beside_what_was_published(out: Path) -> None:
    result = json.loads((out / "comparison.json").read_text())
    receipt = Receipt.open(out / "training" / "test.json")
    assert result["here"]["accuracy"] == receipt.result["accuracy"]
    assert result["here"]["faces"] == 14
    assert [one["value"] for one in result["published"]] == [0.5436]
    assert result["budget"] == {"data.set": ["A", "D"], "epochs": [1, 200]}
    page = (out / "index.html").read_text()
    assert "54.4%" in page and "epochs 1 instead of 200" in page
    model = open_model(out / "training" / "system4-triple.onnx", kind="expression")
    assert receipt.model["sha256"] == model.sha256


def test_faces_that_occur_in_training_are_left_out_beside(out: Path) -> None:
    here = json.loads((out / "comparison.json").read_text())["here"]
    clean, receipt = here["without_duplicates"], Receipt.open(out / "training" / "test.json")
    right = receipt.right[3:]
    low, high = metrics.wilson(int(right.sum()), 11)
    assert (clean["faces"], clean["left_out"]) == (11, 3)
    assert clean["accuracy"] == pytest.approx(right.mean())
    assert clean["interval"] == f"{low:.1%} to {high:.1%}"
    page = (out / "index.html").read_text()
    assert "11 test faces that do not occur in training" in page and clean["interval"] in page


def test_files_that_are_not_those_of_everybody_are_told(out: Path) -> None:
    found = json.loads((out / "comparison.json").read_text())["data"]
    assert found["faces"] == {"private": 14, "public": 14, "train": 14}
    assert "fer2013 has 14 train faces, expected 28,709." in found["warnings"]


def test_what_is_done_is_not_done_again(
    source: DataSource, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise AssertionError("done already")

    monkeypatch.setattr(reproducing, "train_one", refuse)
    monkeypatch.setattr(reproducing.readers, "read", refuse)
    assert done(source, out) == json.loads((out / "comparison.json").read_text())


def test_a_folder_of_before_a_setting_goes_on_with_its_default(
    source: DataSource, out: Path, tmp_path: Path
) -> None:
    copytree(out, tmp_path / "old")
    plan = json.loads((out / "plan.json").read_text())
    del plan["recipe"]["losses"]["beta"], plan["recipe"]["hiding"]
    (tmp_path / "old" / "plan.json").write_text(json.dumps(plan))
    assert done(source, tmp_path / "old") == done(source, out)


def test_a_folder_of_other_settings_is_refused(source: DataSource, out: Path) -> None:
    with pytest.raises(UsageError, match=r"holds system4-triple with other settings"):
        done(source, out, {**QUICK, "epochs": 2})


def test_a_part_is_hidden_on_every_face_first(source: DataSource, tmp_path: Path) -> None:
    masked = replace(TRIPLE, occluder="mask-polygon")
    result = reproduce(masked, source, tmp_path / "out", changes=QUICK, quiet=True)
    table = FaceTable.open(tmp_path / "out" / "faces")
    assert source.root is not None
    plain = read_fer2013(source.root).images
    assert (np.asarray(table.images) != plain).any(axis=(1, 2)).all()
    assert result["here"]["protocol"]["table"] == "faces"
    model = open_model(tmp_path / "out" / "training" / "system4-triple.onnx", kind="expression")
    assert [*model.metadata.trained_on] == [record("fer2013")]
    assert result["here"]["without_duplicates"]["left_out"] == 3  # as they were before
    assert result["budget"] == {"data.set": ["A", "D"], "epochs": [1, 200]}


def test_a_part_is_hidden_on_the_faces_of_the_set_that_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fer = tiny_fer(per_split=14)
    fer.write(tmp_path / "fer2013.csv")
    fer.write_votes(tmp_path / "fer2013new.csv")
    points = fer.write_points(tmp_path / "points.npz", [True] * 42)
    masked = replace(TRIPLE, occluder="mask-polygon")
    changes = {**QUICK, "data.dataset": "ferplus"}
    source = DataSource(root=tmp_path, points_file=points)
    result = reproduce(masked, source, tmp_path / "out", changes=changes, quiet=True)
    table = FaceTable.open(tmp_path / "out" / "faces")
    assert table.votes is not None and result["data"]["data_set"] == "ferplus"
    assert result["published"] == []  # of FER-2013
    monkeypatch.setattr(reproducing.readers, "read", lambda *_, **__: object())
    with pytest.raises(UsageError, match="needs faces that are cut, but jaffe has photographs"):
        names = {"name": "a", "task": "labels", "data.dataset": "jaffe"}
        recipe = reproducing.read_recipe(None, **names)
        reproducing._hidden(masked, source, recipe, tmp_path / "none", True)


def test_folds_are_a_job_and_summed_up(source: DataSource, tmp_path: Path) -> None:
    changes = {
        "epochs": 1,
        "data.dataset": "fer2013",
        "data.preparation": "",
        "data.protocol": "stratified",
        "data.folds": 2,
        "data.validation_share": 0.3,
    }
    run = RUNS["system3-48px"]
    result = reproduce(run, source, tmp_path / "out", changes=changes, quiet=True)
    assert result["here"]["faces"] == 42
    assert "mean of 2 folds" in result["here"]["of"]
    assert (tmp_path / "out" / "training" / "fold-2").is_dir()
    clean = result["here"]["without_duplicates"]
    assert clean["faces"] + clean["left_out"] == 42 and clean["left_out"] <= 8
    assert result["published"] == []
    assert "data.dataset" not in result["budget"]


def test_figures_are_those_of_the_data_set_at_hand() -> None:
    run = RUNS["system3-32px"]
    for value, *at_hand in (
        (0.9346, "jaffe", 7),
        (0.9234, "jaffe", 6),
        (0.9054, "ckplus48", 7),
        (0.9224, "ckplus48", 6),
    ):
        assert [one.value for one in reproducing.figures_of(run, *at_hand)] == [value]
    assert not reproducing.figures_of(run, "ckplus", 8)
    assert {0.9045, 0.4064, 0.3056} < {one.value for one in run.figures}


def test_figures_are_of_faces_hidden_as_those_at_hand() -> None:
    run = RUNS["system0-jaffe"]
    assert [one.value for one in reproducing.figures_of(run, "jaffe", 7)] == [29 / 32]
    hidden = replace(run, occluder="eyes+mouth")
    assert [one.value for one in reproducing.figures_of(hidden, "jaffe", 7)] == [0.75]
    masked = RUNS["system1-vgg19"]
    assert [one.value for one in reproducing.figures_of(masked, "fer2013", 7)] == [0.588186]


def test_without_the_folder_of_the_data_the_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--root"):
        done(DataSource(), tmp_path / "out")


def test_a_folder_without_the_files_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"fer2013\.csv"):
        done(DataSource(root=tmp_path), tmp_path / "out")
