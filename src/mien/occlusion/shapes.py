"""Which pixels a shape covers: those whose centre lies inside, (0, 0) being a pixel's centre."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.floating[Any]]


def box_mask(box_xyxy: tuple[float, float, float, float], size_hw: tuple[int, int]) -> Mask:
    """Cover a box, its edges included."""
    mask = np.zeros(size_hw, dtype=bool)
    mask[_inside(box_xyxy, size_hw)] = True
    return mask


def box_masks(boxes_xyxy: Floats, size_hw: tuple[int, int]) -> Mask:
    """Cover boxes (N, 4), one in each mask (N, H, W)."""
    left, top, right, bottom = boxes_xyxy.T[..., None]
    x, y = np.arange(size_hw[1]), np.arange(size_hw[0])
    across, down = (x >= left) & (x <= right), (y >= top) & (y <= bottom)
    return np.asarray(down[:, :, None] & across[:, None, :])


def polygon_mask(corners_xy: Floats, size_hw: tuple[int, int]) -> Mask:
    """Cover a closed polygon (K, 2); where it crosses itself by the even-odd rule."""
    mask: Mask = polygon_masks(corners_xy[None], size_hw)[0]
    return mask


def polygon_masks(corners_xy: Floats, size_hw: tuple[int, int]) -> Mask:
    """Cover polygons (N, K, 2), one in each mask (N, H, W)."""
    masks = np.zeros((len(corners_xy), *size_hw), dtype=bool)
    if not len(corners_xy):
        return masks
    corners = corners_xy.astype(np.float64)
    (left, top), (right, bottom) = corners.min((0, 1)).tolist(), corners.max((0, 1)).tolist()
    rows, columns = _inside((left, top, right, bottom), size_hw)
    if rows.start < rows.stop and columns.start < columns.stop:
        masks[:, rows, columns] = _fill(corners, rows, columns)
    return masks


def _inside(
    box_xyxy: tuple[float, float, float, float], hw: tuple[int, int]
) -> tuple[slice, slice]:
    left, top, right, bottom = box_xyxy
    return _span(top, bottom, hw[0]), _span(left, right, hw[1])


def _span(low: float, high: float, size: int) -> slice:
    start, stop = math.ceil(low), math.floor(high) + 1
    return slice(min(max(start, 0), size), min(max(stop, 0), size))


def _fill(corners: NDArray[np.float64], rows: slice, columns: slice) -> Mask:
    """Switch between out and in at each crossing of a row of pixels with an edge."""
    x, y = corners[..., 0], corners[..., 1]
    next_x, next_y = np.roll(x, -1, axis=1), np.roll(y, -1, axis=1)
    at = np.arange(rows.start, rows.stop)
    low, high = np.minimum(y, next_y)[:, None], np.maximum(y, next_y)[:, None]
    face, row, edge = ((at[:, None] >= low) & (at[:, None] < high)).nonzero()
    slope = (next_x - x) / np.where(next_y == y, 1.0, next_y - y)
    crossing = x[face, edge] + (at[row] - y[face, edge]) * slope[face, edge]
    width = columns.stop - columns.start
    switch = np.clip(np.ceil(crossing) - columns.start, 0, width).astype(np.intp)
    switches = np.zeros((len(corners), len(at), width + 1), dtype=np.uint8)
    # Bytes that overflow keep what is asked of them: whether their number is odd.
    np.add.at(switches.reshape(-1), (face * len(at) + row) * (width + 1) + switch, 1)
    passed = np.cumsum(switches[..., :width], axis=2, dtype=np.uint8)
    return np.asarray((passed & 1).view(bool))
