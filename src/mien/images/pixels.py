"""Colour, size and place of pixels."""

import math

import numpy as np
import PIL.Image
from numpy.typing import ArrayLike, NDArray
from PIL.Image import Resampling, Transform

from mien import geometry
from mien.errors import UsageError, unknown_name

Image = NDArray[np.uint8]
Region = tuple[int, int, int, int]

_FILTERS = {
    "bilinear": Resampling.BILINEAR,
    "bicubic": Resampling.BICUBIC,
    "lanczos": Resampling.LANCZOS,
}
INTERPOLATIONS = ("auto", "area", *_FILTERS)

# What bicubic interpolation reads beyond the outermost point, and a little more.
_MARGIN = 3
# What the widest filter reads beyond a box, in pixels of the smaller of both images.
_REACH = 3


def to_grey(image: Image) -> Image:
    """Weigh the colours as ITU-R 601 does; a grey image stays as it is."""
    return image if image.ndim == 2 else np.asarray(PIL.Image.fromarray(image).convert("L"))


def to_rgb(image: Image) -> Image:
    """Give a grey image three equal channels; a coloured one stays as it is."""
    return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)


def resize(image: Image, size_hw: tuple[int, int], *, interpolation: str = "auto") -> Image:
    """Change the size, antialiased when it shrinks; the same size gives the image itself.

    `auto` is bicubic, the quick way; any other of INTERPOLATIONS that filter alone, `area` being
    bilinear where a side grows.
    """
    height, width = image.shape[:2]
    if (height, width) == tuple(size_hw):
        return image
    if interpolation != "auto":
        return _resized(image, (0, 0, width, height), size_hw, interpolation)
    size = (size_hw[1], size_hw[0])
    picture = PIL.Image.fromarray(image)
    return np.asarray(picture.resize(size, Resampling.BICUBIC, reducing_gap=3.0))


def warp(
    image: Image,
    matrix: ArrayLike,
    size_hw: tuple[int, int],
    *,
    fill: int | None = None,
    interpolation: str = "auto",
) -> Image:
    """Map the image by a matrix (2, 3) from input to output points onto a canvas of a size.

    What lies outside the image repeats its border, or has the grey level `fill`. An interpolation
    but `auto` is for matrices that turn and scale: it turns at the image's scale, then resizes.
    """
    back = geometry.invert(matrix)
    if interpolation != "auto":
        filtered = _filtered(image, np.asarray(matrix, np.float64), size_hw, fill, interpolation)
        if filtered is not None:
            return filtered
    region = _region(back, size_hw, image.shape[:2])
    part = PIL.Image.fromarray(_cut(image, region, fill))
    # Averaging whole pixels first, then a few samples a pixel, keeps large faces cheap.
    shrink = max(1.0, math.sqrt(abs(float(np.linalg.det(back[:, :2])))))
    factor = max(1, int(shrink / 2))
    part = part.reduce(factor) if factor > 1 else part
    samples = math.ceil(shrink / factor - 1e-6)
    inner = geometry.compose(back, _shrunk_region(region, factor))
    fine_hw = (size_hw[0] * samples, size_hw[1] * samples)
    to_part = geometry.compose(geometry.scaling(fine_hw, size_hw), inner)
    if samples == 1:
        return np.asarray(_transform(part, to_part, fine_hw, Resampling.BICUBIC))
    return np.asarray(_transform(part, to_part, fine_hw, Resampling.BILINEAR).reduce(samples))


def within(image: Image, box_xyxy: ArrayLike | None) -> tuple[Image, NDArray[np.int64]]:
    """Cut an image to a box, and say where its first pixel was (x, y).

    Without a box, or with one that is not known or lies outside, it stays whole.
    """
    if box_xyxy is not None and np.isfinite(box_xyxy).all():
        x0, y0, x1, y1 = np.rint(box_xyxy).clip(0).astype(np.int64)
        part = image[y0 : y1 + 1, x0 : x1 + 1]
        if part.size:
            return part, np.array([x0, y0])
    return image, np.zeros(2, np.int64)


def _filtered(
    image: Image,
    matrix: NDArray[np.float64],
    size_hw: tuple[int, int],
    fill: int | None,
    interpolation: str,
) -> Image | None:
    """Turn the image if the matrix does, then resize the box it shows; None if that is too large.

    A box is too large that the image covers less than a sixteenth of.
    """
    scale = np.linalg.norm(matrix[:, :2], axis=1)
    turn = matrix[:, :2] / scale[:, None]
    low = (-0.5 - matrix[:, 2]) / scale  # the corners of the box, in pixels of the turned image
    high = low + np.array(size_hw[::-1]) / scale
    margin = math.ceil(_REACH * max(1.0, 1 / float(scale.min()))) + 1
    if float((high - low).max()) > 4 * max(image.shape[:2]) + margin:
        return None
    left, top = (np.floor(low).astype(int) - margin).tolist()
    right, bottom = (np.ceil(high).astype(int) + margin).tolist()
    if np.allclose(turn, np.eye(2), atol=1e-6):
        part = _cut(image, (left, top, right, bottom), fill)
    else:
        moved = np.column_stack([turn, [-left, -top]])
        part = warp(image, moved, (bottom - top, right - left), fill=fill)
    (x0, y0), (x1, y1) = (edge + 0.5 - (left, top) for edge in (low, high))
    return _resized(part, (x0, y0, x1, y1), size_hw, interpolation)


