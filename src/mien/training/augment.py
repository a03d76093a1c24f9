"""Augmentation of a whole batch at once, in torch."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from mien import geometry
from mien.errors import UsageError, unknown_name
from mien.preparation import Preparation

UNIFORMS = 20
PADDINGS = ("border", "zeros")
FloatArray = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Augmentation:
    """How far a training face is changed; shares are probabilities, angles degrees.

    padding: what lies beyond a face's image, its `border` repeated or `zeros`; by default `mixed`,
    zeros in every third epoch. cutout: the side of a square that takes the face's mean level, in
    sides of the face. mixup: the alpha of the shares by which pairs of a batch are mixed, the
    larger one counting for a face itself; 0 mixes none (Zhang et al., arXiv 1710.09412).
    """

    flip: float = 0.5
    rotate_degrees: float = 12.0
    wide_share: float = 0.0
    wide_degrees: float = 0.0
    scale: float = 0.15
    shift: float = 0.13
    brightness: float = 0.25
    contrast: float = 0.35
    gamma: float = 0.35
    blur_share: float = 0.15
    noise_share: float = 0.15
    noise: float = 12.0
    align_share: float = 0.0
    padding: str = "mixed"
    cutout_share: float = 0.0
    cutout: float = 0.4
    mixup_share: float = 1.0
    mixup: float = 0.0

    def __post_init__(self) -> None:
        if self.padding not in (*PADDINGS, "mixed"):
            raise UsageError(unknown_name("padding", self.padding, (*PADDINGS, "mixed")))
        for entry in fields(self):
            value = getattr(self, entry.name)
            most = 1.0 if entry.name == "flip" or "share" in entry.name else np.inf
            if entry.name != "padding" and not 0 <= value <= most:
                said = "a share from 0 to 1" if most == 1 else "at least 0"
                raise UsageError(f"augmentation.{entry.name} must be {said}, got {value}")

    def padding_of(self, epoch: int) -> str:
        """Say what lies beyond the images in this epoch."""
        return ("border", "border", "zeros")[epoch % 3] if self.padding == "mixed" else self.padding


def _centred(uniforms: FloatArray) -> FloatArray:
    return uniforms * 2.0 - 1.0


def matrices(
    uniforms: FloatArray, settings: Augmentation, side: int, base: FloatArray
) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
    """Draw a matrix a face, source to augmented pixels (N, 2, 3), and which are mirrored.

    `base` (N, 2, 3) maps the stored face into the frame of the network; turn, scale, shift
    and flip come on top, about the centre of that frame of `side` pixels.
    """
    wide = uniforms[:, 5] < settings.wide_share
    degrees = np.where(wide, settings.wide_degrees, settings.rotate_degrees)
    angle = np.deg2rad(_centred(uniforms[:, 0]) * degrees)
    factor = np.exp(_centred(uniforms[:, 1]) * np.log1p(settings.scale))
    flipped = uniforms[:, 4] < settings.flip
    cosine, sine = factor * np.cos(angle), factor * np.sin(angle)
    linear = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
    linear[flipped, 0] *= -1.0
    centre = np.full((len(uniforms), 2), (side - 1) / 2.0)
    moved = centre + _centred(uniforms[:, 2:4]) * settings.shift * side
    offset = moved - np.einsum("nij,nj->ni", linear, centre)
    turned = linear @ base[:, :, :2]
    shifted = np.einsum("nij,nj->ni", linear, base[:, :, 2]) + offset
    return np.concatenate([turned, shifted[:, :, None]], axis=2), flipped


def transform_points(
    points_xy: npt.NDArray[np.float32], matrix: FloatArray, flipped: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float32]:
    """Carry points (N, 68, 2) along; in mirrored faces left and right change their numbers."""
    moved = points_xy @ matrix[:, :, :2].transpose(0, 2, 1) + matrix[:, None, :, 2]
    moved[flipped] = moved[flipped][:, geometry.MIRROR]
    return moved.astype(np.float32)


def warp(images: Tensor, matrix: FloatArray, side: int, padding: str) -> Tensor:
    """Sample float images (N, C, H, W) through matrices of source to output pixels."""
    height, width = images.shape[2:]
    square = np.concatenate([matrix, np.tile([[[0.0, 0.0, 1.0]]], (len(matrix), 1, 1))], axis=1)
    inverse = np.linalg.inv(square)[:, :2]
    # grid_sample counts from -1 to 1 over pixel edges, the matrices in pixels from centres.
    to_pixels = np.array([[side / 2, 0, (side - 1) / 2], [0, side / 2, (side - 1) / 2], [0, 0, 1]])
    scale = np.array([[2 / width, 0], [0, 2 / height]])
    theta = scale @ (inverse @ to_pixels)
    theta[:, :, 2] += np.array([1 / width - 1, 1 / height - 1])
    grid = functional.affine_grid(
        torch.from_numpy(theta.astype(np.float32)).to(images.device),
        [len(images), 1, side, side],
        align_corners=False,
    )
    return functional.grid_sample(images, grid, padding_mode=padding, align_corners=False)


def photometric(
    images: Tensor, uniforms: FloatArray, settings: Augmentation, generator: torch.Generator
) -> Tensor:
    """Change light, contrast, sharpness and grain of float images (N, C, H, W) in 0..255."""
    u = torch.from_numpy(uniforms.astype(np.float32)).to(images.device)[:, :, None, None, None]
    if settings.blur_share:
        low = functional.interpolate(
            functional.avg_pool2d(images, 2), size=images.shape[2:], mode="bilinear"
        )
        images = torch.where(u[:, 6] < settings.blur_share, low, images)
    if settings.gamma:
        gamma = torch.exp((u[:, 7] * 2 - 1) * settings.gamma)
        images = (images.clamp(0, 255) / 255 + 1e-4).pow(gamma) * 255
    if settings.contrast or settings.brightness:
        gain = 1 + (u[:, 8] * 2 - 1) * settings.contrast
        lift = (u[:, 9] * 2 - 1) * settings.brightness * 128
        images = (images - 128) * gain + 128 + lift
    if settings.noise_share:
        grain = torch.empty_like(images).normal_(generator=generator) * settings.noise
        images = images + grain * u[:, 11] * (u[:, 10] < settings.noise_share)
    return images.clamp(0, 255)


def cut_out(images: Tensor, uniforms: FloatArray, settings: Augmentation) -> Tensor:
    """Fill a square somewhere on the chosen float images (N, C, H, W) with their mean level."""
    if not settings.cutout_share:
        return images
    height, width = images.shape[2:]
    u = torch.from_numpy(uniforms.astype(np.float32)).to(images.device)[:, :, None, None]
    half = settings.cutout * min(height, width) / 2
    rows = torch.arange(height, device=images.device)[:, None]
    columns = torch.arange(width, device=images.device)
    near = ((rows - u[:, 14] * height).abs() <= half) & ((columns - u[:, 15] * width).abs() <= half)
    cut = (near & (u[:, 13] < settings.cutout_share))[:, None]
    return torch.where(cut, images.mean((2, 3), keepdim=True), images)


def pairs(
    count: int, settings: Augmentation, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Draw for each of a batch whom it is mixed with (n,), and its own share (n,), at least 0.5."""
    share = rng.beta(settings.mixup, settings.mixup, count)
    own = np.where(rng.random(count) < settings.mixup_share, np.maximum(share, 1 - share), 1.0)
    return np.roll(np.arange(count), 1), own.astype(np.float32)


