"""Networks by name: finding one, and building it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mien.errors import MissingExtraError, UsageError, unknown_name
from mien.networks.table import NETWORKS, Heads, Network

if TYPE_CHECKING:
    from torch import nn

__all__ = ["ALIASES", "HUBS", "NETWORKS", "Network", "build", "decayed", "names", "network"]

HUBS = ("torchvision", "timm")  # NAME of either is a network as HUB:NAME
ALIASES = {"narrow": "tiny", "residual": "base"}


def names() -> list[str]:
    """List the networks of the table."""
    return list(NETWORKS)


def network(name: str) -> Network:
    """Give a network by its name, an alias, or as `torchvision:NAME` or `timm:NAME`."""
    hub, colon, _ = name.partition(":")
    if colon and hub in HUBS:
        return _of_hub(name)
    found = NETWORKS.get(ALIASES.get(name, name))
    if found is None:
        known = [*NETWORKS, *ALIASES, *(f"{hub}:NAME" for hub in HUBS)]
        raise UsageError(unknown_name("network", name, known))
    return found


def build(
    name: str,
    heads: Heads,
    *,
    side: int | None = None,
    channels: int | None = None,
    pretrained: bool = False,
    frozen: bool = False,
    dropout: float | None = None,
) -> nn.Module:
    """Make a network with fresh weights, drawn by torch's generator, and one output a head.

    Its forward takes float (n, channels, side, side) and gives a dict of logits (n, size).
    pretrained: torchvision's or timm's own weights below new outputs; input is then levels 0 to 1,
    and the network normalises them as the weights ask. frozen: only the outputs learn.
    dropout: the share that every dropout layer drops, in place of the network's own.
    """
    found = network(name)
    if (pretrained or frozen) and not found.hub:
        asked = "pretrained" if pretrained else "frozen"
        raise UsageError(f"{asked} needs a network of torchvision or timm, got {name!r}")
    _check(heads, side, channels, dropout)
    options = {"pretrained": pretrained, "frozen": frozen} if found.hub else {}
    try:
        made = found.build(
            dict(heads), side=side or found.side, channels=channels or found.channels, **options
        )
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("building a network", "PyTorch", "train") from error
    if dropout is not None:
        _set_dropout(made, dropout, name)
    return made


def decayed(module: nn.Module) -> list[nn.Parameter]:
    """List the parameters that weight decay acts on: kernels, not biases or normalisation.

    Of `vgg-like` all kernels but those of the first convolution. Keras' L2 of 0.001 adds
    0.001 w² to the loss: a weight decay of 0.002.
    """
    free = getattr(module, "undecayed", ())
    return [p for name, p in module.named_parameters() if p.ndim > 1 and name not in free]


def _check(heads: Heads, side: int | None, channels: int | None, dropout: float | None) -> None:
    if not heads or min(heads.values()) < 1:
        raise UsageError(f"heads must be one output or more of at least 1, got {dict(heads)}")
    if side is not None and side < 1:
        raise UsageError(f"side must be at least 1 pixel, got {side}")
    if channels not in (None, 1, 3):
        raise UsageError(f"channels must be 1 (grey) or 3 (colour), got {channels}")
    if dropout is not None and not 0 <= dropout < 1:
        raise UsageError(f"dropout must be a share from 0 to below 1, got {dropout}")


def _set_dropout(module: nn.Module, dropout: float, name: str) -> None:
    from torch import nn

    layers = [layer for layer in module.modules() if isinstance(layer, nn.Dropout)]
    if not layers:
        raise UsageError(f"{name} has no dropout layer; leave dropout out")
    for layer in layers:
        layer.p = dropout


def _of_hub(name: str) -> Network:
    try:
        from mien.networks import pretrained
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError(f"the network {name}", "PyTorch", "networks") from error
    return pretrained.network(name)
