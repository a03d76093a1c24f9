"""Plain 3x3 residual networks: fast to train on a CPU, small to ship."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional


class SqueezeExcitation(nn.Module):
    """Weigh channels by a gate computed from their means (Hu et al., arXiv 1709.01507)."""

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        self.gate = nn.Sequential(
            nn.Linear(channels, max(channels // reduction, 1)),
            nn.ReLU(inplace=True),
            nn.Linear(max(channels // reduction, 1), channels),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        weights: Tensor = self.gate(x.mean((2, 3)))
        return x * weights[:, :, None, None]


def _conv3x3(inputs: int, outputs: int, stride: int = 1) -> nn.Conv2d:
    return nn.Conv2d(inputs, outputs, 3, stride=stride, padding=1, bias=False)


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions around a shortcut; the first one may halve the size."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, excite: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            _conv3x3(inputs, outputs, stride),
            nn.BatchNorm2d(outputs),
            nn.ReLU(inplace=True),
            _conv3x3(outputs, outputs),
            nn.BatchNorm2d(outputs),
            SqueezeExcitation(outputs) if excite else nn.Identity(),
        )
        self.shortcut = _shortcut(inputs, outputs, stride)

    def forward(self, x: Tensor) -> Tensor:
        total: Tensor = self.body(x) + self.shortcut(x)
        return torch.relu(total)


class Halve(nn.Module):
    """Average squares of `stride` pixels; where they do not fit, as many as the convolution gives.

    Asked to round up where nothing is left over, onnxruntime leaves its quick layout: a tenth of
    the time of the whole network.
    """

    def __init__(self, stride: int) -> None:
        super().__init__()
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        left_over = any(size % self.stride for size in x.shape[2:])
        return functional.avg_pool2d(x, self.stride, ceil_mode=left_over)


def _shortcut(inputs: int, outputs: int, stride: int) -> nn.Module:
    if inputs == outputs and stride == 1:
        return nn.Identity()
    # Averaging before the 1x1 keeps all pixels; a strided 1x1 would drop three of four.
    return nn.Sequential(
        Halve(stride) if stride > 1 else nn.Identity(),
        nn.Conv2d(inputs, outputs, 1, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualNetwork(nn.Module):
    """One trunk of residual stages, global pooling, and one linear head an output.

    `forward` takes float (N, channels, H, W) and gives a dict of (N, size) logits by head.
    Stages after the first halve the size; `stem_stride` 2 halves it at once, which is
    worth three times the speed for little accuracy.
    """

    def __init__(
        self,
        heads: Mapping[str, int],
        *,
        widths: Sequence[int],
        blocks: Sequence[int],
        stem_stride: int = 1,
        excited_stages: int = 2,
        dropout: float = 0.3,
        pool: int = 1,
        channels: int = 1,
    ) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            _conv3x3(channels, widths[0], 1), nn.BatchNorm2d(widths[0]), nn.ReLU(inplace=True)
        )
        first_excited = len(widths) - excited_stages
        stages: list[nn.Module] = []
        inputs = widths[0]
        for stage, (width, depth) in enumerate(zip(widths, blocks, strict=True)):
            for block in range(depth):
                stride = (stem_stride if stage == 0 else 2) if block == 0 else 1
                excite = stage >= first_excited
                stages.append(ResidualBlock(inputs, width, stride=stride, excite=excite))
                inputs = width
        self.stages = nn.Sequential(*stages)
        self.pool = nn.AdaptiveAvgPool2d(pool)
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict(
            {name: nn.Linear(inputs * pool * pool, size) for name, size in heads.items()}
        )

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.pool(self.stages(self.stem(x))).flatten(1)
        features = self.dropout(features)
        return {name: head(features) for name, head in self.heads.items()}


def arranged(network: nn.Module, memory_format: torch.memory_format) -> nn.Module:
    """Lay convolution weights out in memory as asked; channels last is the quick way."""
    for parameter in network.parameters():
        if parameter.ndim == 4:
            parameter.data = parameter.data.contiguous(memory_format=memory_format)
    return network
