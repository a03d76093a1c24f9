"""A model file from a checkpoint, made again: after the run, or in 8-bit integers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from mien.errors import DataError
from mien.training import checkpoint
from mien.training.material import DataSource
from mien.training.recipe import read_recipe
from mien.training.resuming import OF_THE_FILE
from mien.training.run import export_best, prepare
from mien.training.settings import Recipe
from mien.training.summary import RUN


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
    path: Path,
    recipe: Recipe,
    source: DataSource,
    out: Path,
    *,
    denoise: bool | None = None,
    quantize: bool = False,
    always: bool = False,
    quiet: bool = True,
) -> Path:
    """Export a checkpoint, compared with torch and calibrated on the faces that chose the epoch.

    source: the faces of the run, of the fold that its folder names unless another is given.
    denoise: let the file take the grain off each face, or not. quantize: let it compute in 8-bit
    integers where that pays; always: wherever.
    """
    about = _stated(path, "data")
    if str(source.fold) == "0" and about.get("fold") is not None:
        source = replace(source, fold=str(about["fold"]))
    recipe = replace(
        recipe,
        denoise=recipe.denoise if denoise is None else denoise,
        quantize=recipe.quantize or quantize or always,
        quantize_always=recipe.quantize_always or always,
    )
    work = prepare(recipe, source, quiet=quiet)
    _, state = checkpoint.load(path)
    trained = state.get("fingerprint")
    if trained is not None and trained != work.task.fingerprint():
        raise DataError(
            f"{path} was trained on other faces than these; name the data, the fold and the points"
            " of its run"
        )
    export_best(work, path, out, quiet=quiet)
    return out


def _stated(path: Path, what: str) -> dict[str, Any]:
    """Read what the folder of a checkpoint's run states; a checkpoint may lie elsewhere."""
    try:
        found = json.loads((path.parent / RUN).read_text(encoding="utf-8"))[what]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return found if isinstance(found, dict) else {}
