"""When a face showed what: stretches of time in which one expression leads, each with its peak."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mien.errors import UsageError

RESTING = "neutral"  # no event


@dataclass(frozen=True, slots=True)
class Event:
    """An expression of a track: from when to when, and when it was most probable."""

    track: int
    expression: str
    start_s: float
    end_s: float
    peak_s: float
    peak: float
    frames: int

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON, times in seconds to four decimals, as rows have them."""
        return {
            "track": self.track,
            "expression": self.expression,
            "start_s": round(self.start_s, 4),
            "end_s": round(self.end_s, 4),
            "peak_s": round(self.peak_s, 4),
            "peak_probability": round(self.peak, 6),
            "frames": self.frames,
        }


class Events:
    """Finds events while the frames come.

    One begins when an expression reaches the probability `enter` and ends when it falls below
    `leave`, or its face is out of sight for `gap_s`; shorter ones than `least_s` do not count.
    """

    def __init__(
        self,
        *,
        enter: float = 0.5,
        leave: float = 0.4,
        gap_s: float = 1.0,
        least_s: float = 0.2,
    ) -> None:
        if not 0 < leave <= enter <= 1:
            raise UsageError(f"expected 0 < leave <= enter <= 1, got {leave} and {enter}")
        self._enter, self._leave, self._gap_s, self._least_s = enter, leave, gap_s, least_s
        self._open: dict[int, Event] = {}
        self._before_s = 0.0

    def update(self, time_s: float, shown: Mapping[int, Mapping[str, float]]) -> list[Event]:
        """Take the probabilities of the tracks in sight; give the events that are over by now."""
        over = [
            track
            for track, event in self._open.items()
            if track not in shown and time_s - event.end_s > self._gap_s
        ]
        ended = [self._open.pop(track) for track in over]
        for track, probabilities in shown.items():
            event = self._open.get(track)
            if event is not None and not self._goes_on(event, time_s, probabilities):
                ended.append(self._open.pop(track))
                event = None
            self._take(track, event, time_s, probabilities)
        self._before_s = time_s
        return self._long(ended)

    def finish(self) -> list[Event]:
        """End what is open, and give it."""
        ended, self._open = list(self._open.values()), {}
        return self._long(ended)

    def _goes_on(self, event: Event, time_s: float, probabilities: Mapping[str, float]) -> bool:
        near = event.end_s >= self._before_s or time_s - event.end_s <= self._gap_s
        return near and probabilities[event.expression] >= self._leave

    def _take(
        self, track: int, event: Event | None, time_s: float, probabilities: Mapping[str, float]
    ) -> None:
        leading = max(probabilities, key=probabilities.__getitem__)
        if event is None:
            if leading != RESTING and probabilities[leading] >= self._enter:
                peak = probabilities[leading]
                self._open[track] = Event(track, leading, time_s, time_s, time_s, peak, 1)
            return
        share = probabilities[event.expression]
        peak_s, peak = (time_s, share) if share > event.peak else (event.peak_s, event.peak)
        self._open[track] = Event(
            track, event.expression, event.start_s, time_s, peak_s, peak, event.frames + 1
        )

    def _long(self, ended: list[Event]) -> list[Event]:
        return sorted(
            (event for event in ended if event.end_s - event.start_s > self._least_s - 1e-6),
            key=lambda event: (event.start_s, event.track),
        )
