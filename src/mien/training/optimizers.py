"""What moves the weights, what of it a checkpoint keeps, and the running average of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn

from mien.networks import registry
from mien.training.settings import Optimizer

BATCH_NORM = (nn.BatchNorm1d, nn.BatchNorm2d)


def make_optimizer(network: nn.Module, settings: Optimizer) -> torch.optim.Optimizer:
    """Make the optimiser of the weights that learn; `sam` is SGD between two climbs."""
    kernels = {id(parameter) for parameter in registry.decayed(network)}
    learning = [parameter for parameter in network.parameters() if parameter.requires_grad]
    decayed = [p for p in learning if id(p) in kernels or settings.decay_all]
    free = [p for p in learning if not (id(p) in kernels or settings.decay_all)]
    groups = [
        {"params": decayed, "weight_decay": settings.weight_decay},
        {"params": free, "weight_decay": 0.0},
    ]
    rate = settings.learning_rate
    if settings.kind == "adam":
        return torch.optim.Adam(groups, lr=rate)
    if settings.kind == "adamw":
        return torch.optim.AdamW(groups, lr=rate)
    nesterov = settings.nesterov and settings.momentum > 0
    return torch.optim.SGD(groups, lr=rate, momentum=settings.momentum, nesterov=nesterov)


def set_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    for group in optimizer.param_groups:
        group["lr"] = rate


def state_of(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Name the tensors an optimiser remembers by the number of the weight and their own name."""
    return {
        f"{number}/{name}": value
        for number, parameter in enumerate(_parameters(optimizer))
        for name, value in optimizer.state.get(parameter, {}).items()
        if isinstance(value, Tensor)
    }


def restore(optimizer: torch.optim.Optimizer, state: dict[str, Tensor]) -> None:
    """Give an optimiser back what `state_of` named, laid out as its weights are."""
    parameters = _parameters(optimizer)
    for key, value in state.items():
        number, _, name = key.partition("/")
        parameter = parameters[int(number)]
        if value.shape == parameter.shape:
            value = torch.empty_like(parameter, requires_grad=False).copy_(value)
        optimizer.state[parameter][name] = value


def _parameters(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [parameter for group in optimizer.param_groups for parameter in group["params"]]


@contextmanager
def climbed(network: nn.Module, radius: float) -> Iterator[None]:
    """Move the weights `radius` up their gradients, where SAM takes the gradient, and back.

    Foret et al., arXiv 2010.01412. Statistics of batches are those of the first pass alone.
    """
    moved = [p for p in network.parameters() if p.grad is not None]
    before = [p.detach().clone() for p in moved]
    norms = torch.stack([torch.linalg.vector_norm(p.grad) for p in moved if p.grad is not None])
    scale = radius / (torch.linalg.vector_norm(norms) + 1e-12)
    momenta = [(layer, layer.momentum) for layer in batch_norms(network)]
    with torch.no_grad():
        for parameter in moved:
            if parameter.grad is not None:
                parameter.add_(parameter.grad * scale)
    for layer, _ in momenta:
        layer.momentum = 0.0
    try:
        yield
    finally:
        with torch.no_grad():
            for parameter, old in zip(moved, before, strict=True):
                parameter.copy_(old)
        for layer, momentum in momenta:
            layer.momentum = momentum


def batch_norms(network: nn.Module) -> list[nn.BatchNorm1d | nn.BatchNorm2d]:
    """List the layers that keep statistics of their batches."""
    return [layer for layer in network.modules() if isinstance(layer, BATCH_NORM)]


@torch.no_grad()
def update_average(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Let the average of the weights follow them."""
    # Early on a long memory would hold the random start.
    weight = 1 - min(decay, (1 + step) / (10 + step))
    for kept, new in zip(average.state_dict().values(), network.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, weight)
        else:
            kept.copy_(new)
