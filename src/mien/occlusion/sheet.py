"""Sheets that show what each occluder looks like."""

from collections.abc import Sequence

import numpy as np

from mien import geometry, images, occlusion
from mien.errors import DataError
from mien.images.drawing import PAPER
from mien.images.grid import grid
from mien.occlusion.head import Head
from mien.occlusion.kinds import Image, Points

SIDE = 96
CROP = 48
SEVERITIES = (0.25, 0.5, 0.75)
MAKES = 3  # shown of each occluder at full severity
_AROUND = 1.75  # sides of the square that is shown, in those of the points

FaceIn = tuple[Image, Points]


def of_one(face: FaceIn, names: Sequence[str], *, side: int = SIDE, seed: int = 0) -> Image:
    """Draw each occluder on one face: ever more of it, other makes, and on a small grey crop.

    Flat ones, which have one make, are shown once.
    """
    image, points = framed(*face, side)
    crop, crop_points = framed(images.to_grey(face[0]), face[1], CROP, around=1.15)
    rows, flat = [], [name for name in names if occlusion.OCCLUDERS[name].style == "flat"]
    for name in (name for name in names if name not in flat):
        drawn = [_on(image, points, name, severity, seed) for severity in (*SEVERITIES, 1.0)]
        drawn += [_on(image, points, name, 1.0, seed + other) for other in range(1, MAKES)]
        drawn.append(_enlarged(_on(crop, crop_points, name, 1.0, seed), side))
        rows.append((name, drawn))
    titles = [*(f"{100 * severity:.0f} %" for severity in (*SEVERITIES, 1.0))]
    titles += [*[""] * (MAKES - 1), f"{CROP} px"]
    blocks = [grid(rows, titles, side=side)] if rows else []
    for start in range(0, len(flat), len(titles)):
        some = flat[start : start + len(titles)]
        drawn = [_on(image, points, name, 1.0, seed) for name in some]
        drawn += [np.full_like(image, PAPER[0])] * (len(titles) - len(some))
        blocks.append(grid([("", drawn)], some, side=side))
    width = max(block.shape[1] for block in blocks)
    return np.concatenate(
        [
            np.pad(block, ((0, 0), (width - block.shape[1], 0), (0, 0)), constant_values=PAPER[0])
            for block in blocks
        ]
    )


def of_many(
    faces: Sequence[FaceIn], names: Sequence[str], *, side: int = SIDE, seed: int = 0
) -> Image:
    """Draw each occluder on each face; small images that a face fills are shown whole."""
    shown = [face if max(face[0].shape[:2]) <= side else framed(*face, side) for face in faces]
    rows = [
        (
            name,
            [
                _enlarged(_on(image, points, name, 1.0, (seed, column)), side)
                for column, (image, points) in enumerate(shown)
            ],
        )
        for name in names
    ]
    return grid(rows, [], side=side)


def from_side_to_side(points_xy: Points, count: int) -> list[int]:
    """Choose faces (N, 68, 2) of all poses, from one that looks left to one that looks right."""
    turns = [Head.of(points).turn if np.isfinite(points).all() else np.nan for points in points_xy]
    order = np.argsort(turns)[: int(np.isfinite(turns).sum())]
    if not len(order):
        raise DataError(f"expected a face with points to draw on, found none of {len(points_xy)}")
    at = np.linspace(0.02, 0.98, count) * (len(order) - 1)
    return [int(row) for row in order[np.unique(np.rint(at).astype(np.intp))]]


def framed(
    image: Image, points_xy: Points, side: int, *, around: float = _AROUND
) -> tuple[Image, Points]:
    """Cut out a square around a face, of a side in pixels."""
    x0, y0, x1, y1 = geometry.bounding_box(points_xy)
    height = y1 - y0
    box = geometry.square_box((x0, y0 - 0.2 * height, x1, y1), around / 1.1)
    matrix = geometry.box_to_image(box, (side, side))
    return images.warp(image, matrix, (side, side)), geometry.apply(matrix, points_xy)


def _on(
    image: Image, points_xy: Points, name: str, severity: float, seed: int | tuple[int, int]
) -> Image:
    more = min(image.shape[:2]) > CROP and occlusion.OCCLUDERS[name].style == "flat"
    draw = occlusion.occluder(name, severity=severity, photograph=more)
    return draw(image, points_xy, np.random.default_rng(seed))[0]


def _enlarged(image: Image, side: int) -> Image:
    """Show every pixel, or shrink what is too large."""
    times = max(1, side // max(image.shape[:2]))
    large = image.repeat(times, 0).repeat(times, 1)
    return large if large.shape[:2] == (side, side) else images.resize(large, (side, side))
