"""Occluders of one flat tone, as published comparisons draw them."""

from collections.abc import Sequence

import numpy as np

from mien import geometry
from mien.occlusion.kinds import Draw, Image, Mask, Points
from mien.occlusion.shapes import box_mask, polygon_mask

MASK_CORNERS = [*range(2, 15), 28]  # the jaw from ear to ear, closed over the bridge of the nose
MASK_RGB = (141, 197, 231)
MASK_GREY = 167  # the luma of MASK_RGB
PAD = 3 / 48  # of the image's shorter side


def mask_polygon() -> Draw:
    """Draw a face mask without folds or ribbons."""

    def draw(image: Image, points_xy: Points, rng: np.random.Generator) -> tuple[Image, Mask]:
        hidden = polygon_mask(points_xy[MASK_CORNERS], image.shape[:2])
        return fill(image, hidden, MASK_GREY if image.ndim == 2 else MASK_RGB), hidden

    return draw


def eyes(*, pad_px: float | None = None) -> Draw:
    """Draw one black bar over both eyes."""
    return _black_box(geometry.EYES, pad_px)


def mouth(*, pad_px: float | None = None) -> Draw:
    """Draw a black box over the lips."""
    return _black_box(geometry.MOUTH, pad_px)


def fill(image: Image, hidden: Mask, tone: int | Sequence[int]) -> Image:
    """Paint the hidden pixels of a copy."""
    painted = image.copy()
    np.copyto(
        painted,
        np.array(tone, dtype=np.uint8),
        where=hidden if image.ndim == 2 else hidden[..., None],
    )
    return painted


def _black_box(group: slice, pad_px: float | None) -> Draw:
    def draw(image: Image, points_xy: Points, rng: np.random.Generator) -> tuple[Image, Mask]:
        pad = PAD * min(image.shape[:2]) if pad_px is None else pad_px
        left, top, right, bottom = geometry.bounding_box(points_xy[group])
        box_xyxy = (left - pad, top - pad, right + pad, bottom + pad)
        hidden = box_mask(box_xyxy, image.shape[:2])
        return fill(image, hidden, 0), hidden

    return draw
