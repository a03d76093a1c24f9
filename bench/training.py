"""How fast faces are trained on: our loop, the usual way, and the bare steps of the network."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageOps
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Dataset

from bench.report import Report, Table
from mien.data.table import FaceTable
from mien.expressions import EXPRESSIONS_7
from mien.networks.residual import arranged
from mien.occlusion.frames import MEAN_FACE
from mien.training import distributed, optimizers
from mien.training.expression import ExpressionTask
from mien.training.logs import Logs
from mien.training.loop import build_network, train
from mien.training.passes import layout
from mien.training.recipe import read_recipe
from mien.training.settings import Recipe
from mien.training.shipped import recipe_path

SEED = 4848
JITTER = 1.5  # pixels
HEADS = ("ferplus", "fer2013")  # each has a column for every label
JUDGED = 32  # faces; their judgement is not timed
GOALS = {"usual": 3.0, "bare": 0.8}  # what our loop is to be in parts of the others
# What the recipe of the flagship does to faces, in the words of the usual transforms.
DEGREES, SHIFT, SCALE, LIGHT, CONTRAST, ERASED = 12.0, 0.1, 0.15, 0.1, 0.15, 0.5

Grey = NDArray[np.uint8]
Transform = Callable[[Image.Image], Tensor]


def measure(
    faces: int, batch: int, workers: int, rounds: int, device: str, compiled: bool = False
) -> Report:
    """Train the flagship network on made faces in three ways, in turns; the best round counts.

    compiled: in a fourth way, too, our loop with torch.compile.
    """
    device = distributed.device_named(device)
    recipe = replace(
        read_recipe(recipe_path("expression")), batch_size=batch, epochs=1, quantize=False
    )
    recipe = replace(recipe, optimizer=replace(recipe.optimizer, restart_epoch=0))
    table = _faces(faces + JUDGED, recipe.side)
    task = ExpressionTask(table, np.ones(len(table), dtype=bool), recipe)
    transform, made_by = _usual_transforms()
    ways: dict[str, Callable[[], float]] = {
        "loop": partial(_loop, recipe, task, device),
        "usual": partial(_usual, recipe, task, transform, workers, device),
        "bare": partial(_bare, recipe, task, device),
    }
    if compiled:
        # The second of two epochs counts, for the first one compiles.
        ways["compiled"] = partial(_loop, replace(recipe, compile=True, epochs=2), task, device)
    best = dict.fromkeys(ways, 0.0)
    for _ in range(rounds):
        for name, way in ways.items():
            best[name] = max(best[name], way())
    ratios = {name: best["loop"] / best[name] for name in ways if name != "loop"}
    titles = {
        "loop": f"our loop: {recipe.precision}, hiding, moving, average, log",
        "usual": f"the usual way: float32, DataLoader, {workers} workers, transforms by {made_by}",
        "bare": f"bare steps: {recipe.precision}, faces in place",
        "compiled": "our loop, the network compiled",
    }
    rows = [(titles[name], f"{best[name]:,.0f}", *_beside(name, ratios)) for name in ways]
    note = (
        f"{sum(p.numel() for p in build_network(recipe, task).parameters()):,} parameters, "
        f"batches of {batch}, {faces:,} faces on {device}, best of {rounds} rounds"
    )
    report = Report("training")
    columns = ("way", "faces a second", "our loop is", "goal")
    report.tables.append(Table("Faces trained on a second", columns, rows, note))
    report.figures = {
        "per_second": best,
        "loop_in_parts_of": ratios,
        "goals": GOALS,
        "transforms": made_by,
        "device": device,
        "batch": batch,
    }
    return report


def _beside(name: str, ratios: dict[str, float]) -> tuple[str | None, str | None]:
    if name not in ratios:
        return None, None
    return f"{ratios[name]:.2f} times it", f"{GOALS[name]:g}" if name in GOALS else None


def _faces(count: int, side: int) -> FaceTable:
    """Make faces of soft noise with points where real ones lie, votes and labels at random."""
    rng = np.random.default_rng(SEED)
    coarse = rng.integers(0, 256, (count, side // 4, side // 4), dtype=np.uint8)
    points = (MEAN_FACE + rng.normal(0, JITTER, (count, 1, 2))) * side / 48
    return FaceTable(
        images=coarse.repeat(4, axis=1).repeat(4, axis=2),
        labels=rng.integers(0, len(EXPRESSIONS_7), count),
        expressions=EXPRESSIONS_7,
        votes=rng.multinomial(10, np.full(10, 0.1), count).astype(np.float64),
        points_xy=points.astype(np.float32),
        subject=np.full(count, ""),
        sequence=np.full(count, ""),
        source_id=np.array([f"made-{row}" for row in range(count)]),
        split=np.array(["public"] * JUDGED + ["train"] * (count - JUDGED)),
    )


class _Speed(Logs):
    """Keep the speed that is told last: that of all batches of the last epoch."""

    speed = 0.0

    def batch(self, *told: Any) -> None:
        self.speed = float(told[-1])


def _loop(recipe: Recipe, task: ExpressionTask, device: str) -> float:
    logs = _Speed(None, epochs=recipe.epochs)
    with tempfile.TemporaryDirectory() as folder:
        train(recipe, task, Path(folder), device=device, logs=logs)
    return logs.speed


def _usual(
    recipe: Recipe, task: ExpressionTask, transform: Transform, workers: int, device: str
) -> float:
    network = arranged(build_network(recipe, task), torch.contiguous_format).to(device)
    loader = DataLoader(
        _Singly(task.source.images, task.labels, transform),
        batch_size=recipe.batch_size,
        shuffle=True,
        num_workers=workers,
        generator=torch.Generator().manual_seed(SEED),
    )
    started = time.perf_counter()
    _steps(network, recipe, iter(loader), torch.float32, device)
    return len(task.source) / (time.perf_counter() - started)


def _bare(recipe: Recipe, task: ExpressionTask, device: str) -> float:
    network = build_network(recipe, task).to(device)
    images = task.plain(task.source.images[: recipe.batch_size], device)
    images = images.to(memory_format=layout(recipe.network.name))
    truth = torch.from_numpy(task.labels[: recipe.batch_size]).to(device)
    count = max(1, len(task.source) // recipe.batch_size)
    started = time.perf_counter()
    _steps(network, recipe, iter([(images, truth)] * count), torch.bfloat16, device)
    return count * len(images) / (time.perf_counter() - started)


def _steps(
    network: nn.Module,
    recipe: Recipe,
    batches: Iterator[tuple[Tensor, Tensor]],
    precision: torch.dtype,
    device: str,
) -> None:
    optimizer = optimizers.make_optimizer(network, recipe.optimizer)
    network.train()
    for images, truth in batches:
        kind = torch.device(device).type
        with torch.autocast(kind, precision, enabled=precision != torch.float32):
            outputs = network(images.to(device))
        truth = truth.to(device)
        losses = [functional.cross_entropy(outputs[name].float(), truth) for name in HEADS]
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack(losses).sum())
        optimizer.step()
    if device.startswith("cuda"):
        torch.cuda.synchronize()


class _Singly(Dataset[tuple[Tensor, int]]):
    """Faces one by one, each changed by itself."""

    def __init__(self, images: Grey, labels: NDArray[np.int64], transform: Transform) -> None:
        self.images, self.labels, self.transform = images, labels, transform

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        return self.transform(Image.fromarray(self.images[row])), int(self.labels[row])


def _usual_transforms() -> tuple[Transform, str]:
    """Give the transforms that tutorials show, and whose they are."""
    try:
        from torchvision import transforms
    except ImportError:
        return _by_pillow, "Pillow"
    steps = [
        transforms.RandomHorizontalFlip(),
        transforms.RandomAffine(DEGREES, (SHIFT, SHIFT), (1 - SCALE, 1 + SCALE)),
        transforms.ColorJitter(LIGHT, CONTRAST),
        transforms.ToTensor(),
        transforms.RandomErasing(ERASED),
        transforms.Normalize(0.5, 0.25),
    ]
    composed: Transform = transforms.Compose(steps)
    return composed, "torchvision"


def _by_pillow(image: Image.Image) -> Tensor:
    """Do the same as torchvision's: mirror, move, relight, erase, normalise."""
    draw = torch.rand(11).tolist()
    if draw[0] < 0.5:
        image = ImageOps.mirror(image)
    side, half = image.width, (image.width - 1) / 2
    angle, factor = np.deg2rad((2 * draw[1] - 1) * DEGREES), 1 + (2 * draw[2] - 1) * SCALE
    c, s = np.cos(angle) / factor, np.sin(angle) / factor
    dx, dy = half + (2 * draw[3] - 1) * SHIFT * side, half + (2 * draw[4] - 1) * SHIFT * side
    matrix = (c, s, half - c * dx - s * dy, -s, c, half + s * dx - c * dy)
    image = image.transform(image.size, Image.Transform.AFFINE, matrix)
    image = ImageEnhance.Brightness(image).enhance(1 + (2 * draw[5] - 1) * LIGHT)
    image = ImageEnhance.Contrast(image).enhance(1 + (2 * draw[6] - 1) * CONTRAST)
    levels = torch.from_numpy(np.asarray(image, dtype=np.float32) / 255)[None]
    if draw[7] < ERASED:
        top, left, height = (int(share * side / 2) for share in draw[8:])
        levels[:, top : top + height, left : left + height] = 0
    return (levels - 0.5) / 0.25
