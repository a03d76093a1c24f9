"""Boxes, the 68 points and similarity transforms.

Pixel (0, 0) is the centre of the top-left pixel. A matrix maps input points to output points.
Points are (..., N, 2), matrices (..., 2, 3), boxes (..., 4) as left, top, right, bottom.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.errors import InputError

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]

# The groups of the 68 points in iBUG order; right and left are the subject's own.
JAW = slice(0, 17)
BROWS = slice(17, 27)
NOSE = slice(27, 36)
EYES = slice(36, 48)
RIGHT_EYE = slice(36, 42)
LEFT_EYE = slice(42, 48)
MOUTH = slice(48, 68)

# MIRROR[i] is the point that takes place i in the mirror image.
MIRROR = np.concatenate(
    [
        np.arange(16, -1, -1),
        np.arange(26, 16, -1),
        [27, 28, 29, 30, 35, 34, 33, 32, 31],
        [45, 44, 43, 42, 47, 46, 39, 38, 37, 36, 41, 40],
        [54, 53, 52, 51, 50, 49, 48, 59, 58, 57, 56, 55],
        [64, 63, 62, 61, 60, 67, 66, 65],
    ]
)


def box_area(boxes_xyxy: ArrayLike) -> Floats:
    """Measure boxes; an empty or inverted box has area 0."""
    boxes = np.asarray(boxes_xyxy, np.float64)
    sides = np.maximum(boxes[..., 2:] - boxes[..., :2], 0)
    area: Floats = sides[..., 0] * sides[..., 1]
    return area


def box_iou(a_xyxy: ArrayLike, b_xyxy: ArrayLike) -> Floats:
    """Divide the intersection by the union of every pair: (N, 4) and (M, 4) give (N, M)."""
    a = np.asarray(a_xyxy, np.float64).reshape(-1, 4)
    b = np.asarray(b_xyxy, np.float64).reshape(-1, 4)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = box_area(np.concatenate([low, high], axis=-1))
    union = box_area(a)[:, None] + box_area(b)[None, :] - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def nms(boxes_xyxy: ArrayLike, scores: ArrayLike, threshold: float) -> NDArray[np.intp]:
    """Keep the best of boxes that overlap by more than the threshold; indices, best first."""
    boxes = np.asarray(boxes_xyxy, np.float64).reshape(-1, 4)
    order = np.argsort(-np.asarray(scores, np.float64), kind="stable")
    kept: list[int] = []
    while order.size:
        best, rest = order[0], order[1:]
        kept.append(int(best))
        order = rest[box_iou(boxes[best], boxes[rest])[0] <= threshold]
    return np.array(kept, np.intp)


def square_box(box_xyxy: Sequence[float], scale: float = 1.0) -> Box:
    """Centre a square of side scale * sqrt(width * height) on the box."""
    x0, y0, x1, y1 = box_xyxy
    half = scale * float(np.sqrt(box_area(box_xyxy))) / 2
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    return (x - half, y - half, x + half, y + half)


def bounding_box(points_xy: ArrayLike) -> Box:
    """Find the smallest box that holds all points (N, 2)."""
    points = np.asarray(points_xy, np.float64)
    (x0, y0), (x1, y1) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
    return (x0, y0, x1, y1)


def similarity(src_xy: ArrayLike, dst_xy: ArrayLike) -> Floats:
    """Fit the turn, scale and shift (no mirroring) that lays src on dst with the least squares."""
    src, dst = np.asarray(src_xy, np.float64), np.asarray(dst_xy, np.float64)
    src_mean, dst_mean = src.mean(axis=-2), dst.mean(axis=-2)
    s, d = src - src_mean[..., None, :], dst - dst_mean[..., None, :]
    spread = np.square(s).sum(axis=(-2, -1))
    if not np.all(spread > 0):
        raise InputError("points to align must be finite and not all in one place")
    cos = (s * d).sum(axis=(-2, -1)) / spread
    sin = (s[..., 0] * d[..., 1] - s[..., 1] * d[..., 0]).sum(axis=-1) / spread
    linear = np.stack([np.stack([cos, -sin], -1), np.stack([sin, cos], -1)], -2)
    shift = dst_mean - (linear @ src_mean[..., None])[..., 0]
    return np.concatenate([linear, shift[..., None]], axis=-1)


def rotation(angle: float, centre_xy: ArrayLike) -> Floats:
    """Turn by an angle in radians about a point; positive turns x towards y (clockwise as seen)."""
    cos, sin = float(np.cos(angle)), float(np.sin(angle))
    linear = np.array([[cos, -sin], [sin, cos]])
    centre = np.asarray(centre_xy, np.float64)
    return np.column_stack([linear, centre - linear @ centre])


def box_to_image(box_xyxy: Sequence[float], size_hw: tuple[int, int]) -> Floats:
    """Map a box onto a whole image of that size: the box's edges onto the outer pixels' edges."""
    x0, y0, x1, y1 = box_xyxy
    sx, sy = size_hw[1] / (x1 - x0), size_hw[0] / (y1 - y0)
    return np.array([[sx, 0.0, -sx * x0 - 0.5], [0.0, sy, -sy * y0 - 0.5]])


def scaling(from_hw: tuple[int, int], to_hw: tuple[int, int]) -> Floats:
    """Map the points of an image onto its resized copy."""
    return box_to_image((-0.5, -0.5, from_hw[1] - 0.5, from_hw[0] - 0.5), to_hw)


def apply(matrix: ArrayLike, points_xy: ArrayLike) -> Floats:
    """Map points (..., N, 2) by a matrix (..., 2, 3)."""
    m, points = np.asarray(matrix, np.float64), np.asarray(points_xy, np.float64)
    mapped: Floats = points @ np.swapaxes(m[..., :2], -1, -2) + m[..., None, :, 2]
    return mapped


def invert(matrix: ArrayLike) -> Floats:
    """Find the matrix that maps back."""
    m = np.asarray(matrix, np.float64)
    back = np.linalg.inv(m[..., :2])
    return np.concatenate([back, -back @ m[..., 2:]], axis=-1)


def compose(first: ArrayLike, then: ArrayLike) -> Floats:
    """Join two matrices into the one that maps by the first, then by the other."""
    a, b = np.asarray(first, np.float64), np.asarray(then, np.float64)
    joined = b[..., :2] @ a
    joined[..., 2] += b[..., 2]
    return joined


def mirror_points(points_xy: ArrayLike, width: int) -> Floats:
    """Give the 68 points (..., 68, 2) of the mirror image, each in the place that is its own."""
    points = np.asarray(points_xy, np.float64)[..., MIRROR, :]
    return np.stack([width - 1 - points[..., 0], points[..., 1]], axis=-1)
