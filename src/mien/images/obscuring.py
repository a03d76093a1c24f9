"""Faces made unrecognisable in pictures that are shown to others."""

from collections.abc import Sequence
from enum import StrEnum

import numpy as np
import PIL.Image

from mien.geometry import Box
from mien.images.pixels import Image

BLOCKS = 6  # along the longer side of a face's box
_MARGIN = 0.15  # of that side, around the box: hair, ears and chin


class Faces(StrEnum):
    """How faces appear: as they are, in blocks of a sixth of the face, or as one grey area."""

    shown = "shown"
    pixelated = "pixelated"
    covered = "covered"


def obscured(image: Image, boxes: Sequence[Box], how: Faces) -> Image:
    """Give a copy of the image in which what lies in the boxes, and a bit around, is obscured."""
    if how is Faces.shown:
        return image
    image = image.copy()
    for x0, y0, x1, y1 in boxes:
        side = max(x1 - x0, y1 - y0)
        margin = _MARGIN * side
        top, left = (max(0, int(np.floor(edge - margin))) for edge in (y0, x0))
        bottom, right = (max(0, int(np.ceil(edge + margin)) + 1) for edge in (y1, x1))
        part = image[top:bottom, left:right]
        if part.size:
            part[:] = 128 if how is Faces.covered else _blocks(part, side / BLOCKS)
    return image


def _blocks(part: Image, block: float) -> Image:
    """Give each block the mean of its pixels; a block is never smaller than asked."""
    height, width = part.shape[:2]
    small = (max(1, int(width / block)), max(1, int(height / block)))
    picture = PIL.Image.fromarray(np.ascontiguousarray(part))
    averaged = picture.resize(small, PIL.Image.Resampling.BOX)
    return np.asarray(averaged.resize((width, height), PIL.Image.Resampling.NEAREST))
