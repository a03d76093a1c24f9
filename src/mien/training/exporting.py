"""A model file from checkpoints, made again: after the run, in 8-bit integers, or of several."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from torch import nn

from mien.errors import DataError, UsageError
from mien.networks.ensemble import Ensemble
from mien.training import checkpoint
from mien.training.material import DataSource
from mien.training.recipe import read_recipe
from mien.training.resuming import OF_THE_FILE
from mien.training.run import export_network, prepare, trained
from mien.training.settings import Recipe
from mien.training.summary import RUN
from mien.training.task import Task


def checkpoint_of(path: Path) -> Path:
    """Give the checkpoint to export: where a folder is named, the one that its file is of."""
    found = checkpoint.of_the_file(path) if path.is_dir() else path
    if not found.is_file():
        raise DataError(f"no checkpoint at {found}; expected the folder of a run, or a checkpoint")
    return found


def recipe_of(path: Path) -> Recipe:
    """Read the recipe that made a checkpoint; what the file may do, as its run last said."""
    groups, state = checkpoint.load(path)
    if "average" not in groups or "figures" not in state:
        raise DataError(
            f"{path} keeps a run that may go on, not what it found best; export"
            f" {checkpoint.BEST} beside it"
        )
    said = _stated(path, "recipe")
    kept = {name: said[name] for name in OF_THE_FILE if name in said}
    flat: dict[str, Any] = {}
    for name, value in {**state["recipe"], **kept}.items():
        if isinstance(value, dict):
            flat |= {f"{name}.{key}": of for key, of in value.items()}
        else:
            flat[name] = value
    return read_recipe(None, **flat)


def export_again(
    paths: Sequence[Path],
    source: DataSource,
    out: Path,
    *,
    turned: bool = False,
    denoise: bool | None = None,
    quantize: bool = False,
    always: bool = False,
    quiet: bool = True,
) -> Path:
    """Export a checkpoint, compared with torch and calibrated on the faces that chose the epoch.

    Several become one model, the mean of their networks; turned: every second one looks at the
    mirror image, and the file at each face once.

    source: the faces of the runs, of the fold that their folder names unless another is given.
    denoise: let the file take the grain off each face, or not. quantize: let it compute in 8-bit
    integers where that pays; always: wherever.
    """
    first, recipes = paths[0], [recipe_of(path) for path in paths]
    _check_alike(paths, recipes)
    recipe = recipes[0]
    if turned and recipe.task == "landmarks":
        raise UsageError("--turned is of expressions: in a mirror image points lie elsewhere")
    about = _stated(first, "data")
    if str(source.fold) == "0" and about.get("fold") is not None:
        source = replace(source, fold=str(about["fold"]))
    recipe = replace(
        recipe,
        mirror=recipe.mirror and not turned,
        denoise=recipe.denoise if denoise is None else denoise,
        quantize=recipe.quantize or quantize or always,
        quantize_always=recipe.quantize_always or always,
        # What judges the integers where no face was held out.
        train_accuracy_faces=recipe.train_accuracy_faces or Recipe.train_accuracy_faces,
    )
    work = prepare(recipe, source, quiet=quiet)
    _check_faces(first, work.task)
    network, figures = trained(recipe, work.task, first)
    extra: dict[str, Any] = {}
    if others := list(zip(recipes, paths, strict=True))[1:]:
        more = [_beside(work.task, own, source, path, quiet) for own, path in others]
        network = Ensemble([network, *more], mirrored=turned)
        extra = {"ensemble": [own.sha256() for own in recipes], "turned": turned}
    export_network(work, network, out, figures, extra=extra, quiet=quiet)
    return out


def _check_alike(paths: Sequence[Path], recipes: Sequence[Recipe]) -> None:
    """Check that several runs are of the same faces."""
    if len({path.resolve() for path in paths}) < len(paths):
        raise UsageError("expected runs that differ, found one of them twice; name each once")
    for path, recipe in zip(paths, recipes, strict=True):
        faces = [(one.task, one.side, one.data) for one in (recipes[0], recipe)]
        _refuse(path, paths[0], ("task", "side", "data"), faces)


def _beside(task: Task, recipe: Recipe, source: DataSource, path: Path, quiet: bool) -> nn.Module:
    """Give another network of an ensemble, which must take faces as the task lays them out."""
    own = prepare(recipe, source, quiet=quiet).task
    _check_faces(path, own)
    steps = [one.preparation() for one in (task, own)]
    looks = [(one.colour, one.normalize, one.mean, one.std) for one in steps]
    _refuse(path, task.recipe.name, ("colour", "normalisation", "mean", "deviation"), looks)
    return trained(recipe, own, path)[0]


def _refuse(
    path: Path, other: Path | str, names: Sequence[str], both: Sequence[Sequence[Any]]
) -> None:
    if differing := [n for n, a, b in zip(names, *both, strict=True) if a != b]:
        raise UsageError(
            f"expected runs on the same faces, laid out alike, but {path} differs from {other} in"
            f" {', '.join(differing)}; export them one by one"
        )


def _check_faces(path: Path, task: Task) -> None:
    fingerprint = checkpoint.load_state(path).get("fingerprint")
    if fingerprint is not None and fingerprint != task.fingerprint():
        raise DataError(
            f"{path} was trained on other faces than these; name the data, the fold and the points"
            " of its run"
        )


def _stated(path: Path, what: str) -> dict[str, Any]:
    """Read what the folder of a checkpoint's run states; a checkpoint may lie elsewhere."""
    try:
        found = json.loads((path.parent / RUN).read_text(encoding="utf-8"))[what]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
