"""Probabilities that move calmly: what was read of a face in a frame, averaged over the last ones.

The average is taken of the probabilities, so that it adds up to 1, and by time, so that the frame
rate changes nothing: what was read one half-life ago counts half.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien.errors import UsageError
from mien.records import Prediction

HALF_LIFE_S = 0.4
_FORGOTTEN = 20  # half-lives after which a millionth is left
_CERTAIN = (0.4, 0.6)  # share of certain frames: certain until below the one, from the other on
_TRACKS = 64  # more than that are looked through for forgotten ones


class Smoother:
    """Averages the probabilities of each track; a half-life of 0 leaves them as they are."""

    def __init__(self, half_life_s: float = HALF_LIFE_S) -> None:
        if not 0 <= half_life_s < np.inf:
            raise UsageError(f"the half-life must be at least 0 seconds, got {half_life_s}")
        self._half_life_s = half_life_s
        self._tracks: dict[int, tuple[float, NDArray[np.float64]]] = {}
        self._certain: dict[int, str] = {}

    def update(self, track: int, time_s: float, probabilities: ArrayLike) -> NDArray[np.float64]:
        """Take what was read of a track (C,) at a time; give what it shows with what was before."""
        read = np.asarray(probabilities, np.float64)
        if not self._half_life_s:
            return read
        if len(self._tracks) > _TRACKS:
            self._prune(time_s)
        then, before = self._tracks.get(track, (-np.inf, read))
        kept = 0.5 ** (max(0.0, time_s - then) / self._half_life_s)
        # The first reading is no older than itself: then kept is 0.
        smooth: NDArray[np.float64] = kept * before + (1 - kept) * read
        self._tracks[track] = time_s, smooth
        return smooth

    def smoothed(self, track: int, time_s: float, prediction: Prediction) -> Prediction:
        """Take what was read of a track; answer by it with what was before.

        Ask of one track either this or `update`.
        """
        names = list(prediction.probabilities)
        sure = [prediction.certain and name == prediction.expression for name in names]
        average = self.update(track, time_s, [*prediction.probabilities.values(), *sure])
        shares = np.clip(average[: len(names)], 0, 1).tolist()
        probabilities = dict(zip(names, shares, strict=True))
        expression = max(names, key=probabilities.__getitem__)
        least, enough = _CERTAIN
        needed = least if self._certain.pop(track, None) == expression else enough
        certain = bool(average[len(names) + names.index(expression)] >= needed)
        if certain:
            self._certain[track] = expression
        return replace(
            prediction,
            expression=expression,
            probability=probabilities[expression],
            probabilities=probabilities,
            certain=certain,
        )

    def _prune(self, time_s: float) -> None:
        oldest = time_s - _FORGOTTEN * self._half_life_s
        self._tracks = {track: kept for track, kept in self._tracks.items() if kept[0] >= oldest}
        self._certain = {track: of for track, of in self._certain.items() if track in self._tracks}
