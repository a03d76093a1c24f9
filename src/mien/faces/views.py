"""The view of a photograph that a detector of fixed face size wants, and the way back."""

import math

import numpy as np
from numpy.typing import ArrayLike

from mien import geometry, images
from mien.geometry import Floats
from mien.images import Image

REFERENCE_PIXELS = 640 * 480


def view_hw(image: Image, min_face: int, side: float) -> tuple[int, int]:
    """Give the size at which the smallest face wanted in an image has this side in pixels.

    `min_face` is that face's side in a picture of 640x480 pixels or fewer; in a larger one it grows
    with the square root of the pixels.
    """
    height, width = image.shape[:2]
    growth = max(1.0, math.sqrt(height * width / REFERENCE_PIXELS))
    scale = side / (min_face * growth)
    return max(1, round(height * scale)), max(1, round(width * scale))


def view(image: Image, min_face: int, side: float) -> Image:
    """Resize an image so that the smallest face wanted in it has this side in pixels."""
    return np.ascontiguousarray(images.resize(image, view_hw(image, min_face, side)))


def mapped_back(points_xy: ArrayLike, seen: Image, image: Image) -> Floats:
    """Give points (..., N, 2) of the view in pixels of the image it shows."""
    return geometry.apply(geometry.scaling(seen.shape[:2], image.shape[:2]), points_xy)
