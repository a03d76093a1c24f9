"""Training faces in memory, hidden and augmented a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mien import geometry
from mien.errors import UsageError
from mien.preparation import Preparation
from mien.training import augment, hiding, randomness
from mien.training.sampling import Copies
from mien.training.settings import Recipe

Faces = npt.NDArray[np.int64]  # their numbers: see Source.originals


@dataclass(frozen=True)
class Source:
    """Faces uint8 (N, H, H) or (N, H, H, 3), their points (N, 68, 2), where those are known (N,).

    With copies its length and its numbers are theirs; a copy is made where it is looked at.
    """

    images: npt.NDArray[np.uint8]
    points_xy: npt.NDArray[np.float32]
    found: npt.NDArray[np.bool_]
    copies: Copies | None = None

    def __len__(self) -> int:
        return len(self.images if self.copies is None else self.copies)

    def originals(self, faces: Faces) -> Faces:
        """Give the rows (n,) of `images` that numbers (n,) show; they may go on past the length.

        A number and the same plus the length are one face, changed by other random numbers.
        """
        numbers = faces % len(self)
        return numbers if self.copies is None else self.copies.rows[numbers]

    def template(self) -> npt.NDArray[np.float32]:
        """Give the mean points (68, 2) of the faces whose points are known."""
        mean: npt.NDArray[np.float32] = self.points_xy[self.found].mean(0, dtype=np.float64)
        return mean.astype(np.float32)

    def aligned(self, side: int) -> npt.NDArray[np.float64]:
        """Give matrices (N, 2, 3) that lay each face on the mean points in a frame of `side`."""
        frame = geometry.scaling(self.images.shape[1:3], (side, side))
        template = geometry.apply(frame, self.template())
        result = np.tile(frame, (len(self.images), 1, 1))
        for face in np.flatnonzero(self.found):
            result[face] = geometry.similarity(self.points_xy[face], template)
        return result


@dataclass(frozen=True)
class View:
    """A batch as the network sees it: images float (n, C, S, S) normalised, and what is true of it.

    `points_xy` (n, 68, 2) are in pixels of the view; `hidden` (n, 2) is 1, 0 or nan for eyes
    and mouth. Where faces are mixed, `partner` (n,) is the number of the other face and `share`
    (n,) what is one's own.
    """

    images: Tensor
    points_xy: npt.NDArray[np.float32]
    hidden: npt.NDArray[np.float32]
    partner: Faces | None = None
    share: npt.NDArray[np.float32] | None = None


class Viewer:
    """Turn face numbers into augmented views; the same number, epoch and seed give the same view.

    The preparation says how a view is normalised, by default each image by itself.
    """

    def __init__(
        self,
        source: Source,
        recipe: Recipe,
        preparation: Preparation | None = None,
        device: str = "cpu",
    ) -> None:
        if recipe.augmentation.mixup and recipe.task != "labels":
            raise UsageError("augmentation.mixup is for the task labels; leave it at 0")
        self.source = source
        self.recipe = recipe
        self.device = device
        self._preparation = preparation
        self._frame = geometry.scaling(source.images.shape[1:3], (recipe.side, recipe.side))
        aligning = recipe.augmentation.align_share > 0
        self._aligned = source.aligned(recipe.side) if aligning else None

    def hide(
        self, faces: Faces, epoch: int
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Draw occluders on copies of the faces: images and region states; numpy alone."""
        rows = self.source.originals(faces)
        images = self.source.images[rows]
        states = np.zeros((len(faces), 2), dtype=np.float32)
        if self.recipe.hiding.nothing:
            return images, states
        keys = randomness.face_keys(self.recipe.seed + 1, epoch, faces)
        for row, (face, key) in enumerate(zip(rows, keys, strict=True)):
            rng = np.random.Generator(np.random.SFC64(int(key)))
            images[row], states[row] = hiding.hide_at_random(
                images[row], self.source.points_xy[face], self.recipe.hiding, rng
            )
        return images, states

    def view(
        self,
        faces: Faces,
        epoch: int,
        images: npt.NDArray[np.uint8],
        states: npt.NDArray[np.float32],
        generator: torch.Generator,
    ) -> View:
        """Turn, scale, shift, relight and normalise hidden faces, on the viewer's device.

        There the generator must be, too.
        """
        settings = self.recipe.augmentation
        keys = randomness.face_keys(self.recipe.seed, epoch, faces)
        uniforms = randomness.face_uniforms(keys, augment.UNIFORMS)
        base = self._base(faces, uniforms)
        matrix, flipped = augment.matrices(uniforms, settings, self.recipe.side, base)
        floats = levels(images, self.device)
        floats = augment.warp(floats, matrix, self.recipe.side, settings.padding_of(epoch))
        floats = augment.photometric(floats, uniforms, settings, generator)
        floats = normalized(augment.cut_out(floats, uniforms, settings), self._preparation)
        points = self._points(faces, matrix, flipped)
        if not settings.mixup:
            return View(floats, points, states)
        rng = np.random.default_rng([self.recipe.seed, epoch, int(faces[0])])
        other, share = augment.pairs(len(faces), settings, rng)
        floats = augment.blend(floats, other, share)
        return View(floats, points, states, faces[other], share)

    def _base(self, faces: Faces, uniforms: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Map (n, 2, 3) each stored face, or the copy of it, into the network's frame."""
        base = np.tile(self._frame, (len(faces), 1, 1))
        if self._aligned is not None:
            align = uniforms[:, 12] < self.recipe.augmentation.align_share
            own = self._aligned[self.source.originals(faces)]
            base = np.where(align[:, None, None], own, base)
        copies = self.source.copies
        if copies is None:
            return base
        height, width = self.source.images.shape[1:3]
        copied = copies.matrices(faces % len(copies), width, height)
        linear = base[:, :, :2] @ copied[:, :, :2]
        offset = np.einsum("nij,nj->ni", base[:, :, :2], copied[:, :, 2]) + base[:, :, 2]
        return np.concatenate([linear, offset[:, :, None]], axis=2)

    def _points(
        self,
        faces: Faces,
        matrix: npt.NDArray[np.float64],
        flipped: npt.NDArray[np.bool_],
    ) -> npt.NDArray[np.float32]:
        if self.source.copies is not None:
            flipped = flipped ^ self.source.copies.mirrored[faces % len(self.source)]
        points_xy = self.source.points_xy[self.source.originals(faces)]
        return augment.transform_points(points_xy, matrix, flipped)


def plain_view(
    images: npt.NDArray[np.uint8],
    side: int,
    preparation: Preparation | None = None,
    device: str = "cpu",
) -> Tensor:
    """Normalise faces without changing them, as prediction does: float (n, C, S, S)."""
    floats = levels(images, device)
    if floats.shape[2] != side:
        floats = torch.nn.functional.interpolate(floats, size=(side, side), mode="bilinear")
    return normalized(floats, preparation)


def levels(images: npt.NDArray[np.uint8], device: str = "cpu") -> Tensor:
    """Give uint8 images (n, H, W) or (n, H, W, 3) as float (n, C, H, W) on the device."""
    floats = torch.from_numpy(np.ascontiguousarray(images)).to(device).float()
    return floats[:, None] if floats.ndim == 3 else floats.permute(0, 3, 1, 2)


def normalized(images: Tensor, preparation: Preparation | None) -> Tensor:
    """Normalise float images (n, C, H, W) of 0..255, by default each by itself."""
    if preparation is None:
        return augment.per_image(images)
    if preparation.colour == "rgb" and images.shape[1] == 1:
        images = images.expand(-1, 3, -1, -1)
    return augment.normalized(images, preparation)
