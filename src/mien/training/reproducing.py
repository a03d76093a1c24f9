"""A published run done again, its protocol mended: check, prepare, train, test, compare.

The folder of a run holds `data.json` (what was found), `copies.json` (pictures that are there more
than once), `faces` (a table, where a part of every face is hidden), `training` (a run, or a job of
folds), and last `comparison.json` and `index.html`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.data import readers
from mien.data.occluded import occlude_table
from mien.data.points import with_points
from mien.data.rights import record
from mien.data.table import FaceTable
from mien.errors import UsageError
from mien.evaluation import Receipt
from mien.evaluation.selection import needed
from mien.files import keep_plan, read_object, write
from mien.progress import say
from mien.report.document import Document, Table, Warned
from mien.report.page import Fact
from mien.training import copies, jobs
from mien.training.job_page import RECORD
from mien.training.material import DataSource
from mien.training.published import COUNTS, Figure, Published
from mien.training.recipe import read_recipe, setting
from mien.training.run import run as train_one
from mien.training.settings import Recipe
from mien.training.shipped import recipe_path
from mien.training.stating import differing, words
from mien.training.summary import PAGE

PLAN, DATA, COPIES = "plan.json", "data.json", "copies.json"
FACES, TRAINING = "faces", "training"
COMPARISON = "comparison.json"


def reproduce(
    published: Published,
    source: DataSource,
    out: Path,
    *,
    changes: Mapping[str, Any] | None = None,
    seeds: int = 1,
    quiet: bool = False,
    **how: Any,
) -> dict[str, Any]:
    """Do every stage that is not done yet, and give what was published beside what came out.

    changes: settings that replace the recipe's, such as `epochs` for a smaller budget; the
    comparison names them. how: as `run` takes it.
    """
    shipped = read_recipe(recipe_path(published.recipe))
    recipe = read_recipe(recipe_path(published.recipe), **(changes or {}))
    lasting = replace(recipe, compile=False).to_dict()
    plan = {"run": published.recipe, "recipe": lasting, "seeds": seeds}
    keep_plan(out / PLAN, plan, "{run}", usual={"recipe": Recipe.usual()})
    found = _check(recipe, published, source, out, quiet)
    told = figures_of(published, recipe)
    if published.occluder != "none":
        source = _hidden(published, source, recipe, out / FACES, quiet)
        recipe = replace(recipe, data=replace(recipe.data, dataset=""))
    training = out / TRAINING
    if (training / PAGE).is_file():
        say(f"{training}: trained and tested already", quiet=quiet)
    elif published.folds or seeds > 1:
        folds = recipe.data.folds if published.folds else None
        jobs.train_all(recipe, source, training, folds=folds, seeds=seeds, quiet=quiet, **how)
    else:
        train_one(recipe, source, training, quiet=quiet, **how)
    result = {
        "run": published.recipe,
        "title": published.title,
        "mended": published.mended,
        "published": [asdict(figure) for figure in told],
        "here": {**_measured(training), "without_duplicates": _without_copies(training, out)},
        "budget": _budget(recipe, shipped),
        "data": found,
    }
    write(out / COMPARISON, json.dumps(result, indent=1) + "\n")
    write(out / PAGE, document(result).to_html())
    return result


def figures_of(published: Published, recipe: Recipe) -> list[Figure]:
    """Give the figures that were published of the data set at hand."""
    data_set = _name(recipe, published)
    return [figure for figure in published.figures if figure.data_set == data_set]


def _name(recipe: Recipe, published: Published) -> str:
    return recipe.data.dataset or published.data_set


def document(result: Mapping[str, Any]) -> Document:
    """Put the page together."""
    here = result["here"]
    rows = [
        ("published", f"{one['value']:.1%}", one["of"], one["source"])
        for one in result["published"]
    ]
    measured = [one for one in (here, here["without_duplicates"]) if one]
    rows += [("here", f"{one['accuracy']:.1%}", one["of"], one["interval"]) for one in measured]
    budget = [
        Warned(
            f"With another budget than the recipe's: {name} {words(now)} instead of {words(then)}."
        )
        for name, (now, then) in result["budget"].items()
    ]
    data = result["data"]
    return Document(
        title=f"{result['run']}: {result['title']}",
        lead=". ".join(
            f"Right on {one['accuracy']:.1%} of {one['of']}: {one['interval']}" for one in measured
        )
        + ".",
        facts=[
            Fact(f"{here['accuracy']:.1%}", "accuracy here"),
            *(Fact(f"{one['accuracy']:.1%}", "on faces not in training") for one in measured[1:]),
            Fact(f"{here['balanced_accuracy']:.1%}", "balanced accuracy here"),
            *(Fact(f"{one['value']:.1%}", "published") for one in result["published"]),
        ],
        sections=[
            ("Mind", [*budget, *map(Warned, data["warnings"])]),
            ("Published and here", [Table(("", "accuracy", "of", "source or 95 %"), rows)]),
            (
                "What was mended",
                [result["mended"], f"Curves and confusions are in {TRAINING}/{PAGE}."],
            ),
            (
                "Data",
                [
                    Table(
                        ("part", "faces"),
                        [(k or "all", f"{v:,}") for k, v in data["faces"].items()],
                    )
                ],
            ),
        ],
    )


def _check(
    recipe: Recipe, published: Published, source: DataSource, out: Path, quiet: bool
) -> dict[str, Any]:
    """Read the data set once, count what there is, and find what is there twice."""
    path = out / DATA
    if path.is_file() and (out / COPIES).is_file():
        return read_object(path, "remove it and run again")
    name = _name(recipe, published)
    data = readers.read(name, needed(source.root), **source.options)
    parts, counts = np.unique(data.split, return_counts=True)
    faces = dict(zip(parts.tolist(), counts.tolist(), strict=True))
    expected = COUNTS.get(name, faces)
    told = [
        f"{name} has {faces.get(part, 0):,} {part} faces, expected {count:,}."
        for part, count in expected.items()
        if faces.get(part, 0) != count
    ]
    found = {"data_set": name, "faces": faces, "warnings": told}
    write(out / COPIES, json.dumps({"equal": copies.groups(data, quiet=quiet)}) + "\n")
    write(path, json.dumps(found, indent=1) + "\n")
    counted = ", ".join(f"{count:,} {part}".strip() for part, count in faces.items())
    say(f"{name}: {counted} {' '.join(told)}".rstrip(), quiet=quiet)
    return found


def _hidden(
    published: Published, source: DataSource, recipe: Recipe, folder: Path, quiet: bool
) -> DataSource:
    """Hide a part of every face, of those that test too, and give the table of them."""
    if not folder.is_dir():
        points = {"points_file": str(source.points_file)} if source.points_file else {}
        name = _name(recipe, published)
        faces = readers.read(name, needed(source.root), **source.options, **points)
        if not isinstance(faces, FaceTable):
            raise UsageError(
                f"{published.recipe} hides a part of each face and needs faces that are cut, but"
                f" {name} has photographs; take another --dataset"
            )
        say(f"{folder}: hiding {published.occluder} on {len(faces):,} faces", quiet=quiet)
        faces, _ = with_points(faces, quiet=quiet)
        about = {"data_set": name, "rights": record(name), "preparation": None}
        occlude_table(faces, published.occluder, recipe.seed).save(folder, about)
    return replace(source, root=None, table=folder, options={}, points_file=None)


def _measured(training: Path) -> dict[str, Any]:
    """Read what the model files answered to the faces that test."""
    job = training / RECORD
    if job.is_file():
        found = read_object(job, f"remove {training / PAGE} and run again")
        accuracy = found["accuracy"]
        apart = accuracy["fold_sd"]
        mean = f", mean of {found['folds']} folds {accuracy['fold_mean']:.1%}" if apart else ""
        spread = f" ± {apart:.1%}" if apart else ""
        return {
            "accuracy": accuracy["value"],
            "balanced_accuracy": found["balanced_accuracy"]["value"],
            "faces": found["faces"],
            "of": f"{found['faces']:,} faces, each tested once{mean}{spread}",
            "interval": _range(found["interval95"]),
            "protocol": found["protocol"],
        }
    result = Receipt.open(training / "test.json").result
    return {
        "accuracy": result["accuracy"],
        "balanced_accuracy": result["balanced_accuracy"],
        "faces": result["faces"],
        "of": f"{result['faces']:,} faces of the test part",
        "interval": _range(result["interval95"]),
        "protocol": result["protocol"],
    }


def _without_copies(training: Path, out: Path) -> dict[str, Any] | None:
    """Measure again without the test faces that occur in training; None where none is left."""
    known = read_object(out / COPIES, "remove it and run again")["equal"]
    runs = copies.tested(training)
    all_faces, found = copies.without(runs, ()), copies.without(runs, known)
    if found is None or all_faces is None:
        return None
    return {
        "accuracy": found.measures["accuracy"].value,
        "balanced_accuracy": found.measures["balanced_accuracy"].value,
        "faces": found.faces,
        "left_out": all_faces.faces - found.faces,
        "of": f"{found.faces:,} test faces that do not occur in training",
        "interval": _range(found.interval95),
    }


def _range(interval: Any) -> str:
    low, high = interval
    return f"{low:.1%} to {high:.1%}"


def _budget(recipe: Recipe, shipped: Recipe) -> dict[str, list[Any]]:
    """Give the settings that differ from the shipped recipe's: each as it is, and as it was."""
    names = {name for one in (recipe, shipped) for name, _, _ in differing(one)} - {"data.dataset"}
    pairs = {name: [setting(recipe, name), setting(shipped, name)] for name in sorted(names)}
    return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
