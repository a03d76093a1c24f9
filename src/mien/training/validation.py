"""Judging a network in evaluation mode while it is trained, and its file when it is written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mien.occlusion import occluder
from mien.training.faces import plain_view

# From faces uint8 (N, H, W) to the outputs (N, ...) by name.
Answer = Callable[[npt.NDArray[np.uint8]], dict[str, npt.NDArray[Any]]]
Scores = npt.NDArray[np.floating[Any]]


def answers_of(network: nn.Module, side: int) -> Answer:
    """Judge a network as it is: one view of each face."""
    return lambda faces: run(network, plain_view(faces, side))


def run(network: nn.Module, inputs: Tensor, batch: int = 256) -> dict[str, npt.NDArray[Any]]:
    """Run over float (N, 1, S, S) inputs; numpy logits a head."""
    network.eval()
    with torch.inference_mode():
        parts = [
            network(chunk.to(memory_format=torch.channels_last))
            for chunk in torch.split(inputs, batch)
        ]
    return {name: torch.cat([p[name].float() for p in parts]).numpy() for name in parts[0]}


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
