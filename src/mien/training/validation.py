"""Judging a network in evaluation mode while it is trained, and its file when it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mien.data.picked import picked
from mien.occlusion import occluder
from mien.training.distributed import World

# From faces uint8 (N, H, W) to the outputs (N, ...) by name.
Answer = Callable[[npt.NDArray[np.uint8]], dict[str, npt.NDArray[Any]]]
Plain = Callable[[npt.NDArray[np.uint8], str], Tensor]  # normalises faces on a device
Scores = npt.NDArray[np.floating[Any]]

BATCH = 256


def answers_of(network: nn.Module, plain: Plain, world: World) -> Answer:
    """Judge a network as it is, one view of each face; processes share the faces out."""

    def answer(faces: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        if len(faces) < world.size:
            return run(network, plain, faces, world.device)
        mine = picked(faces, world.share(np.arange(len(faces))))
        return world.rows(run(network, plain, mine, world.device), len(faces))

    return answer


def run(
    network: nn.Module, plain: Plain, faces: npt.NDArray[np.uint8], device: str = "cpu"
) -> dict[str, npt.NDArray[Any]]:
    """Run over faces uint8 (N, H, W) or (N, H, W, 3); numpy logits (N, ...) a head."""
    network.eval()
    starts = range(0, max(len(faces), 1), BATCH)
    with torch.inference_mode():
        chunks = (plain(faces[at : at + BATCH], device) for at in starts)
        parts = [network(chunk.to(memory_format=torch.channels_last)) for chunk in chunks]
    return {name: torch.cat([p[name].float() for p in parts]).cpu().numpy() for name in parts[0]}


def occluded(
    faces: npt.NDArray[np.uint8], points_xy: npt.NDArray[np.float32], name: str
) -> npt.NDArray[np.uint8]:
    """Draw the named occluder on copies of faces (N, H, W) by their points (N, 68, 2)."""
    hide = occluder(name)
    rng = np.random.default_rng(0)
    return np.stack([hide(face, p, rng)[0] for face, p in zip(faces, points_xy, strict=True)])


def auc(negative: Scores, positive: Scores) -> float:
    """Give the share of pairs in which the positive scores higher, ties half."""
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, "left")
    upto = np.searchsorted(ordered, positive, "right")
    return float((below + upto).mean() / 2 / len(ordered))
