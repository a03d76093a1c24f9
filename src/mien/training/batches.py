"""The batches of an epoch: which faces they hold, and what is drawn on those ahead of need."""

from __future__ import annotations

import math
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import torch

from mien.errors import UsageError
from mien.training.distributed import World
from mien.training.faces import Faces, View, Viewer
from mien.training.settings import Recipe
from mien.training.task import Task

AHEAD = 6  # batches whose occluders are drawn before they are needed


def shuffled(task: Task, recipe: Recipe, epoch: int, world: World) -> list[Faces]:
    """Deal the faces that an epoch shows into batches of about one size."""
    order = task.order(epoch, np.random.default_rng([recipe.seed, epoch]))
    batches = np.array_split(order, math.ceil(len(order) / recipe.batch_size))
    if len(batches[-1]) < world.size:
        raise UsageError(
            f"a batch must hold a face for each of {world.size} processes, got {len(batches[-1])}; "
            "raise batch_size or start fewer processes"
        )
    return batches


def grain_of(viewer: Viewer, recipe: Recipe, epoch: int, world: World) -> torch.Generator:
    """Give what draws the grain of an epoch's views, for each process its own."""
    seed = recipe.seed * 7_919 + epoch + world.rank * 1_000_000_007
    return torch.Generator(viewer.device).manual_seed(seed)


def views(
    viewer: Viewer, batches: list[Faces], epoch: int, world: World, grain: torch.Generator
) -> Iterator[tuple[Faces, View]]:
    """Yield each batch and the view of this process's share; a thread draws occluders ahead."""
    shares = [world.share(faces) for faces in batches]
    with ThreadPoolExecutor(1) as pool:
        waiting: list[Future[tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]]] = []
        for number, (faces, share) in enumerate(zip(batches, shares, strict=True)):
            for ahead in shares[number + len(waiting) : number + AHEAD]:
                waiting.append(pool.submit(viewer.hide, ahead, epoch))
            images, states = waiting.pop(0).result()
            yield faces, viewer.view(share, epoch, images, states, grain)
