"""Grad-CAM of torch checkpoints: which places of a face speak for an expression."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from mien.errors import DataError, MissingExtraError
from mien.networks.denoising import Denoise
from mien.networks.residual import ResidualNetwork
from mien.preparation import Preparation
from mien.training import checkpoint
from mien.training.exporting import recipe_of
from mien.training.expression import ANSWERS, HEADS
from mien.training.loop import residual

LEAST = 6  # pixels a side: a smaller map shows no part of a face


def open_network(path: Path) -> ResidualNetwork:
    """Open the best average of an expression run, as `mien train` wrote it.

    Where its file takes the grain off a face first, the network given here does, too.
    """
    recipe = recipe_of(path)
    if recipe.task != "expression" or recipe.network.name != "residual":
        raise DataError(
            f"{path} holds a network {recipe.network.name} of a recipe with task {recipe.task!r};"
            " Grad-CAM takes residual networks of recipes with task 'expression'"
        )
    network = residual(recipe.network, HEADS)
    checkpoint.copy_into(network, checkpoint.load(path)[0]["average"], str(path))
    if recipe.denoise:
        calm = Denoise()
        network.register_forward_pre_hook(lambda _, given: (calm(given[0]),))
    return network.eval()


def preparation_of(path: Path) -> Preparation:
    """Say how the network of a checkpoint is shown faces that are cut already."""
    side = recipe_of(path).side
    return Preparation((side, side), crop="whole", colour="grey", normalize="per-image")


def columns(labels: Sequence[str], targets: NDArray[np.int64]) -> tuple[str, NDArray[np.int64]]:
    """Find the output of these networks that can say all labels, and the targets among its own."""
    head = next(name for name in ("fer2013", "ferplus") if {*labels} <= {*ANSWERS[name]})
    return head, np.array([ANSWERS[head].index(labels[at]) for at in targets.tolist()], np.int64)


def grad_cam(
    network: ResidualNetwork,
    inputs: NDArray[np.float32],
    targets: NDArray[np.int64],
    *,
    head: str = "ferplus",
    size_hw: tuple[int, int] | None = None,
) -> NDArray[np.float64]:
    """Give for inputs (N, 1, H, W) what speaks for their targets (N,): (N, H, W), 0 to 1.

    `size_hw` asks for maps of another size.
    """
    check()
    from captum.attr import LayerAttribution, LayerGradCam

    def logits(given: Tensor) -> Tensor:
        found: Tensor = network(given)[head]
        return found

    images = torch.from_numpy(inputs)
    cam = LayerGradCam(logits, _layer(network, images))
    found = cam.attribute(images, target=torch.from_numpy(targets), relu_attributions=True)
    large = LayerAttribution.interpolate(found, size_hw or tuple(inputs.shape[2:]), "bilinear")
    maps = large.detach()[:, 0].double().numpy()
    return np.asarray(maps / max(float(maps.max()), 1e-12))


def check() -> None:
    """Tell whether Grad-CAM can be computed, before the work that it is added to."""
    try:
        import captum.attr  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("Grad-CAM", "captum", "study") from error


def _layer(network: ResidualNetwork, images: Tensor) -> nn.Module:
    """Choose the deepest block whose map still shows parts of a face."""
    chosen, x = network.stages[0], network.stem(images[:1])
    for block in network.stages:
        x = block(x)
        chosen = block if min(x.shape[2:]) >= LEAST else chosen
    return chosen
