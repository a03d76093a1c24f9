"""The small network of the public JAFFE comparisons: three convolutions and a wide dense layer."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

SIDE = 128
_WIDTHS = (6, 16, 120)


class JaffeNetwork(nn.Module):
    """Convolutions of 5x5 with 6, 16 and 120 channels, 84 hidden units, one layer an output.

    `forward` takes float (N, 3, S, S), levels from 0 to 1, and gives a dict of (N, size) logits.
    With S of 128 and one output of 7 these are 7,954,391 parameters, nearly all of them between
    the last convolution and the hidden units. They start as Keras draws them (Glorot, uniform).
    """

    def __init__(self, heads: Mapping[str, int], *, side: int = SIDE, channels: int = 3) -> None:
        super().__init__()
        first, second, third = _WIDTHS
        left = side // 2 // 2 - 4
        self.body = nn.Sequential(
            nn.Conv2d(channels, first, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(first, second, 5, padding=2),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(second, third, 5),
            nn.ReLU(),
            nn.Dropout(0.25),
            nn.Flatten(),
            nn.Linear(third * left * left, 84),
            nn.ReLU(),
            nn.Dropout(0.5),
        )
        self.heads = nn.ModuleDict({name: nn.Linear(84, size) for name, size in heads.items()})
        for module in self.modules():
            if isinstance(module, nn.Conv2d | nn.Linear):
                nn.init.xavier_uniform_(module.weight)
                assert module.bias is not None
                nn.init.zeros_(module.bias)

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        features = self.body(x)
        return {name: head(features) for name, head in self.heads.items()}
