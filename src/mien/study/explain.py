"""Where an answer comes from: what it loses when a part of the face is covered.

A loss is told in points of probability and in log-odds, natural logarithms of what is explained
against the rest, which also move where the probability is so near to 0 or 1 that it does not.

Everything is in the frame of the faces' crops. Of several faces whose points are known the parts
covered follow the points, and what is found is laid on their mean face.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien import geometry, images, metrics, occlusion
from mien.errors import DataError
from mien.progress import track
from mien.recognizer import ExpressionReader

REGIONS = ("forehead", "brows", "eyes", "nose", "cheeks", "mouth")
WINDOW, STRIDE = 1 / 5, 1 / 16  # of the crop's side
LITTLE = 0.1  # of log-odds: less than this is no answer

Crops = NDArray[np.uint8]
Points = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]
Targets = NDArray[np.int64]


class Loss(NamedTuple):
    """What an answer loses, on average: of its probability, and in log-odds."""

    probability: float
    log_odds: float


@dataclass(frozen=True, eq=False, kw_only=True)
class Explanation:
    """What was found for faces of one kind: means over them.

    probability, log_odds: of what is explained, on the whole faces. face: (H, W), the face or the
    mean of them. sliding: (H, W), what a small cover costs where it lies, in log-odds. regions:
    what hiding each costs; masks: (H, W), which pixels of the face it hides. most: the largest of
    all losses or gains, of either kind.
    """

    name: str
    faces: int
    probability: float
    log_odds: float
    face: Crops
    sliding: Floats
    regions: dict[str, Loss]
    masks: dict[str, NDArray[np.bool_]]
    most: Loss

    @property
    def moves(self) -> bool:
        """Tell whether any part hidden alone moves the log-odds to speak of."""
        return self.most.log_odds >= LITTLE


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
    rows = np.arange(len(crops))
    chosen = reader.read(crops).logits.argmax(axis=1) if targets is None else targets

    def read(shown: Crops) -> Floats:
        """Give the probability and the log-odds of what is explained (N, 2)."""
        found = reader.read(shown)
        odds = metrics.log_odds(found.logits)[rows, chosen]
        return np.stack([found.probabilities[rows, chosen], odds], axis=1)

    own = read(crops)

    def lost(covered: Crops) -> Loss:
        return Loss(*(own - read(covered)).mean(axis=0).tolist())

    face = mean_face(crops, frame)
    regions: dict[str, Loss] = {}
    masks: dict[str, NDArray[np.bool_]] = {}
    for region in _known(REGIONS) if points_xy is not None else ():
        regions[region] = lost(occlusion.batch(region, crops, np.asarray(points_xy), 0)[0])
        masks[region] = occlusion.batch(region, face[None], frame.mean_xy[None], 0)[1][0]
    centres = grid(crops.shape[1:3])
    steps = track(centres, total=len(centres), description=f"covering {name}", quiet=quiet)
    losses = np.array([lost(frame.covered(crops, centre)) for centre in steps])
    all_of_them = np.abs(np.concatenate([losses, np.reshape([*regions.values()], (-1, 2))]))
    probability, odds = own.mean(axis=0).tolist()
    return Explanation(
        name=name,
        faces=len(crops),
        probability=probability,
        log_odds=odds,
        face=face,
        sliding=spread(losses[:, 1], centres, crops.shape[1:3]),
        regions=regions,
        masks=masks,
        most=Loss(*all_of_them.max(axis=0).tolist()),
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
