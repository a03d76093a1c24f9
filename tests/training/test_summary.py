"""The page that a run ends with."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import tiny_tables
from mien.errors import DataError
from mien.training import checkpoint
from mien.training.settings import Optimizer, Recipe
from mien.training.summary import conclude

RECIPE = Recipe(name="tiny <run>", task="labels", optimizer=Optimizer(kind="adam"))
STATED = {
    "data_set": "made",
    "fold": "fold 2",
    "splits": "by-subject, 3 folds, seed 0",
    "subjects_overlap": None,
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a run whose training is over."""
    pytest.importorskip("matplotlib")
    log = [
        {"epoch": 1, "loss": 2.0, "seconds": 60.0},
        {"epoch": 2, "loss": 1.0, "seconds": 62.0, "accuracy": 0.75, "-loss": -1.25},
    ]
    (tmp_path / "log.jsonl").write_text("".join(json.dumps(entry) + "\n" for entry in log))
    about = {"recipe": RECIPE.to_dict(), "device": "cpu", "torch": "2.13", "data": STATED}
    (tmp_path / "run.json").write_text(json.dumps(about))
    state = {"best_epoch": 2, "figures": {"accuracy": 0.75, "-loss": -1.25}}
    checkpoint.save(tmp_path / "best.safetensors", {"average": {"w": torch.zeros(1)}}, state)
    return tmp_path


def test_a_run_ends_with_everything_in_its_folder(folder: Path, expression_path: Path) -> None:
    parts = {"validation": tiny_tables.table(12, seed=1), "test": tiny_tables.table(24)}
    receipts = conclude(
        folder, RECIPE, expression_path, parts, stated=STATED, save_predictions=True
    )
    assert [*receipts] == ["validation", "test"]
    assert receipts["test"].data["part"] == "test"
    names = {"curves.png", "index.html", "predictions.csv", "validation.json", "test.json"}
    assert names <= {path.name for path in folder.iterdir()}
    assert len((folder / "predictions.csv").read_text().splitlines()) == 1 + 24


def test_the_page_tells_what_a_reader_asks(folder: Path, expression_path: Path) -> None:
    parts = {"validation": tiny_tables.table(12, seed=1), "test": tiny_tables.table(24)}
    conclude(folder, RECIPE, expression_path, parts, stated=STATED)
    page = (folder / "index.html").read_text()
    for text in (
        "tiny &lt;run&gt;",
        "faces of the test part",
        "Of 2 epochs, epoch 2 was kept",
        "2 min 2 s",
        "validation loss",
        "if people are drawn anew",
        "mien train tiny &lt;run&gt;.toml --fold &quot;fold 2&quot;",
        "Validation part",
        "optimizer.kind",
        "by-subject, 3 folds, seed 0",
        "kind = &quot;adam&quot;",
        "only 24 faces: mind the interval",
        "2.13",
        RECIPE.sha256(),
    ):
        assert text in page, text
    assert "<script" not in page and "http://" not in page.replace("http://www.w3.org", "")
    assert page.count("<svg") == 4  # two panels of curves, two confusions


def test_a_run_without_parts_has_its_curves_and_figures(
    folder: Path, expression_path: Path
) -> None:
    assert conclude(folder, RECIPE, expression_path, {}, stated={}) == {}
    page = (folder / "index.html").read_text()
    assert "Test part" not in page and "0.75" in page
    assert not (folder / "predictions.csv").exists()


def test_predictions_are_written_where_they_are_asked_for(
    folder: Path, expression_path: Path
) -> None:
    conclude(folder, RECIPE, expression_path, {"test": tiny_tables.table()}, stated=STATED)
    assert not (folder / "predictions.csv").exists()


def test_a_recipe_of_defaults_has_only_its_name_and_task_to_tell(
    folder: Path, expression_path: Path
) -> None:
    conclude(folder, replace(RECIPE, optimizer=Optimizer()), expression_path, {}, stated={})
    page = (folder / "index.html").read_text()
    assert "[optimizer]" not in page and "task = &quot;labels&quot;" in page


def test_a_folder_that_does_not_tell_of_its_run_is_named(
    folder: Path, expression_path: Path
) -> None:
    (folder / "run.json").unlink()
    with pytest.raises(DataError, match=r"cannot read .*run\.json"):
        conclude(folder, RECIPE, expression_path, {}, stated={})
