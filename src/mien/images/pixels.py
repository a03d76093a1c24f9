"""Colour, size and place of pixels."""

import math

import numpy as np
import PIL.Image
from numpy.typing import ArrayLike, NDArray
from PIL.Image import Resampling, Transform

from mien import geometry

Image = NDArray[np.uint8]
Region = tuple[int, int, int, int]

# What bicubic interpolation reads beyond the outermost point, and a little more.
_MARGIN = 3


def to_grey(image: Image) -> Image:
    """Weigh the colours as ITU-R 601 does; a grey image stays as it is."""
    return image if image.ndim == 2 else np.asarray(PIL.Image.fromarray(image).convert("L"))


def to_rgb(image: Image) -> Image:
    """Give a grey image three equal channels; a coloured one stays as it is."""
    return image if image.ndim == 3 else np.repeat(image[:, :, None], 3, axis=2)


def resize(image: Image, size_hw: tuple[int, int]) -> Image:
    """Change the size, antialiased when it shrinks; the same size gives the image itself."""
    if image.shape[:2] == tuple(size_hw):
        return image
    picture = PIL.Image.fromarray(image)
    size = (size_hw[1], size_hw[0])
    return np.asarray(picture.resize(size, Resampling.BICUBIC, reducing_gap=3.0))


def warp(
    image: Image, matrix: ArrayLike, size_hw: tuple[int, int], *, fill: int | None = None
) -> Image:
    """Map the image by a matrix (2, 3) from input to output points onto a canvas of a size.

    What lies outside the image repeats its border, or has the grey level `fill`.
    """
    back = geometry.invert(matrix)
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
