"""Paint objects on a copy of an image with smooth edges, at any size.

An object says at any place how opaque it is and what colour it has; pixels average several places.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien import geometry
from mien.occlusion.kinds import Image, Mask, Points
from mien.occlusion.shapes import polygon_mask

Floats = NDArray[np.float64]
Box = geometry.Box

LUMA = np.array([0.299, 0.587, 0.114])
USUAL_FACE = 135.0  # the luma of a face in good light
_FINE, _COARSE, _COARSE_FROM = 4, 2, 320
_AT_ONCE = 1 << 18


@dataclass(frozen=True)
class Places:
    """Where an object is looked at: x (1, W) and y (H, 1) in pixels of the image."""

    x: Floats
    y: Floats

    def along(self, axis_xy: Floats, origin_xy: Floats) -> Floats:
        """Measure (H, W) how far along an axis each place lies from the origin."""
        x, y = self.x - origin_xy[0], self.y - origin_xy[1]
        return np.asarray(x * axis_xy[0] + y * axis_xy[1])

    def inside(self, corners_xy: Floats) -> Mask:
        """Say (H, W) which places lie in a polygon."""
        step = float(self.y[1, 0] - self.y[0, 0])
        origin = np.array([self.x[0, 0], self.y[0, 0]])
        return polygon_mask((corners_xy - origin) / step, (self.y.size, self.x.size))

    def near(self, start_xy: Floats, end_xy: Floats, widths: tuple[float, float]) -> Mask:
        """Say (H, W) which places a straight band covers, whose width changes along it."""
        way = end_xy - start_xy
        length = max(float(np.hypot(*way)), 1e-9)
        forward = self.along(way / length, start_xy)
        part = np.clip(forward / length, 0, 1)
        aside = self.along(np.array([-way[1], way[0]]) / length, start_xy)
        beyond = forward - part * length
        half = (widths[0] + part * (widths[1] - widths[0])) / 2
        return np.asarray(np.hypot(aside, beyond) <= half)


# From places to opacities (H, W) of 0 to 1 and colours (H, W, 3), RGB of 0 to 255.
Look = Callable[[Places], tuple[Floats, Floats]]


def paint(image: Image, box_xyxy: Box, look: Look) -> tuple[Image, Mask]:
    """Paint what lies in the box on a copy; the mask has every pixel it touches."""
    painted, hidden = image.copy(), np.zeros(image.shape[:2], dtype=bool)
    for rows, columns, samples in _bands(box_xyxy, image.shape[:2]):
        share, tone = _seen(look, rows, columns, samples)
        tone = tone if image.ndim == 3 else tone @ LUMA
        rest = 1 - share.reshape(share.shape + (1,) * (image.ndim - 2))
        under = image[rows, columns]
        painted[rows, columns] = np.rint(under * rest + tone).clip(0, 255).astype(np.uint8)
        hidden[rows, columns] = share > 0
    painted[~hidden] = image[~hidden]
    return painted, hidden


def layer(size_hw: tuple[int, int], box_xyxy: Box, look: Look) -> Floats:
    """Paint on nothing (H, W, 4): colours times the share of a pixel that is covered; the share."""
    painted = np.zeros((*size_hw, 4))
    for rows, columns, _ in _bands(box_xyxy, size_hw):
        share, tone = _seen(look, rows, columns, _COARSE)
        painted[rows, columns] = np.concatenate([tone, share[..., None]], -1)
    return painted


def exposure(image: Image, points_xy: Points) -> float:
    """Say how light the face is, 1 in good light, so that an object can be lit alike."""
    left, top, right, bottom = geometry.bounding_box(points_xy)
    rows, columns = _span(top, bottom, image.shape[0]), _span(left, right, image.shape[1])
    part = image[rows, columns]
    if not part.size:
        return 1.0
    level = np.median(part if part.ndim == 2 else part @ LUMA)
    return float(np.clip(level / USUAL_FACE, 0.4, 1.2))


def layered(under: tuple[Any, Any], *over: tuple[Any, Any]) -> tuple[Floats, Floats]:
    """Lay opacities and colours one over another, the last on top."""
    opacity, colour = under
    for alpha, tone in over:
        opacity = alpha + opacity * (1 - alpha)
        share = np.divide(alpha, opacity, out=np.zeros(np.shape(opacity)), where=opacity > 0)
        colour = colour + share[..., None] * (tone - colour)
    return opacity, colour


def rounded(line: Floats, times: int = 3) -> Floats:
    """Cut the corners of a line again and again; its ends stay."""
    for _ in range(times):
        quarters = np.stack(
            [0.75 * line[:-1] + 0.25 * line[1:], 0.25 * line[:-1] + 0.75 * line[1:]], 1
        )
        line = np.concatenate([line[:1], quarters.reshape(-1, 2), line[-1:]])
    return line


def height_at(edge: Floats, across: Floats) -> Floats:
    """Read the height of an edge above each place; where it turns back, its outermost part."""
    return np.asarray(np.interp(across, np.maximum.accumulate(edge[:, 0]), edge[:, 1]))


def directions(ways: Floats) -> Floats:
    """Give ways (..., 2) the length 1."""
    lengths = np.linalg.norm(ways, axis=-1, keepdims=True)
    return np.asarray(ways / np.maximum(lengths, 1e-9))


def box_around(points_xy: ArrayLike, pad: float) -> Box:
    """Find the box that holds all points and a pad around them."""
    left, top, right, bottom = geometry.bounding_box(points_xy)
    return (left - pad, top - pad, right + pad, bottom + pad)


def _bands(box_xyxy: Box, size_hw: tuple[int, int]) -> Iterator[tuple[slice, slice, int]]:
    """Cut the part of the box inside the image into bands of rows that fit into memory."""
    left, top, right, bottom = box_xyxy
    rows, columns = _span(top, bottom, size_hw[0]), _span(left, right, size_hw[1])
    width = columns.stop - columns.start
    if width <= 0:
        return
    samples = _FINE if max(right - left, bottom - top) < _COARSE_FROM else _COARSE
    step = max(1, _AT_ONCE // (width * samples**2))
    for start in range(rows.start, rows.stop, step):
        yield slice(start, min(start + step, rows.stop)), columns, samples


def _seen(look: Look, rows: slice, columns: slice, samples: int) -> tuple[Floats, Floats]:
    """Average over pixels how much is covered (H, W), and its colour in that share (H, W, 3)."""
    opacity, colour = look(_places(rows, columns, samples))
    return _averaged(opacity, samples), _averaged(opacity[..., None] * colour, samples)


def _span(low: float, high: float, size: int) -> slice:
    start, stop = np.clip([np.floor(low), np.ceil(high) + 1], 0, size).astype(int).tolist()
    return slice(start, max(start, stop))


def _places(rows: slice, columns: slice, samples: int) -> Places:
    x, y = (
        part.start - 0.5 + (np.arange((part.stop - part.start) * samples) + 0.5) / samples
        for part in (columns, rows)
    )
    return Places(x[None, :], y[:, None])


def _averaged(values: Floats, samples: int) -> Floats:
    """Average blocks of samples: (H * s, W * s, ...) gives (H, W, ...)."""
    height, width = values.shape[0] // samples, values.shape[1] // samples
    blocks = values.reshape(height, samples, width, samples, *values.shape[2:])
    mean: Floats = blocks.mean(axis=(1, 3))
    return mean
