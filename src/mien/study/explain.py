"""Where an answer comes from: what its probability loses when a part of the face is covered.

Everything is in the frame of the faces' crops. Of several faces whose points are known the parts
covered follow the points, and what is found is laid on their mean face.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import geometry, images, occlusion
from mien.errors import DataError
from mien.progress import track
from mien.recognizer import ExpressionReader

REGIONS = ("forehead", "brows", "eyes", "nose", "cheeks", "mouth")
WINDOW, STRIDE = 1 / 5, 1 / 16  # of the crop's side

Crops = NDArray[np.uint8]
Points = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]
Targets = NDArray[np.int64]


@dataclass(frozen=True, eq=False, kw_only=True)
class Explanation:
    """What was found for faces of one kind, in points of probability lost.

    probability: of what is explained, on the whole faces. face: (H, W), the face or the mean of
    them. sliding: (H, W), what a small cover costs where it lies. regions: what hiding each costs;
    masks: (H, W), which pixels of the face it hides.
    """

    name: str
    faces: int
    probability: float
    face: Crops
    sliding: Floats
    regions: dict[str, float]
    masks: dict[str, NDArray[np.bool_]]

    @property
    def most(self) -> float:
        """What the costliest cover or region costs, or gives."""
        return max(float(np.abs(self.sliding).max()), *map(abs, self.regions.values()), 0.0)


def explain(
    reader: ExpressionReader,
    crops: Crops,
    points_xy: Points | None,
    targets: Targets | None = None,
    *,
    name: str = "",
    quiet: bool = True,
) -> Explanation:
    """Explain crops (N, H, W) or (N, H, W, 3) with their points (N, 68, 2).

    The probability is that of `targets` (N,), columns of the model's labels, or of its own answers.
    Without points there are no regions.
    """
    if not len(crops):
        raise DataError("expected at least one face to explain, found none")
    frame = Frame(crops.shape[1:3], points_xy)
    whole = reader.read(crops).probabilities
    chosen = whole.argmax(axis=1) if targets is None else targets
    own = whole[np.arange(len(crops)), chosen]

    def lost(covered: Crops) -> float:
        left = reader.read(covered).probabilities[np.arange(len(crops)), chosen]
        return float((own - left).mean())

    face = mean_face(crops, frame)
    regions: dict[str, float] = {}
    masks: dict[str, NDArray[np.bool_]] = {}
    for region in _known(REGIONS) if points_xy is not None else ():
        regions[region] = lost(occlusion.batch(region, crops, np.asarray(points_xy), 0)[0])
        masks[region] = occlusion.batch(region, face[None], frame.mean_xy[None], 0)[1][0]
    centres = grid(crops.shape[1:3])
    steps = track(centres, total=len(centres), description=f"covering {name}", quiet=quiet)
    losses = np.array([lost(frame.covered(crops, centre)) for centre in steps])
    return Explanation(
        name=name,
        faces=len(crops),
        probability=float(own.mean()),
        face=face,
        sliding=spread(losses, centres, crops.shape[1:3]),
        regions=regions,
        masks=masks,
    )


class Frame:
    """The frame of the mean face, and where its places are on each face."""

    def __init__(self, size_hw: tuple[int, ...], points_xy: Points | None) -> None:
        self.size_hw = (size_hw[0], size_hw[1])
        self.mean_xy = np.zeros((68, 2), np.float32)
        self._to_mean: Floats | None = None
        if points_xy is not None:
            if not np.isfinite(points_xy).all():
                raise DataError("expected 68 landmarks for every face, some are not numbers")
            self.mean_xy = points_xy.mean(axis=0, dtype=np.float64).astype(np.float32)
            self._to_mean = geometry.similarity(points_xy, self.mean_xy)

    def aligned(self, image: Crops, row: int) -> Crops:
        """Lay a face on the mean face."""
        if self._to_mean is None:
            return image
        return images.warp(image, self._to_mean[row], self.size_hw)

    def covered(self, crops: Crops, centre_xy: Floats) -> Crops:
        """Cover a square about a place of the mean face in each face's own mean tone."""
        n, height, width = crops.shape[:3]
        centres, scale = np.tile(centre_xy, (n, 1)), np.ones(n)
        if self._to_mean is not None:
            back = geometry.invert(self._to_mean)
            centres = geometry.apply(back, centres[:, None])[:, 0]
            scale = np.hypot(back[:, 0, 0], back[:, 1, 0])
        half = (scale * WINDOW * min(height, width) / 2)[:, None]
        rows = np.abs(np.arange(height) - centres[:, 1:]) <= half
        columns = np.abs(np.arange(width) - centres[:, :1]) <= half
        mask = rows[:, :, None] & columns[:, None, :]
        tone = crops.mean(axis=(1, 2), keepdims=True).astype(np.uint8)
        return np.where(mask.reshape(*mask.shape, *[1] * (crops.ndim - 3)), tone, crops)


def mean_face(crops: Crops, frame: Frame) -> Crops:
    """Average faces laid on each other, grey (H, W)."""
    total = np.zeros(frame.size_hw)
    for row, crop in enumerate(crops):
        total += frame.aligned(images.to_grey(crop), row)
    return np.rint(total / len(crops)).astype(np.uint8)


def laid_over(maps: Floats, points_xy: Points | None) -> Floats:
    """Average maps (N, H, W) of values from 0 to 1 on the mean face; the greatest becomes 1."""
    frame = Frame(maps.shape[1:3], points_xy)
    mean = mean_face(np.rint(maps * 255).astype(np.uint8), frame).astype(np.float64)
    return np.asarray(mean / max(float(mean.max()), 1.0))


def grid(size_hw: tuple[int, ...]) -> Floats:
    """Give the centres (P, 2), x before y, of a small cover's places."""
    step = max(1.0, STRIDE * min(size_hw[:2]))
    ys, xs = (np.arange(step / 2, side, step) for side in size_hw[:2])
    return np.stack([one.ravel() for one in np.meshgrid(xs, ys)], axis=1)


def spread(losses: Floats, centres_xy: Floats, size_hw: tuple[int, ...]) -> Floats:
    """Average over every pixel (H, W) the losses (P,) of the covers that lie on it."""
    height, width = size_hw[:2]
    half = WINDOW * min(height, width) / 2
    rows = np.abs(np.arange(height) - centres_xy[:, 1:]) <= half
    columns = np.abs(np.arange(width) - centres_xy[:, :1]) <= half
    weights = rows.astype(np.float64).T @ (columns * 1.0)
    total = (rows * losses[:, None]).T @ (columns * 1.0)
    return np.asarray(total / np.maximum(weights, 1))


def _known(regions: Sequence[str]) -> list[str]:
    return [region for region in regions if region in occlusion.names()]
