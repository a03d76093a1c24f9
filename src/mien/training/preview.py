"""What a network is going to see: training faces as its batches hold them, and whose they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mien import images
from mien.images.grid import grid
from mien.training.batches import shuffled
from mien.training.distributed import World
from mien.training.faces import Faces
from mien.training.settings import Recipe
from mien.training.task import Task

FACES, DRAWS, BATCHES = 10, 7, 3
SIDE = 96
AS_IT_IS = "as it is"


def preview(task: Task, recipe: Recipe, path: Path) -> Iterator[str]:
    """Draw some training faces, each as it is and as epochs show it; yield lines on the batches."""
    faces = chosen(task)
    titles = [AS_IT_IS, *(f"epoch {epoch + 1}" for epoch in range(DRAWS))]
    columns = [_levels(view) for view in seen(task, recipe, faces)]
    rows = [
        (name or str(face), [column[row] for column in columns])
        for row, (face, name) in enumerate(zip(faces.tolist(), task.shows(faces), strict=True))
    ]
    images.write(path, grid(rows, titles, side=SIDE))
    yield f"{path}: {len(faces)} of {len(task.source):,} training faces as the network gets them"
    batches = shuffled(task, recipe, 0, World())
    for number, batch in enumerate(batches[:BATCHES], 1):
        yield f"batch {number} of {len(batches):,}: {_counted(task, batch)}"
    yield f"epoch 1: {_counted(task, np.concatenate(batches))}"


def chosen(task: Task) -> Faces:
    """Draw faces by the seed, those of every expression in turn."""
    rng = np.random.default_rng(task.recipe.seed)
    order = rng.permutation(len(task.source))
    before: Counter[str] = Counter()
    turns = []
    for name in task.shows(order):
        turns.append(before[name])
        before[name] += 1
    some = order[np.argsort(turns, kind="stable")[:FACES]]
    names = task.shows(some)
    return some[sorted(range(len(some)), key=lambda at: names[at])]


def seen(task: Task, recipe: Recipe, faces: Faces) -> Iterator[Tensor]:
    """Yield the faces (n, C, S, S) as they are, then as each of some epochs shows them."""
    yield task.plain(task.source.images[task.source.originals(faces)])
    viewer, grain = task.viewer(), torch.Generator().manual_seed(recipe.seed)
    for epoch in range(DRAWS):
        yield viewer.view(faces, epoch, *viewer.hide(faces, epoch), grain).images


def _levels(view: Tensor) -> list[npt.NDArray[np.uint8]]:
    """Show normalised images on one scale of grey or colour, all but the brightest and darkest."""
    low, high = np.percentile(view.numpy(), [0.5, 99.5])
    scaled = ((view - low) / max(high - low, 1e-6)).clamp(0, 1)
    large = torch.nn.functional.interpolate(scaled, size=(SIDE, SIDE), mode="nearest")
    pixels = (large * 255).round().to(torch.uint8).permute(0, 2, 3, 1).numpy()
    return [image[:, :, 0] if image.shape[2] == 1 else image for image in pixels]


def _counted(task: Task, faces: Faces) -> str:
    found = Counter(task.shows(faces))
    told = ", ".join(f"{name} {count:,}" for name, count in found.most_common() if name)
    return f"{len(faces):,} faces{': ' if told else ''}{told}"
