"""The recipes of published runs: one each, and each trains an epoch on a handful of made faces."""

from pathlib import Path

import numpy as np
import pytest

from mien.data import readers
from mien.data.table import FaceTable
from mien.errors import UsageError
from mien.expressions import EXPRESSIONS_7
from mien.networks import registry
from mien.training import shipped
from mien.training.labelled import LabelledTask
from mien.training.loop import train
from mien.training.material import DataSource, gather
from mien.training.published import RUNS, named
from mien.training.recipe import read_recipe

PEOPLE = 10


def made_faces(folder: Path, official: bool) -> Path:
    """Write a table of 70 faces: in three parts, or of ten people."""
    rng = np.random.default_rng(0)
    n = 7 * PEOPLE
    parts = np.array(["train"] * 50 + ["public"] * 10 + ["private"] * 10)
    FaceTable(
        images=rng.integers(0, 256, (n, 48, 48), dtype=np.uint8),
        labels=np.arange(n) % 7,
        expressions=EXPRESSIONS_7,
        subject=np.array(["" if official else f"s{row // 7}" for row in range(n)]),
        sequence=np.full(n, ""),
        source_id=np.array([f"face-{row:03}" for row in range(n)]),
        split=parts if official else np.full(n, ""),
    ).save(folder)
    return folder


@pytest.mark.parametrize("name", RUNS)
def test_a_published_run_trains_an_epoch(name: str, tmp_path: Path) -> None:
    changes = {"epochs": 1, "data.dataset": "", "batch_size": 20}
    recipe = read_recipe(shipped.recipe_path(name))
    if registry.network(recipe.network.name).hub:
        pytest.importorskip("torchvision")
        changes |= {"side": 64, "network.pretrained": False}
    recipe = read_recipe(shipped.recipe_path(name), **changes)
    table = made_faces(tmp_path / "faces", official=not RUNS[name].folds)
    task = LabelledTask(gather(recipe, DataSource(table=table)), recipe)
    best = train(recipe, task, tmp_path / "run", quiet=True)
    assert best.is_file()
    assert task.selection == "-loss" or task.selection == recipe.selection.metric


def test_every_recipe_of_a_system_is_a_published_run() -> None:
    recipes = {name for name in shipped.names() if name.startswith("system")}
    assert recipes == set(RUNS)


@pytest.mark.parametrize("run", RUNS.values(), ids=lambda run: run.recipe)
def test_a_run_says_what_was_published_and_what_was_mended(run: object) -> None:
    from mien.training.published import Published

    assert isinstance(run, Published)
    assert run.data_set in readers.READERS and run.mended and run.title
    recipe = read_recipe(shipped.recipe_path(run.recipe))
    assert recipe.data.dataset in ("", run.data_set)
    assert bool(run.folds) == (recipe.data.protocol == "by-subject")
    assert any(figure.data_set == run.data_set for figure in run.figures)
    assert all(0 < figure.value < 1 and figure.source for figure in run.figures)


def test_a_recipe_gives_a_reason_beside_what_is_unusual() -> None:
    for name in RUNS:
        text = shipped.recipe_path(name).read_text("utf-8")
        assert text.startswith("# System ") and "ublished" in text


def test_a_system_is_all_of_its_runs() -> None:
    assert [run.recipe for run in named("system3")] == ["system3-32px", "system3-48px"]
    assert [run.recipe for run in named("system2")] == ["system2"]
    assert [run.recipe for run in named("system4-triple")] == ["system4-triple"]


def test_an_unknown_run_is_named() -> None:
    with pytest.raises(UsageError, match="did you mean 'system4'"):
        named("sytem4")


def test_a_recipe_is_found_by_name_or_path(tmp_path: Path) -> None:
    assert shipped.recipe_path("system2").name == "system2.toml"
    assert shipped.recipe_path(tmp_path / "own.toml") == tmp_path / "own.toml"
    with pytest.raises(UsageError, match="did you mean 'system2'"):
        shipped.recipe_path("system22")


def test_recipes_in_the_package_come_before_those_of_a_clone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "src" / "mien"
    (package / "recipes").mkdir(parents=True)
    (package / "recipes" / "own.toml").touch()
    monkeypatch.setattr(shipped, "_PACKAGE", package)
    assert shipped.names() == ["own"]
    (package / "recipes" / "own.toml").unlink()
    (package / "recipes").rmdir()
    assert shipped.folder() == tmp_path / "recipes"
