"""One batch through a network and back, and what its loss says."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from mien.errors import MienError
from mien.networks import registry
from mien.training.distributed import World
from mien.training.faces import Faces, View
from mien.training.settings import Recipe
from mien.training.task import Task

UNREAD = 8  # losses left on the device, for reading one waits for all that was asked of it
PRECISIONS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def layout(network: str) -> torch.memory_format:
    """Give the layout of images in memory that a network is quick in."""
    quick = registry.network(network).channels_last
    return torch.channels_last if quick else torch.contiguous_format


@dataclass(frozen=True)
class Pass:
    """A pass forward and back over a batch, whatever the precision and the processes."""

    recipe: Recipe
    task: Task
    world: World
    network: nn.Module
    scaler: torch.amp.GradScaler

    def __call__(self, faces: Faces, view: View) -> Tensor:
        """Add the gradients of a batch and give its loss; the view is of this process's share."""
        images = view.images.to(self.world.device, memory_format=layout(self.recipe.network.name))
        kind = PRECISIONS.get(self.recipe.precision)
        with torch.autocast(images.device.type, kind, enabled=kind is not None):
            outputs = self.network(images)
        outputs, view = self.world.whole(outputs, view, len(faces))
        loss = self.task.loss(outputs, faces, view)
        # The processes' gradients are averaged, and their sum is meant.
        torch.autograd.backward(self.scaler.scale(loss * self.world.size))
        return loss.detach()


class Losses:
    """The losses of an epoch, read a few at a time; one that is no number ends the run.

    total, count: the sum and the number of those that were read before.
    """

    def __init__(self, task: Task, out: Path, total: float = 0.0, count: int = 0) -> None:
        self.mean = 0.0
        self._task, self._out = task, out
        self._unread: list[tuple[Faces, Tensor]] = []
        self._total, self._count = total, count

    def add(self, faces: Faces, loss: Tensor) -> None:
        self._unread.append((faces, loss))

    @property
    def sums(self) -> tuple[float, int]:
        """Give the sum and the number of what was read."""
        return self._total, self._count

    def read(self, at_the_end: bool) -> bool:
        """Read what has come together; tell whether that was done."""
        if len(self._unread) < UNREAD and not at_the_end:
            return False
        for faces, loss in self._unread:
            self._total += self._finite(loss.item(), faces)
        self._count += len(self._unread)
        self._unread.clear()
        self.mean = self._total / self._count
        return True

    def _finite(self, loss: float, faces: Faces) -> float:
        if math.isfinite(loss):
            return loss
        rows, ids = self._task.source.originals(faces), self._task.source_ids
        found = {"rows": rows.tolist(), "source_ids": [] if ids is None else ids[rows].tolist()}
        path = self._out / "bad-batch.json"
        path.write_text(json.dumps(found), encoding="utf-8")
        raise MienError(
            f"the loss must be finite, got {loss}; the faces of the batch are in {path}; "
            "lower the learning rate"
        )
