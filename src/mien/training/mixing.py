"""The weights that a run started from, mixed into those it ended with.

What lies between the two keeps of either what it is good at, at the price of one network (Wortsman
et al., "Robust fine-tuning of zero-shot models", arXiv 2109.01903).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import torch
from torch import Tensor, nn

from mien.progress import say
from mien.training import checkpoint
from mien.training.batches import grain_of, shuffled, views
from mien.training.building import untaught
from mien.training.checkpoint import MIXED, Tensors
from mien.training.distributed import World
from mien.training.loop import build_network
from mien.training.optimizers import batch_norms
from mien.training.passes import layout
from mien.training.resuming import start_of
from mien.training.settings import Recipe
from mien.training.task import Task
from mien.training.validation import answers_of

BATCHES = 60  # that statistics are taken from


def mix(
    recipe: Recipe, task: Task, best: Path, *, device: str = "cpu", quiet: bool = False
) -> Path:
    """Mix the start into the best checkpoint of a run, judge that and give its own checkpoint.

    Statistics of batches are taken anew. A recipe without `start_share` leaves the best as it is.
    """
    path, share = best.with_name(MIXED), recipe.start_share
    if not share:
        path.unlink(missing_ok=True)
        return best
    groups, state = checkpoint.load(best)
    network = build_network(untaught(recipe), task).to(device)
    checkpoint.copy_into(network, between(start_of(recipe)[0], groups["average"], share), str(best))
    world, epoch = World(device), recipe.epochs
    batches = shuffled(task, recipe, epoch, world)[:BATCHES]
    viewer = task.viewer(device)
    coming = views(viewer, batches, epoch, world, grain_of(viewer, recipe, epoch, world))
    shown = (view.images for _, view in coming)
    take_statistics(network, (i.to(memory_format=layout(recipe.network.name)) for i in shown))
    answer = answers_of(network, task.plain, world)
    figures = {**task.judge(answer), **task.look_back(answer)}
    state |= {"recipe": recipe.to_dict(), "figures": figures}
    checkpoint.save(path, {"average": network.state_dict()}, state)
    told = " ".join(f"{name}={value:.5f}" for name, value in figures.items())
    say(f"{path}: {share:g} of the start, the rest of the best epoch: {told}", quiet=quiet)
    return path


def between(start: Tensors, end: Tensors, share: float) -> Tensors:
    """Give `share` of the start and the rest of the end; what counts is the end's."""
    return {
        name: share * start[name] + (1 - share) * tensor if tensor.is_floating_point() else tensor
        for name, tensor in end.items()
    }


@torch.no_grad()
def take_statistics(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Let batch norm know the mean and the variance over batches (n, C, H, W), each as much.

    Layers that a training leaves alone stay as they are; nothing is dropped.
    """
    network.train()
    layers = [layer for layer in batch_norms(network) if layer.training]
    network.eval()
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    for layer in layers:
        layer.train()
        layer.reset_running_stats()
        layer.momentum = None  # the mean over all that it is shown
    for images in batches:
        network(images)
    for layer, momentum in zip(layers, momenta, strict=True):
        layer.momentum = momentum
    network.eval()
