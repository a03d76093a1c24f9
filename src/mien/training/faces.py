"""Training faces in memory, hidden and augmented a batch at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mien import geometry
from mien.training import augment, hiding, randomness
from mien.training.settings import Recipe

Faces = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Source:
    """Grey faces uint8 (N, H, H), their points (N, 68, 2) and where those are known (N,)."""

    images: npt.NDArray[np.uint8]
    points_xy: npt.NDArray[np.float32]
    found: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.images)

    def template(self) -> npt.NDArray[np.float32]:
        """Give the mean points (68, 2) of the faces whose points are known."""
        mean: npt.NDArray[np.float32] = self.points_xy[self.found].mean(0, dtype=np.float64)
        return mean.astype(np.float32)

    def aligned(self, side: int) -> npt.NDArray[np.float64]:
        """Give matrices (N, 2, 3) that lay each face on the mean points in a frame of `side`."""
        frame = geometry.scaling(self.images.shape[1:3], (side, side))
        template = geometry.apply(frame, self.template())
        result = np.tile(frame, (len(self), 1, 1))
        for face in np.flatnonzero(self.found):
            result[face] = geometry.similarity(self.points_xy[face], template)
        return result


@dataclass(frozen=True)
class View:
    """A batch as the network sees it: images float (n, 1, S, S) normalised, and what is true of it.

    `points_xy` (n, 68, 2) are in pixels of the view; `hidden` (n, 2) is 1, 0 or nan for eyes
    and mouth.
    """

    images: Tensor
    points_xy: npt.NDArray[np.float32]
    hidden: npt.NDArray[np.float32]


class Viewer:
    """Turn face numbers into augmented views; the same face, epoch and seed give the same view."""

    def __init__(self, source: Source, recipe: Recipe) -> None:
        self.source = source
        self.recipe = recipe
        self._frame = geometry.scaling(source.images.shape[1:3], (recipe.side, recipe.side))
        self._aligned = source.aligned(recipe.side)

    def hide(
        self, faces: Faces, epoch: int
    ) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
        """Draw occluders on copies of the faces: images and region states; numpy alone."""
        images = self.source.images[faces].copy()
        states = np.zeros((len(faces), 2), dtype=np.float32)
        keys = randomness.face_keys(self.recipe.seed + 1, epoch, faces)
        for row, (face, key) in enumerate(zip(faces, keys, strict=True)):
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
        """Turn, scale, shift, relight and normalise hidden faces."""
        recipe = self.recipe
        keys = randomness.face_keys(recipe.seed, epoch, faces)
        uniforms = randomness.face_uniforms(keys, augment.UNIFORMS)
        align = uniforms[:, 12] < recipe.augmentation.align_share
        base = np.where(align[:, None, None], self._aligned[faces], self._frame)
        matrix, flipped = augment.matrices(uniforms, recipe.augmentation, recipe.side, base)
        floats = torch.from_numpy(images).float()[:, None]
        padding = ("border", "border", "zeros")[epoch % 3]
        floats = augment.warp(floats, matrix, recipe.side, padding)
        floats = augment.photometric(floats, uniforms, recipe.augmentation, generator)
        points = augment.transform_points(self.source.points_xy[faces], matrix, flipped)
        return View(augment.per_image(floats), points, states)


def plain_view(images: npt.NDArray[np.uint8], side: int) -> Tensor:
    """Normalise faces without changing them, as prediction does: float (n, 1, S, S)."""
    floats = torch.from_numpy(np.ascontiguousarray(images)).float()[:, None]
    if floats.shape[2] != side:
        floats = torch.nn.functional.interpolate(floats, size=(side, side), mode="bilinear")
    return augment.per_image(floats)
