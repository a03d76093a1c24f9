"""Many runs as one job: every fold with every seed, each in a folder, none done twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from mien.data.splits import Splits
from mien.errors import DataError, UsageError
from mien.evaluation import Receipt
from mien.files import keep_plan, read_object
from mien.progress import say
from mien.report import figures
from mien.training import joined
from mien.training.distributed import is_first
from mien.training.job_page import write_job
from mien.training.joined import TESTED, Done, Unit
from mien.training.logs import history
from mien.training.material import DataSource, faces_sha256
from mien.training.predictions import PREDICTIONS, write_predictions
from mien.training.run import run
from mien.training.settings import Recipe
from mien.training.summary import PAGE, SUMMARY

PLAN, ADVICE = "plan.json", "name another --out folder"
PROTOCOLS = ("by-subject", "stratified", "random-images")  # those that deal as many folds as asked


def train_all(
    recipe: Recipe,
    source: DataSource,
    out: Path,
    *,
    folds: int | None,
    seeds: int = 1,
    quiet: bool = False,
    save_predictions: bool = False,
    **how: Any,
) -> Path:
    """Train every fold `seeds` times over and give the page that sums it up.

    Folds are dealt by the recipe's protocol, by subject where it names none, and are the same for
    all seeds, which count up from the recipe's. Runs that are over are never repeated; more seeds
    and predictions may be asked for later. how: as `run` takes it.
    """
    figures.check()
    recipe = _dealt(recipe, source, folds)
    _keep_plan(out, recipe, source, folds, quiet)
    units = [
        Unit(fold, recipe.seed + more)
        for more in range(seeds)
        for fold in (range(folds) if folds else (None,))
    ]
    for number, unit in enumerate(units, 1):
        folder = unit.folder(out)
        if (folder / PAGE).is_file():
            continue
        if is_first():
            say(f"{unit}: run {number} of {len(units)}", quiet=quiet)
        own = source if unit.fold is None else replace(source, fold=unit.fold)
        own_recipe = replace(recipe, seed=unit.seed)
        run(own_recipe, own, folder, quiet=quiet, save_predictions=save_predictions, **how)
    if is_first():
        done = list(_done(out, units))
        for unit, over in zip(units, done, strict=True):
            path = unit.folder(out) / PREDICTIONS
            if save_predictions and not path.is_file():
                write_predictions(over.receipt, path)
        write_job(out, recipe, joined.join(done))
    return out / PAGE


def _dealt(recipe: Recipe, source: DataSource, folds: int | None) -> Recipe:
    """Let the recipe say how faces are dealt into folds."""
    if folds is None:
        return recipe
    if source.splits is not None:
        there = len(Splits.open(source.splits).folds)
        if there != folds:
            raise UsageError(f"{source.splits} has {there} folds, got --folds {folds}")
        return recipe
    protocol = recipe.data.protocol or PROTOCOLS[0]
    if protocol not in PROTOCOLS:
        raise UsageError(
            f"the protocol {protocol!r} does not deal {folds} folds; set data.protocol to"
            f" {', '.join(PROTOCOLS)}, or give a file of splits that has {folds} folds"
        )
    return replace(recipe, data=replace(recipe.data, folds=folds, protocol=protocol))


def _keep_plan(
    out: Path, recipe: Recipe, source: DataSource, folds: int | None, quiet: bool
) -> None:
    """Note what the job is of; refuse a folder that holds another one, or one of other faces."""
    if not (is_first() or (out / PLAN).exists()):
        return
    asked = {
        **_unseeded(recipe.lasting().to_dict()),
        "folds": folds,
        "fold": None if folds or str(source.fold) == "0" else str(source.fold),
        "table": source.table and source.table.resolve().name,
        "options": dict(source.options),
        "splits": None,
    }
    # A plan of before faces were hashed knows splits by the ids that they deal.
    old = (out / PLAN).exists() and "faces" not in read_object(out / PLAN, ADVICE)
    if source.splits:
        dealt = Splits.open(source.splits).ids_sha256
        asked["splits"] = dealt if old else sha256(source.splits.read_bytes()).hexdigest()
    if recipe.task == "labels" and not old:
        asked["faces"] = faces_sha256(recipe, source, quiet or not is_first())
    keep_plan(out / PLAN, asked, "a job", usual=_unseeded(Recipe.usual()))


def _unseeded(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if name != "seed"}


def _done(out: Path, units: list[Unit]) -> Iterator[Done]:
    for unit in units:
        folder = unit.folder(out)
        path = folder / TESTED
        if not path.is_file():
            raise DataError(f"no {path}; a job needs faces that test each of its runs")
        about = read_object(folder / SUMMARY, f"remove {folder / PAGE} and run again")
        yield Done(unit.fold, unit.seed, Receipt.open(path), history(folder), about)
