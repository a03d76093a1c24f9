"""Occluders of one flat tone, as published comparisons draw them: one face, or many at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError
from mien.geometry import Floats
from mien.occlusion.areas import MASK_CORNERS as MASK_CORNERS
from mien.occlusion.areas import MASK_GREY as MASK_GREY
from mien.occlusion.areas import Area
from mien.occlusion.frames import SIZE, mean_faces, sizes
from mien.occlusion.kinds import Draw, Image, Mask, Points
from mien.occlusion.painting import LUMA
from mien.occlusion.shapes import box_masks, polygon_masks

MEAN = "mean"
AT_ONCE = 256
FRAMING = 48 / SIZE  # the side of the usual crop in parts of its face
SHARPEST = 0.2  # the corner of a padded polygon moves by no more than the pad's 3.2-fold

Tone = int | str | Sequence[int]


@dataclass(frozen=True, kw_only=True)
class Flat:
    """Hide an area of a face; of its pixels nothing is left.

    severity: the share of the area that is hidden, about its middle. pad_px, pad_share: how far it
    reaches beyond its outline, in pixels or in parts of the face. tone: a grey level, an RGB
    colour, or `mean`, that of the image. fixed_size: the outline of the mean face, as large as this
    one and where it is, so that it tells nothing of the expression, with room for most; or the
    width and height in pixels of a box in its place. photograph: the reach of a box that has no
    pad goes by the face, not by the image.
    """

    area: Area
    severity: float = 1.0
    pad_px: float | None = None
    pad_share: float | None = None
    tone: Tone | None = None
    fixed_size: bool | tuple[int, int] = False
    photograph: bool = False

    def __post_init__(self) -> None:
        check_tone(self.tone)
        pads = [pad for pad in (self.pad_px, self.pad_share) if pad is not None]
        sides = self._sides
        if len(pads) + (sides is not None) > 1:
            raise UsageError("expected one of pad_px, pad_share and the sides of a box")
        if not all(0 <= pad < np.inf for pad in pads):
            raise UsageError(f"a pad must be at least 0, got {pads[0]}")
        if sides is not None and (len(sides) != 2 or min(sides) < 1):
            raise UsageError(f"fixed_size must be a width and a height in pixels, got {sides}")

    def __call__(
        self, image: Image, points_xy: Points, rng: np.random.Generator
    ) -> tuple[Image, Mask]:
        """Draw on a copy of one image; nothing is left to chance."""
        painted, hidden = self.many(image[None], points_xy[None])
        return painted[0], hidden[0]

    def many(self, images_nhw: Image, points_xy: Points) -> tuple[Image, Mask]:
        """Draw on copies of images (N, H, W) or (N, H, W, 3) by points (N, 68, 2)."""
        hidden = self.masks(points_xy, images_nhw.shape[1:3])
        return fill(images_nhw, hidden, self._level(images_nhw)), hidden

    def masks(self, points_xy: Points, size_hw: tuple[int, ...]) -> Mask:
        """Say (N, H, W) which pixels are hidden."""
        height, width = size_hw
        masks = np.zeros((len(points_xy), height, width), dtype=bool)
        for first in range(0, len(points_xy), AT_ONCE):
            some = slice(first, first + AT_ONCE)
            points, fixed = points_xy[some].astype(np.float64), bool(self.fixed_size)
            points = mean_faces(points) if fixed else points
            pad = self._pad(points, (height, width))
            for corners in self.area.corners(points, roomy=fixed):
                masks[some] |= self._covered(corners, pad, (height, width))
        return masks

    @property
    def _sides(self) -> tuple[int, int] | None:
        return None if isinstance(self.fixed_size, bool) else self.fixed_size

    def _pad(self, points_xy: Floats, size_hw: tuple[int, int]) -> Floats | float:
        if self.pad_px is not None:
            return self.pad_px
        if self.pad_share is None and not (self.photograph and self.area.reach):
            return self.area.reach * min(size_hw)
        share = self.area.reach * FRAMING if self.pad_share is None else self.pad_share
        return np.asarray(share * sizes(points_xy)[:, None])

    def _covered(self, corners: Floats, pad: Floats | float, size_hw: tuple[int, int]) -> Mask:
        box = self.area.box or self._sides is not None
        outline = _box(corners, pad, self._sides) if box else _padded(corners, pad)
        if self.severity < 1:
            middle = (outline.min(1, keepdims=True) + outline.max(1, keepdims=True)) / 2
            outline = middle + np.sqrt(self.severity) * (outline - middle)
        if box:
            return box_masks(outline.reshape(-1, 4), size_hw)
        return polygon_masks(outline, size_hw)

    def _level(self, images_nhw: Image) -> NDArray[Any]:
        """Give the tone for these images, which may be another for each."""
        if self.tone == MEAN:
            return np.asarray(np.rint(images_nhw.mean(axis=(1, 2), keepdims=True)))
        if self.tone is None:
            return np.array(self.area.tones[images_nhw.ndim - 3])
        return level(self.tone, images_nhw.ndim - 1)


def fill(image: Image, hidden: Mask, tone: NDArray[Any]) -> Image:
    """Paint the hidden pixels of a copy of one image or of many."""
    painted = np.array(image)
    where = hidden if image.ndim == hidden.ndim else hidden[..., None]
    np.copyto(painted, tone.astype(np.uint8), where=where)
    return painted


def silhouette(draw: Draw, tone: Tone | None) -> Draw:
    """Hide what another occluder hides in one flat tone, black unless told."""
    check_tone(tone)

    def drawn(image: Image, points_xy: Points, rng: np.random.Generator) -> tuple[Image, Mask]:
        _, hidden = draw(image, points_xy, rng)
        if tone == MEAN:
            return fill(image, hidden, np.rint(image.mean(axis=(0, 1)))), hidden
        return fill(image, hidden, level(tone or 0, image.ndim)), hidden

    return drawn


def level(tone: Tone, ndim: int) -> NDArray[Any]:
    """Give a tone as a grey image (2 dimensions) or one in RGB (3) takes it."""
    colour = np.broadcast_to(np.asarray(tone, dtype=np.float64), (3,))
    return np.rint(colour @ LUMA) if ndim == 2 else colour


def check_tone(tone: Tone | None) -> None:
    """Check that a tone is a level from 0 to 255, three of them, or `mean`."""
    levels = tone if isinstance(tone, list | tuple) else [tone]
    if tone in (None, MEAN) or (len(levels) in (1, 3) and all(map(_is_level, levels))):
        return
    raise UsageError(
        f"a tone must be a grey level from 0 to 255, three such for RGB, or {MEAN!r}, got {tone!r}"
    )


def _is_level(value: object) -> bool:
    return isinstance(value, int | np.integer) and bool(0 <= value <= 255)


def _box(corners: Floats, pad: Floats | float, sides: tuple[int, int] | None) -> Floats:
    """Give the first and the last place (N, 2, 2) of the upright box about corners (N, K, 2)."""
    low, high = corners.min(axis=1), corners.max(axis=1)
    if sides is None:
        return np.stack([low - pad, high + pad], axis=1)
    reach = np.array(sides) - 1.0
    low = np.rint((low + high - reach) / 2)
    return np.stack([low, low + reach], axis=1)


def _padded(corners: Floats, pad: Floats | float) -> Floats:
    """Move the edges of polygons (N, K, 2) outwards."""
    if not np.any(pad):
        return corners
    ways = np.roll(corners, -1, axis=1) - corners
    x, y = corners[..., 0], corners[..., 1]
    area = (x * np.roll(y, -1, axis=1) - np.roll(x, -1, axis=1) * y).sum(axis=1)
    out = np.stack([ways[..., 1], -ways[..., 0]], axis=-1) * np.sign(area)[:, None, None]
    out /= np.maximum(np.linalg.norm(out, axis=-1, keepdims=True), 1e-9)
    before = np.roll(out, 1, axis=1)
    along = np.maximum(1 + (before * out).sum(axis=-1, keepdims=True), SHARPEST)
    return np.asarray(corners + np.asarray(pad)[..., None] * (before + out) / along)