def _resized(
    image: Image, box: geometry.Box, size_hw: tuple[int, int], interpolation: str
) -> Image:
    """Resize the box of an image, counted from the corner of its first pixel."""
    x0, y0, x1, y1 = map(float, box)
    growth = max(size_hw[0] / (y1 - y0), size_hw[1] / (x1 - x0))
    if interpolation == "area" and growth <= 1 + 1e-6:
        rows = _shares(y0, y1, size_hw[0], image.shape[0])
        columns = _shares(x0, x1, size_hw[1], image.shape[1])
        return _averaged(image, rows, columns)
    if interpolation not in INTERPOLATIONS:
        raise UsageError(unknown_name("interpolation", interpolation, INTERPOLATIONS))
    chosen = _FILTERS.get(interpolation, Resampling.BILINEAR)
    size = (size_hw[1], size_hw[0])
    return np.asarray(PIL.Image.fromarray(image).resize(size, chosen, box=(x0, y0, x1, y1)))


def _averaged(image: Image, rows: NDArray[np.float64], columns: NDArray[np.float64]) -> Image:
    """Weigh rows by (h, H) and columns by (w, W)."""
    across = np.tensordot(columns, image.astype(np.float64), (1, 1))  # (w, H) or (w, H, 3)
    return np.rint(np.tensordot(rows, across, (1, 1))).astype(np.uint8)


def _shares(low: float, high: float, n_out: int, n_in: int) -> NDArray[np.float64]:
    """Say what part of each of n_out equal stretches each pixel covers: (n_out, n_in)."""
    edges = np.linspace(low, high, n_out + 1)[:, None]
    first = np.arange(n_in)
    covered = np.minimum(edges[1:], first + 1) - np.maximum(edges[:-1], first)
    shares: NDArray[np.float64] = np.maximum(covered, 0) * n_out / (high - low)
    return shares


def _region(
    back: NDArray[np.float64], size_hw: tuple[int, int], image_hw: tuple[int, ...]
) -> Region:
    """Bound what the output reads: left, top, right, bottom; at most an image's size outside."""
    h, w = size_hw
    x, y = w - 0.5, h - 0.5
    corners = geometry.apply(back, [[-0.5, -0.5], [x, -0.5], [-0.5, y], [x, y]])
    height, width = image_hw[0] + _MARGIN, image_hw[1] + _MARGIN
    x0, y0, x1, y1 = geometry.bounding_box(
        np.clip(corners, (-width, -height), (2 * width, 2 * height))
    )
    return (
        math.floor(x0) - _MARGIN,
        math.floor(y0) - _MARGIN,
        math.ceil(x1) + _MARGIN + 1,
        math.ceil(y1) + _MARGIN + 1,
    )


def _cut(image: Image, region: Region, fill: int | None) -> Image:
    x0, y0, x1, y1 = region
    height, width = image.shape[:2]
    if x0 >= 0 and y0 >= 0 and x1 <= width and y1 <= height:
        return image[y0:y1, x0:x1]
    xs, ys = np.arange(x0, x1), np.arange(y0, y1)
    part = image[np.clip(ys, 0, height - 1)][:, np.clip(xs, 0, width - 1)]
    if fill is not None:
        part[(ys < 0) | (ys >= height)] = fill
        part[:, (xs < 0) | (xs >= width)] = fill
    return part


def _shrunk_region(region: Region, factor: int) -> NDArray[np.float64]:
    """Map the image's points to those of the region cut from it and shrunk by a whole factor."""
    x0, y0, _, _ = region
    box = (x0 - 0.5, y0 - 0.5, x0 - 0.5 + factor, y0 - 0.5 + factor)
    return geometry.box_to_image(box, (1, 1))


def _transform(
    picture: PIL.Image.Image,
    back: NDArray[np.float64],
    size_hw: tuple[int, int],
    resampling: Resampling,
) -> PIL.Image.Image:
    # Pillow counts from the pixel's corner, we from its centre.
    (a, b, c), (d, e, f) = back.tolist()
    data = (a, b, c + 0.5 - (a + b) / 2, d, e, f + 0.5 - (d + e) / 2)
    size = (size_hw[1], size_hw[0])
    return picture.transform(size, Transform.AFFINE, data, resample=resampling)
