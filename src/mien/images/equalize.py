"""Equalisation of grey levels, counted as OpenCV counts it."""

import numpy as np
from numpy.typing import NDArray

from mien.images.pixels import Image

_TILES = 8
_CLIP = 2.0


def histogram(image: Image) -> Image:
    """Spread the grey levels (H, W) so that each is used about equally."""
    counts = np.bincount(image.ravel(), minlength=256)
    darkest = int(image.min())
    rest = image.size - counts[darkest]
    if rest == 0:
        return image
    counts[: darkest + 1] = 0
    scale = np.float32(255) / np.float32(rest)
    table: Image = np.rint(np.cumsum(counts).astype(np.float32) * scale).astype(np.uint8)
    return table[image]


def clahe(image: Image) -> Image:
    """Equalise 8 by 8 tiles of (H, W) with clipped histograms, and blend between them."""
    height, width = image.shape
    tile_hw = (-(-height // _TILES), -(-width // _TILES))
    below, right = tile_hw[0] * _TILES - height, tile_hw[1] * _TILES - width
    tables = _tile_tables(np.pad(image, ((0, below), (0, right)), mode="reflect"), tile_hw)
    y0, y1, down = _neighbours(height, tile_hw[0])
    x0, x1, across = _neighbours(width, tile_hw[1])
    y0, y1, down = y0[:, None], y1[:, None], down[:, None]
    upper = tables[y0, x0, image] * (1 - across) + tables[y0, x1, image] * across
    lower = tables[y1, x0, image] * (1 - across) + tables[y1, x1, image] * across
    return np.rint(upper * (1 - down) + lower * down).astype(np.uint8)


def _tile_tables(image: Image, tile_hw: tuple[int, int]) -> NDArray[np.float32]:
    """Make each tile's table of levels: (8, 8, 256)."""
    h, w = tile_hw
    tiles = image.reshape(_TILES, h, _TILES, w).swapaxes(1, 2).reshape(_TILES**2, h * w)
    numbered = tiles + 256 * np.arange(_TILES**2)[:, None]
    counts = np.bincount(numbered.ravel(), minlength=256 * _TILES**2).reshape(-1, 256)
    sums = np.cumsum(_clipped(counts, h * w), axis=1).astype(np.float32)
    tables = np.rint(sums * np.float32(255 / (h * w))).clip(0, 255)
    return np.asarray(tables.reshape(_TILES, _TILES, 256), np.float32)


def _clipped(counts: NDArray[np.intp], area: int) -> NDArray[np.intp]:
    """Cut the counts (N, 256) at the limit and give what was cut to all levels evenly."""
    limit = max(int(_CLIP * area / 256), 1)
    excess = np.maximum(counts - limit, 0).sum(axis=1)
    share, left = np.divmod(excess, 256)
    step = 256 // np.maximum(left, 1)
    levels = np.arange(256)
    turn = (levels % step[:, None] == 0) & (levels // step[:, None] < left[:, None])
    return np.asarray(np.minimum(counts, limit) + share[:, None] + turn, np.intp)


def _neighbours(
    length: int, tile: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Find the two tiles around every place, and how far it lies from the first to the second."""
    place = np.arange(length) / np.float32(tile) - np.float32(0.5)
    first = np.floor(place).astype(np.intp)
    last = _TILES - 1
    return first.clip(0, last), (first + 1).clip(0, last), (place - first).astype(np.float32)
