"""Grain taken off a face before a network looks at it; a face without grain stays as it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

TOLERATED = 0.1  # grain up to this share of an image's deviation is its own
STRENGTH = 1.5  # of the variance of the grain, how much is taken from that of each place
HALF = 0.02  # that surplus, in parts of the image's variance, at which half of it is blurred, too
ROOT_OF_NORMAL = 0.8222  # mean root of the absolute value of a standard normal variable
FLAT = 1e-5  # a place whose variance is below this part of the image's has none
TINY = 1e-12  # the variance of an image of one tone; the exporter would drop it as an addend


class Denoise(nn.Module):
    """Take the grain of dim light and small sensors off images, before a network sees them.

    The deviation of the grain is measured by a kernel that steps and straight edges leave at zero
    (Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64, 1996),
    by roots, among which the few strong edges of a face count little. What exceeds a tenth of the
    image's own deviation is taken away by local statistics (Lee, IEEE PAMI-2, 1980) and, the more
    there is, by a blur; where nothing does, the image stays as it is, bit by bit.
    """

    edges: Tensor
    blur: Tensor
    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        edge = torch.tensor([1.0, -2.0, 1.0])
        middle = torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("edges", torch.outer(edge, edge) / 6, persistent=False)
        self.register_buffer("blur", torch.outer(middle, middle), persistent=False)
        self.register_buffer("mean", torch.full((3, 3), 1 / 9), persistent=False)

    def forward(self, images: Tensor) -> Tensor:
        """Give images float32 (N, C, H, W), of any scale, without grain, each channel by itself.

        Sides are of two pixels at least.
        """
        plain = images - _of_each(images)
        padded = _padded(plain)
        squares = padded * padded
        mean = _filtered(padded, self.mean)
        variance = _of_each(plain * plain).clamp_min(TINY)
        roots = _of_each(_filtered(padded, self.edges).abs().sqrt())
        grain = (roots / ROOT_OF_NORMAL) ** 4
        surplus = (grain - TOLERATED**2 * variance).clamp_min(0)
        local = torch.maximum(_filtered(squares, self.mean) - mean * mean, FLAT * variance)
        taken = (STRENGTH * surplus / local).clamp_max(1) * (plain - mean)
        calm = plain - taken
        blurred = _filtered(_padded(calm), self.blur)
        return images + (surplus / (surplus + HALF * variance) * (blurred - calm) - taken)


def _padded(images: Tensor) -> Tensor:
    return functional.pad(images, (1, 1, 1, 1), mode="reflect")


def _filtered(padded: Tensor, kernel: Tensor) -> Tensor:
    """Filter each channel by a kernel (3, 3)."""
    channels = padded.shape[1]
    return functional.conv2d(padded, kernel.expand(channels, 1, 3, 3), groups=channels)


def _of_each(images: Tensor) -> Tensor:
    """Give the mean of each channel of each image (N, C, 1, 1)."""
    return images.mean((2, 3), keepdim=True)
