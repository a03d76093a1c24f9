"""mini-Xception, the small depthwise-separable network of real-time demonstrations."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from mien.errors import UsageError
from mien.networks.plain import as_keras

LEAST_SIDE = 5
_STEM = 8
_WIDTHS = (16, 32, 64, 128)


class MiniXception(nn.Module):
    """Two convolutions, four residual modules that halve, a convolution an output, its mean.

    Arriaga, Valdenegro-Toro and Plöger, arXiv 1710.07557. `forward` takes float
    (N, channels, side, side) and gives a dict of (N, size) logits; weights start as in Keras.
    """

    def __init__(self, heads: Mapping[str, int], *, side: int, channels: int) -> None:
        super().__init__()
        if side < LEAST_SIDE:
            raise UsageError(f"side must be at least {LEAST_SIDE} for this network, got {side}")
        self.stem = nn.Sequential(
            nn.Conv2d(channels, _STEM, 3, bias=False),
            nn.BatchNorm2d(_STEM),
            nn.ReLU(),
            nn.Conv2d(_STEM, _STEM, 3, bias=False),
            nn.BatchNorm2d(_STEM),
            nn.ReLU(),
        )
        inputs = (_STEM, *_WIDTHS[:-1])
        self.blocks = nn.Sequential(
            *(_SeparableBlock(a, b) for a, b in zip(inputs, _WIDTHS, strict=True))
        )
        self.heads = nn.ModuleDict(
            {name: nn.Conv2d(_WIDTHS[-1], size, 3, padding=1) for name, size in heads.items()}
        )
        as_keras(self)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.blocks(self.stem(x))
        return {name: head(features).mean((2, 3)) for name, head in self.heads.items()}


class _SeparableBlock(nn.Module):
    """Two separable convolutions and a pooling beside a 1x1 convolution; both halve."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            *_separable(inputs, outputs),
            nn.ReLU(),
            *_separable(outputs, outputs),
            nn.MaxPool2d(3, stride=2, padding=1),
        )
        self.shortcut = nn.Sequential(
            nn.Conv2d(inputs, outputs, 1, stride=2, bias=False), nn.BatchNorm2d(outputs)
        )

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.body(x) + self.shortcut(x)
        return total


def _separable(inputs: int, outputs: int) -> tuple[nn.Module, ...]:
    return (
        nn.Conv2d(inputs, inputs, 3, padding=1, groups=inputs, bias=False),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )
