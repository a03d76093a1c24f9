"""Grain taken off a face before a network looks at it; a face without grain stays as it is."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

TOLERATED = 0.1  # grain up to this share of an image's deviation is its own
STRENGTH = 1.5  # of the variance of the grain, how much is taken from that of each place
HALF = 0.02  # that surplus, in squared deviations, at which half of the image is blurred, too
ROOT_OF_NORMAL = 0.8222  # mean root of the absolute value of a standard normal variable
LITTLE = 1e-6


class Denoised(nn.Module):
    """A network that sees its images without the grain of dim light and small sensors.

    The deviation of the grain is measured by a kernel that steps and straight edges leave at zero
    (Immerkaer, "Fast noise variance estimation", Computer Vision and Image Understanding 64, 1996),
    by roots, among which the few strong edges of a face count little. What exceeds a tenth of the
    image's own deviation is taken away by local statistics (Lee, IEEE PAMI-2, 1980) and, the more
    there is, by a blur; where nothing does, the image stays as it is, bit by bit.
    """

    grain_kernel: Tensor
    blur_kernel: Tensor

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        edge, middle = torch.tensor([1.0, -2.0, 1.0]), torch.tensor([0.25, 0.5, 0.25])
        self.register_buffer("grain_kernel", torch.outer(edge, edge) / 6, persistent=False)
        self.register_buffer("blur_kernel", torch.outer(middle, middle), persistent=False)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        outputs: dict[str, Tensor] = self.network(self.denoise(images))
        return outputs

    def denoise(self, images: Tensor) -> Tensor:
        """Give images float32 (N, C, H, W), of any scale, without grain, each channel by itself."""
        padded = _padded(images)
        mean, mean_square = _mean3x3(padded), _mean3x3(padded * padded)
        grain = _over(padded, self.grain_kernel).abs().sqrt()
        grain = (_of_each(grain) / ROOT_OF_NORMAL) ** 2
        variance = _of_each(mean_square) - _of_each(mean) ** 2
        surplus = (grain * grain - TOLERATED**2 * variance).clamp_min(0)
        local = (mean_square - mean * mean).clamp_min(LITTLE)
        calm = images - (STRENGTH * surplus / local).clamp_max(1) * (images - mean)
        blurred = _over(_padded(calm), self.blur_kernel)
        return calm + surplus / (surplus + HALF * variance + LITTLE) * (blurred - calm)


def _padded(images: Tensor) -> Tensor:
    return functional.pad(images, (1, 1, 1, 1), mode="reflect")


def _mean3x3(padded: Tensor) -> Tensor:
    return functional.avg_pool2d(padded, 3, 1)


def _over(padded: Tensor, kernel: Tensor) -> Tensor:
    """Filter each channel by a kernel (3, 3)."""
    channels = padded.shape[1]
    return functional.conv2d(padded, kernel.expand(channels, 1, 3, 3), groups=channels)


def _of_each(images: Tensor) -> Tensor:
    """Give the mean of each channel of each image (N, C, 1, 1)."""
    return images.mean((2, 3), keepdim=True)
