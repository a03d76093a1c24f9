"""Several networks as one: what they say of an image, averaged."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """Average the logits of networks that have the same outputs.

    Networks trained from different seeds are wrong on different faces, so that their mean is right
    more often than any. With `mirrored`, every second one looks at the mirror image: two networks
    then cost what one does that looks at both. Takes float (N, C, H, W), gives a dict of (N, size).
    """

    def __init__(self, networks: Iterable[nn.Module], *, mirrored: bool = False) -> None:
        super().__init__()
        self.networks = nn.ModuleList(networks)
        self.mirrored = mirrored

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        said: list[dict[str, Tensor]] = [
            network(images.flip(-1) if self.mirrored and at % 2 else images)
            for at, network in enumerate(self.networks)
        ]
        return {name: torch.stack([one[name] for one in said]).mean(0) for name in said[0]}
