"""What a network computes, layer by layer, found by running it: shapes, parameters, arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torch.utils.hooks import RemovableHandle

from mien.networks import registry
from mien.networks.residual import Halve

HEAD = "expression"


@dataclass(frozen=True)
class Layer:
    """A module that ran: where it is, what it is, its output without the batch, what it costs.

    multiply_adds are those of convolutions, dense layers and attention, for one picture; adding,
    normalising and activating are not counted.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    multiply_adds: int


@dataclass(frozen=True)
class Run:
    """A network that ran on one picture (channels, side, side), and its layers in their order."""

    network: registry.Network
    shape: tuple[int, int, int]
    layers: tuple[Layer, ...]
    parameters: int
    multiply_adds: int


def run(
    name: str, *, side: int | None = None, channels: int | None = None, classes: int = 7
) -> Run:
    """Build a network and run it once, without its numbers: no weights, no arithmetic."""
    network = registry.network(name)
    shape = (channels or network.channels, *(side or network.side,) * 2)
    with torch.device("meta"):
        module = _built(name, {HEAD: classes}, side=side, channels=channels)
        layers, total = measured(module.eval(), torch.zeros(1, *shape))
    return Run(network, shape, layers, sum(p.numel() for p in module.parameters()), total)


def measured(module: nn.Module, pictures: Tensor) -> tuple[tuple[Layer, ...], int]:
    """List the layers that a module runs on one picture (1, C, H, W), and its multiply-adds."""
    counter = FlopCounterMode(display=False)
    shapes: dict[str, tuple[int, ...]] = {}
    flops: Counter[str] = Counter()  # of a module itself, without those in it
    open_: list[list[int]] = [[0, 0]]  # of each module that runs: flops at its start, and in it

    def hooked(path: str, layer: nn.Module) -> Iterator[RemovableHandle]:
        def before(*_: Any) -> None:
            open_.append([counter.get_total_flops(), 0])

        def after(_: nn.Module, given: Any, output: Any) -> None:
            start, within = open_.pop()
            spent = counter.get_total_flops() - start
            open_[-1][1] += spent
            flops[path] += spent - within
            first = output[0] if isinstance(output, tuple) else output
            shapes.setdefault(path, tuple(first.shape[1:]))

        yield layer.register_forward_pre_hook(before)
        yield layer.register_forward_hook(after)

    layers = {path: layer for path, layer in module.named_modules() if path}
    hooks = [hook for path, layer in layers.items() for hook in hooked(path, layer)]
    try:
        with counter:
            module(pictures)
    finally:
        for hook in hooks:
            hook.remove()
    inner = _inner(shapes)
    rows = (
        Layer(path, _kind(layers[path]), shape, _own(layers[path], inner[path]), flops[path] // 2)
        for path, shape in shapes.items()
        if _works(layers[path])
    )
    kept = [row for row in rows if inner[row.name] or row.parameters or row.multiply_adds]
    return tuple(kept), counter.get_total_flops() // 2


def _built(name: str, heads: Mapping[str, int], **settings: Any) -> nn.Module:
    try:
        return registry.build(name, heads, **settings)
    except NotImplementedError:  # it computes while it is built, so it needs numbers
        with torch.device("cpu"):
            return registry.build(name, heads, **settings).to("meta")


def _inner(ran: Iterable[str]) -> dict[str, bool]:
    """Tell of every module that ran whether none in it did."""
    holders = {path[:end] for path in ran for end, letter in enumerate(path) if letter == "."}
    return {path: path not in holders for path in ran}


def _own(layer: nn.Module, inner: bool) -> int:
    return sum(parameter.numel() for parameter in layer.parameters(recurse=inner))


def _works(layer: nn.Module) -> bool:
    return not isinstance(layer, nn.Identity) and getattr(layer, "p", None) != 0


def _kind(module: nn.Module) -> str:
    """Say what a layer is in a word or two."""
    if isinstance(module, nn.Conv2d):
        size = "x".join(map(str, module.kernel_size))
        grouped = "depthwise " if module.groups == module.in_channels > 1 else ""
        stride = f", stride {module.stride[0]}" if module.stride[0] > 1 else ""
        return f"{grouped}convolution {size}{stride}"
    return _KINDS.get(type(module), type(module).__name__)


_KINDS: dict[type[nn.Module], str] = {
    nn.BatchNorm2d: "batch norm",
    nn.LayerNorm: "layer norm",
    nn.Linear: "dense",
    nn.MaxPool2d: "max pool",
    nn.AvgPool2d: "average pool",
    nn.AdaptiveAvgPool2d: "average pool",
    Halve: "average pool",
    nn.Dropout: "dropout",
    nn.Flatten: "flatten",
    nn.MultiheadAttention: "attention",
}
