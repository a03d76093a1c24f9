"""Who is who from frame to frame: faces get the numbers of tracks.

Each track foresees its face by a Kalman filter of constant velocity, and the assignment that costs
least over all faces and tracks says which is which (SORT: Bewley et al., arXiv 1602.00763). Lengths
are measured in sides of the face, so that near and far ones are treated alike.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from mien import geometry
from mien.errors import MissingExtraError, UsageError
from mien.geometry import Floats
from mien.images import Image
from mien.records import Face

_MEASURED = 0.05**2  # variance of a box that is found, in sides squared
_SPEED = 3.0**2  # of the speed of a new face, in (sides a second) squared
_PUSH = 4.0  # how fast that speed becomes uncertain, in sides squared a second cubed
_REACH = (0.5, 2.0)  # sides that a face may be off its foreseen place, at least and at most
_GROWTH = 0.6  # of the logarithm of its side
_IMPOSSIBLE = 1e6
_CUT = 0.5  # share of the picture's colours that must change at once


@dataclass
class _Track:
    """Where a face is (centre x, y, width, height), how fast it goes, and how sure that is."""

    number: int
    place: Floats
    seen_s: float
    missed: int = 0
    velocity: Floats = field(default_factory=lambda: np.zeros(2))
    spread: Floats = field(default_factory=lambda: np.array([_MEASURED, 0.0, _SPEED]))

    def foresee(self, dt: float) -> None:
        self.place[:2] += self.velocity * dt
        place, both, speed = self.spread
        self.spread = np.array(
            [
                place + 2 * both * dt + speed * dt**2 + _PUSH * dt**3 / 3,
                both + speed * dt + _PUSH * dt**2 / 2,
                speed + _PUSH * dt,
            ]
        )

    def correct(self, found: Floats, time_s: float) -> None:
        place, both, speed = self.spread
        gain, push = place / (place + _MEASURED), both / (place + _MEASURED)
        off = found - self.place
        self.place += gain * off
        self.velocity = self.velocity + push * off[:2]
        self.spread = np.array([(1 - gain) * place, (1 - gain) * both, speed - push * both])
        self.seen_s, self.missed = time_s, 0


class Tracker:
    """Gives faces the numbers of tracks, from 1; a face that was hidden gets its own back.

    `keep_s` is for how long a track may be out of sight.
    """

    def __init__(self, keep_s: float = 1.5) -> None:
        if not keep_s >= 0:
            raise UsageError(f"keep_s must be at least 0 seconds, got {keep_s}")
        self._keep_s = keep_s
        self._tracks: list[_Track] = []
        self._started = 0
        self._time_s: float | None = None

    def update(self, faces: Sequence[Face], time_s: float, *, cut: bool = False) -> list[int]:
        """Give a track number a face; behind a cut all faces are new."""
        found = _places(faces)
        dt = 0.0 if self._time_s is None else max(0.0, time_s - self._time_s)
        self._time_s = time_s
        self._tracks = (
            [] if cut else [track for track in self._tracks if self._lives(track, time_s)]
        )
        for track in self._tracks:
            track.foresee(dt)
            track.missed += 1
        numbers = [0] * len(found)
        for row, column in _assigned(self._tracks, found):
            self._tracks[row].correct(found[column], time_s)
            numbers[column] = self._tracks[row].number
        for column, number in enumerate(numbers):
            if not number:
                self._started += 1
                numbers[column] = self._started
                self._tracks.append(_Track(self._started, found[column].copy(), time_s))
        return numbers

    def _lives(self, track: _Track, time_s: float) -> bool:
        """Say whether a track may go on; one just seen may, however long the step."""
        return not track.missed or time_s - track.seen_s <= self._keep_s


class Cuts:
    """Notices that the picture became another one from a frame to the next."""

    def __init__(self) -> None:
        self._before: Floats | None = None

    def update(self, image: Image) -> bool:
        """Look at the next frame (H, W, 3); tell whether a cut lies before it."""
        before, self._before = self._before, _colours(image)
        if before is None:
            return False
        changed = np.abs(self._before - before).sum(axis=1) / 2
        return float(np.mean(changed)) > _CUT


def _colours(image: Image) -> Floats:
    """Share the pixels of each quarter of a picture among 64 colours (4, 64)."""
    height, width = image.shape[:2]
    few = image[:: max(1, height // 72), :: max(1, width // 128)] >> 6
    codes = few[..., 0] * 16 + few[..., 1] * 4 + few[..., 2]
    halves = (np.array_split(half, 2, axis=1) for half in np.array_split(codes, 2))
    quarters = [part.ravel() for half in halves for part in half]
    counts = [np.bincount(part, minlength=64) / max(1, part.size) for part in quarters]
    return np.stack(counts)


def _places(faces: Sequence[Face]) -> Floats:
    boxes = np.array([face.box_xyxy for face in faces], np.float64).reshape(-1, 4)
    return np.concatenate([(boxes[:, :2] + boxes[:, 2:]) / 2, boxes[:, 2:] - boxes[:, :2]], axis=1)


def _boxes(places: Floats) -> Floats:
    return np.concatenate([places[:, :2] - places[:, 2:] / 2, places[:, :2] + places[:, 2:] / 2], 1)


def _assigned(tracks: Sequence[_Track], found: Floats) -> list[tuple[int, int]]:
    """Pair tracks with faces (N, 4) as costs least; what cannot be one is left out."""
    if not tracks or not len(found):
        return []
    try:
        from scipy.optimize import linear_sum_assignment
    except ImportError as error:
        raise MissingExtraError("tracking faces", "SciPy", "video", "serve") from error
    costs = _costs(tracks, found)
    rows, columns = linear_sum_assignment(costs)
    pairs = zip(rows.tolist(), columns.tolist(), strict=True)
    return [(row, column) for row, column in pairs if costs[row, column] < _IMPOSSIBLE]


def _costs(tracks: Sequence[_Track], found: Floats) -> NDArray[np.float64]:
    """Say how badly each face (N, 4) continues each track (T, 4): overlap, distance, size."""
    places = np.stack([track.place for track in tracks])
    sides, found_sides = (np.sqrt(boxes[:, 2] * boxes[:, 3]) for boxes in (places, found))
    side = np.sqrt(sides[:, None] * found_sides[None])
    off = np.linalg.norm(places[:, None, :2] - found[None, :, :2], axis=2) / side
    growth = np.abs(np.log(found_sides[None] / sides[:, None]))
    unsure = np.sqrt([track.spread[0] + _MEASURED for track in tracks])
    reach = np.clip(3 * unsure, *_REACH)[:, None]
    costs = 1 - geometry.box_iou(_boxes(places), _boxes(found)) + off + growth
    return np.where((off > reach) | (growth > _GROWTH), _IMPOSSIBLE, costs)
