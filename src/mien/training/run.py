"""One run from a recipe and a data folder to a model file: train, export, calibrate."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from mien.data import files
from mien.data.points import load_points
from mien.data.readers.fer2013 import read_fer2013
from mien.data.table import FaceTable
from mien.errors import DataError, OutputError
from mien.training import checkpoint
from mien.training.describe import Described, answers_of, describe
from mien.training.export import export, rewrite_metadata
from mien.training.expression import ExpressionTask
from mien.training.faces import Source, Viewer, plain_view
from mien.training.landmarks import LandmarkTask
from mien.training.loop import build_network, train
from mien.training.quantize import quantize
from mien.training.recipe import read_recipe
from mien.training.settings import Recipe
from mien.training.task import Task

POINTS_FILE = "landmarks68.npz"
EXAMPLES = 512  # faces that ranges are taken from
COMPARED = 1000  # faces on which the exported file must equal torch


def run(
    recipe_path: Path, data: Path, out: Path, *, overrides: dict[str, Any], quiet: bool = False
) -> Path:
    """Train by a recipe and give the model file; a second call resumes, or exports again."""
    recipe = read_recipe(recipe_path, **overrides)
    table, found = read_data(data)
    task = make_task(recipe, table, found)
    _prepare(out, recipe)
    best = train(recipe, task, out, quiet=quiet)
    return export_best(recipe, task, table, best, out / f"{recipe.name}.onnx")


def read_data(data: Path) -> tuple[FaceTable, npt.NDArray[np.bool_]]:
    """Read FER-2013 with votes and points: the table, and the rows whose points are known."""
    points = files.require(
        data, (POINTS_FILE,), source="68 points a face (points_xy, found), a row for each face"
    )
    table = read_fer2013(data)
    if table.votes is None:
        raise DataError(f"no fer2013new.csv under {data}; training needs the FER+ votes")
    points_xy, found = load_points(points, len(table), training=table.split == "train")
    return replace(table, points_xy=points_xy), found


def make_task(recipe: Recipe, table: FaceTable, found: npt.NDArray[np.bool_]) -> Task:
    """Give the task that the recipe names."""
    kinds: dict[str, Any] = {"expression": ExpressionTask, "landmarks": LandmarkTask}
    task: Task = kinds[recipe.task](table, found, recipe)
    return task


def export_best(recipe: Recipe, task: Task, table: FaceTable, best: Path, path: Path) -> Path:
    """Export the best average, judge and calibrate the file on the public part."""
    groups, state = checkpoint.load(best)
    network = build_network(recipe, task)
    checkpoint.copy_into(network, groups["average"], str(best))
    public = table[table.split == "public"]
    sample = plain_view(public.images[:COMPARED], recipe.side).numpy()
    described = Described(recipe, task.source, state["figures"])
    model = export(network, describe(described), path, sample)
    if recipe.quantize:
        model = quantize(model, _examples(task.source, recipe), sample)
    described = replace(described, figures=task.judge(answers_of(model)))
    rewrite_metadata(path, describe(described, model, public))
    return path


def _examples(source: Source, recipe: Recipe) -> npt.NDArray[np.float32]:
    """Draw training faces as they are met in use: upright, some with a part hidden."""
    faces = np.random.default_rng(recipe.seed).choice(
        len(source), min(EXAMPLES, len(source)), False
    )
    hidden, _ = Viewer(source, recipe).hide(faces, 0)
    return plain_view(hidden, recipe.side).numpy()


def _prepare(out: Path, recipe: Recipe) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"recipe": recipe.to_dict(), "torch": torch.__version__}, indent=1)
        (out / "run.json").write_text(text, encoding="utf-8")
    except OSError as exc:
        raise OutputError(f"cannot write into {out}: {exc}; name another folder by --out") from exc
