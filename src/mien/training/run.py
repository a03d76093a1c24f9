"""One run from a recipe and faces to a model file: train, export, calibrate, measure, sum up."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mien.data import files
from mien.data.points import load_points
from mien.data.readers.fer2013 import read_fer2013
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError
from mien.evaluation.receipts import versions
from mien.files import replacing, write
from mien.networks.denoising import Denoise
from mien.progress import say
from mien.report import figures
from mien.session import Metadata, Model
from mien.training import checkpoint, distributed, mixing
from mien.training.building import untaught
from mien.training.checkpoint import Tensors
from mien.training.describe import answers_of, describe
from mien.training.export import export, rewrite_metadata
from mien.training.expression import ExpressionTask
from mien.training.labelled import LabelledTask
from mien.training.landmarks import LandmarkTask
from mien.training.lock import locked
from mien.training.logs import Logs
from mien.training.loop import build_network, check, train
from mien.training.material import DataSource, gather
from mien.training.paying import Trial, quantize_if_it_pays
from mien.training.resuming import LAST, check_same
from mien.training.settings import Recipe
from mien.training.summary import UNSCORED, conclude
from mien.training.task import Task
from mien.training.trackers import open_trackers

POINTS_FILE = "landmarks68.npz"
EXAMPLES = 512  # faces that ranges are taken from
COMPARED = 1000  # faces on which the exported file must equal torch


@dataclass(frozen=True, eq=False)
class Work:
    """What a run is about: its task, the faces that choose and calibrate, those that measure.

    held: None where every face trains. parts: faces that the file is measured on at the end, by
    name. stated: what is said of the data.
    """

    task: Task
    held: FaceTable | None
    parts: Mapping[str, FaceTable] = field(default_factory=dict)
    stated: Mapping[str, Any] = field(default_factory=dict)


def run(
    recipe: Recipe,
    source: DataSource,
    out: Path,
    *,
    device: str = "cpu",
    quiet: bool = False,
    save_predictions: bool = False,
    trackers: Sequence[str] = (),
) -> Path:
    """Train by a recipe and give the model file; a second call resumes, or exports again.

    Under torchrun each process trains, and the first one does the rest.
    """
    figures.check()
    first = distributed.is_first()
    device = distributed.join(device).device
    check(recipe, device)
    with locked(out) if first else nullcontext():
        work = prepare(recipe, source, quiet=quiet or not first)
        path = out / f"{recipe.name}.onnx"
        if not first:
            train(recipe, work.task, out, device=device, quiet=True)
            return path
        check_same(out / LAST, recipe, work.task)
        about = {**machine(device), "recipe": recipe.to_dict(), "data": dict(work.stated)}
        write(out / "run.json", json.dumps(about, indent=1) + "\n")
        watching = open_trackers(trackers, out, recipe)
        logs = Logs(out, epochs=recipe.epochs, quiet=quiet, trackers=watching)
        best = train(recipe, work.task, out, device=device, quiet=quiet, logs=logs)
        best = mixing.mix(recipe, work.task, best, device=device, quiet=quiet)
        if tried := export_best(work, best, path, quiet=quiet):
            about["integers"] = tried.to_dict()
            write(out / "run.json", json.dumps(about, indent=1) + "\n")
        conclude(
            out, recipe, path, work.parts, stated=work.stated, save_predictions=save_predictions
        )
        return path


def prepare(recipe: Recipe, source: DataSource, *, quiet: bool = True) -> Work:
    """Read the faces and make the task that the recipe names."""
    if recipe.task == "labels":
        material = gather(recipe, source, quiet)
        parts = {"validation": material.validation, "test": material.test}
        known = {name: part for name, part in parts.items() if part is not None and len(part)}
        held = known.get("validation")
        return Work(LabelledTask(material, recipe), held, known, material.stated)
    if source.root is None:
        raise UsageError(f"the task {recipe.task} needs the folder of FER-2013; name it by --data")
    table, found = read_data(source.root, source.points_file)
    kinds: dict[str, type[ExpressionTask | LandmarkTask]] = {
        "expression": ExpressionTask,
        "landmarks": LandmarkTask,
    }
    stated = {
        "data_set": "FER-2013 with FER+ votes",
        "splits": "official",
        "points_file": source.points_file and source.points_file.name,
    }
    task: Task = kinds[recipe.task](table, found, recipe)
    return Work(task, table[table.split == "public"], stated=stated)


def read_data(
    root: Path, points_file: Path | None = None
) -> tuple[FaceTable, npt.NDArray[np.bool_]]:
    """Read FER-2013 with votes and points: the table, and the rows whose points are known."""
    points = points_file or files.require(
        root, (POINTS_FILE,), source="68 points a face (points_xy, found), a row for each face"
    )
    table = read_fer2013(root)
    if table.votes is None:
        raise DataError(f"no fer2013new.csv under {root}; training needs the FER+ votes")
    points_xy, found = load_points(points, len(table), training=table.split == "train")
    return replace(table, points_xy=points_xy), found


def machine(device: str) -> dict[str, Any]:
    """Say what computes: the device, how many processes, and the versions behind them."""
    name = torch.cuda.get_device_name(device) if device.startswith("cuda") else platform.machine()
    return {
        "device": f"{device} ({name})",
        "processes": distributed.join(device).size,
        "threads": torch.get_num_threads(),
        **versions(),
        "torch": torch.__version__,
    }


def export_best(work: Work, best: Path, path: Path, *, quiet: bool = True) -> Trial | None:
    """Export the average of a checkpoint, judged and calibrated; see `export_network`."""
    network, figures = trained(work.task.recipe, work.task, best)
    return export_network(work, network, path, figures, quiet=quiet)


def trained(recipe: Recipe, task: Task, best: Path) -> tuple[nn.Module, dict[str, float]]:
    """Build the network of a checkpoint with its average, and tell the figures it had."""
    groups, state = checkpoint.load(best)
    return _holding(groups["average"], recipe, task, str(best)), state["figures"]


def export_network(
    work: Work,
    network: nn.Module,
    path: Path,
    figures: Mapping[str, float],
    *,
    extra: Mapping[str, Any] | None = None,
    quiet: bool = True,
) -> Trial | None:
    """Export a network, judge and calibrate the file on the faces held out.

    Only then it takes its name. figures: what the network was found to be worth. extra: what else
    the file says of itself. Gives what was found of 8-bit integers, where the recipe asks for them.
    Where no face is held out, nothing is calibrated, and training faces judge the integers.
    """
    task, recipe, held = work.task, work.task.recipe, work.held
    examples = _examples(task)
    sample = examples if held is None else task.plain(np.asarray(held.images[:COMPARED])).numpy()

    def worth(made: Model) -> float:
        answer = answers_of(made, recipe.task)
        return task.worth(task.look_back(answer) if held is None else task.judge(answer))

    tried = None
    with replacing(path, advice="; free space or choose another") as beside:
        told = partial(describe, task, extra=extra)
        model = export(_as_exported(network, recipe), told(figures), beside, sample)
        if recipe.quantize:
            model, tried = quantize_if_it_pays(
                model, examples, sample, worth, always=recipe.quantize_always
            )
            tried = replace(tried, judged_on="training faces" if held is None else "")
            say(f"{path}: {tried}", quiet=quiet)
        found = task.judge(answers_of(model, recipe.task))
        rewrite_metadata(beside, told(found, model, held))
    if held is None:
        say(f"{path}: {UNSCORED}", quiet=quiet)
    return tried


def export_plain(
    task: Task, weights: Tensors, about: Metadata, path: Path, faces: npt.NDArray[np.uint8]
) -> Model:
    """Export weights as they are, compared with torch on faces; nothing is calibrated."""
    network = _as_exported(_holding(weights, task.recipe, task, str(path)), task.recipe)
    return export(network, about, path, task.plain(faces).numpy())


def _holding(weights: Tensors, recipe: Recipe, task: Task, where: str) -> nn.Module:
    network = build_network(untaught(recipe), task)
    checkpoint.copy_into(network, weights, where)
    return network


def _as_exported(network: nn.Module, recipe: Recipe) -> nn.Module:
    return nn.Sequential(Denoise(), network) if recipe.denoise else network


def _examples(task: Task) -> npt.NDArray[np.float32]:
    """Draw training faces as they are met in use: upright, some with a part hidden."""
    faces = np.random.default_rng(task.recipe.seed).choice(
        len(task.source), min(EXAMPLES, len(task.source)), False
    )
    hidden, _ = task.viewer().hide(faces, 0)
    return task.plain(hidden).numpy()
