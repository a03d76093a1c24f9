"""Networks that are one row of layers, each written as a line of words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from torch import Tensor, nn

from mien.errors import UsageError

_WORD = re.compile(r"(conv|drop|fc|bn|relu|pool|flat)([\d.]*)(?:x(\d+))?(v?)")


class PlainNetwork(nn.Module):
    """The layers that a line names, then one linear layer an output.

    `conv64x5` is a convolution with 64 kernels of 5x5 that keeps the size, `conv64x5v` one that
    uses no padding; `bn`, `relu`, `pool` (halves), `flat`, `fc128` (hidden units), `drop.5`.
    `forward` takes float (N, channels, side, side) and gives a dict of (N, size) logits.
    With `keras`, weights start as Keras draws them and batch normalisation has Keras' settings.
    `undecayed` names weights that the source exempts from weight decay.
    """

    def __init__(
        self,
        line: str,
        heads: Mapping[str, int],
        *,
        side: int,
        channels: int,
        keras: bool = False,
        undecayed: tuple[str, ...] = (),
    ) -> None:
        super().__init__()
        shape = _Shape(line, channels, side)
        self.body = nn.Sequential(*shape.layers())
        self.heads = nn.ModuleDict(
            {name: nn.Linear(shape.channels, size) for name, size in heads.items()}
        )
        self.undecayed = undecayed
        if keras:
            as_keras(self)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.body(x)
        return {name: head(features) for name, head in self.heads.items()}


class _Shape:
    """What the next layer is given: `channels` planes of `side`, or `channels` numbers."""

    def __init__(self, line: str, channels: int, side: int) -> None:
        self.line, self.channels, self.side = line, channels, side
        self.given = side

    def layers(self) -> Iterator[nn.Module]:
        for word in self.line.split():
            match = _WORD.fullmatch(word)
            assert match, word
            kind, number, size, valid = match.groups()
            yield self._layer(kind, number, int(size or 1), bool(valid))
            if self.side < 1:
                raise UsageError(
                    f"side must be larger for this network, got {self.given}: nothing is left of"
                    f" the picture after {word!r}"
                )

    def _layer(self, kind: str, number: str, size: int, valid: bool) -> nn.Module:
        if kind == "conv":
            inputs, self.channels = self.channels, int(number)
            self.side -= size - 1 if valid else 0
            return nn.Conv2d(inputs, self.channels, size, padding=0 if valid else size // 2)
        if kind == "pool":
            self.side //= 2
            return nn.MaxPool2d(2)
        if kind == "flat":
            self.channels, self.side = self.channels * self.side**2, 1
            return nn.Flatten()
        if kind == "fc":
            inputs, self.channels = self.channels, int(number)
            return nn.Linear(inputs, self.channels)
        if kind == "drop":
            return nn.Dropout(float(number))
        return nn.BatchNorm2d(self.channels) if kind == "bn" else nn.ReLU()


def as_keras(network: nn.Module) -> None:
    """Draw weights as Keras does (Glorot, uniform), with its settings of batch normalisation."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.BatchNorm2d):
            module.eps, module.momentum = 1e-3, 0.01