def blend(images: Tensor, partner: npt.NDArray[np.int64], share: npt.NDArray[np.float32]) -> Tensor:
    """Mix images (n, C, H, W) with those of each one's partner (n,) by its own share (n,)."""
    own = torch.from_numpy(share).to(images.device)[:, None, None, None]
    return images * own + images[torch.from_numpy(partner).to(images.device)] * (1 - own)


def per_image(images: Tensor) -> Tensor:
    """Normalise float images (N, C, H, W) of 0..255 as `Preparation(normalize="per-image")`."""
    mean = images.mean((1, 2, 3), keepdim=True)
    deviation = images.std((1, 2, 3), keepdim=True, correction=0)
    return (images - mean) / deviation.clamp_min(1.0)


def normalized(images: Tensor, preparation: Preparation) -> Tensor:
    """Normalise float images (N, C, H, W) of 0..255 as `preparation.normalized` does."""
    match preparation.normalize:
        case "unit":
            return images / 255
        case "symmetric":
            return images / 127.5 - 1
        case "per-image":
            return per_image(images)
        case "data-set":
            mean, std = (images.new_tensor(v)[:, None, None] for v in _levels(preparation))
            return (images - mean) / std
    return images


def _levels(preparation: Preparation) -> tuple[tuple[float, ...], tuple[float, ...]]:
    if not preparation.mean or not preparation.std:
        raise UsageError("normalize 'data-set' needs mean and std; fit them on training faces")
    return preparation.mean, preparation.std
