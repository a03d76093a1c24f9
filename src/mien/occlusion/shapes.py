"""Which pixels a shape covers: those whose centre lies inside, (0, 0) being a pixel's centre."""

import math

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Floats = NDArray[np.floating]


def box_mask(box_xyxy: tuple[float, float, float, float], size_hw: tuple[int, int]) -> Mask:
    """Cover a box, its edges included."""
    mask = np.zeros(size_hw, dtype=bool)
    mask[_inside(box_xyxy, size_hw)] = True
    return mask


def polygon_mask(corners_xy: Floats, size_hw: tuple[int, int]) -> Mask:
    """Cover a closed polygon (K, 2); where it crosses itself by the even-odd rule."""
    mask = np.zeros(size_hw, dtype=bool)
    corners = corners_xy.astype(np.float64)
    (left, top), (right, bottom) = corners.min(axis=0).tolist(), corners.max(axis=0).tolist()
    rows, columns = _inside((left, top, right, bottom), size_hw)
    if rows.start < rows.stop and columns.start < columns.stop:
        mask[rows, columns] = _fill(corners, rows, columns)
    return mask


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
    x, y = corners.T
    next_x, next_y = corners[np.arange(1 - len(corners), 1)].T
    height, width = rows.stop - rows.start, columns.stop - columns.start
    at = np.arange(rows.start, rows.stop)[:, None]
    row, edge = ((at >= np.minimum(y, next_y)) & (at < np.maximum(y, next_y))).nonzero()
    slope = (next_x - x) / np.where(next_y == y, 1.0, next_y - y)
    crossing = x[edge] + (row + rows.start - y[edge]) * slope[edge]
    switch = np.clip(np.ceil(crossing) - columns.start, 0, width).astype(np.intp)
    places = row * (width + 1) + switch
    switches = np.bincount(places, minlength=height * (width + 1)).reshape(height, width + 1)
    inside: Mask = switches[:, :width].cumsum(axis=1) % 2 == 1
    return inside
