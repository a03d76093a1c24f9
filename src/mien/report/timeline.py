"""A picture of what faces showed over time: a panel a track, the shares of expressions stacked."""

import io
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from mien.images.drawing import COLOURS, INK
from mien.report.figures import check

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Span = tuple[str, float, float]  # an expression, from when to when in seconds

_KEPT = 2048  # stretches of time that are kept apart
_SHOWN = 800  # and drawn
_CHANCE = 0.02  # of the longest track, below which one is not drawn
_FIRST_S = 0.02  # length of a stretch, to begin with
_TICKS = 8  # at most, so many seconds apart
_STEPS_S = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400)


class Series:
    """Gathers the probabilities of tracks over any length of time in bounded memory."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self.frames = 0
        self.first_s = self.last_s = 0.0
        self._stretch_s = _FIRST_S
        self._sums: dict[int, dict[int, NDArray[np.float64]]] = {}

    def add(self, time_s: float, shown: Mapping[int, Mapping[str, float]]) -> None:
        """Take the probabilities of the tracks in sight at a time."""
        self.first_s = self.first_s if self.frames else time_s
        self.last_s = max(time_s, self.last_s)
        self.frames += 1
        while self._place(time_s) >= _KEPT:
            self._halve()
        for track, shares in shown.items():
            sums = self._sums.setdefault(track, {})
            read = np.array([*(shares[name] for name in self.labels), 1.0])
            place = self._place(time_s)
            sums[place] = sums[place] + read if place in sums else read

    def longest(self, count: int) -> list[int]:
        """Name the tracks that are longest in sight, in their own order; chance finds are none."""
        seen = {
            track: sum(float(sums[-1]) for sums in places.values())
            for track, places in self._sums.items()
        }
        least = _CHANCE * max(seen.values(), default=0)
        long = [track for track in seen if seen[track] >= least]
        return sorted(sorted(long, key=lambda track: -seen[track])[:count])

    def tracks(self) -> int:
        """Count the tracks."""
        return len(self._sums)

    def drawn(self, track: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Give the edges (T + 1,) of stretches and a track's mean shares (T, C), nan unseen."""
        count = max(1, min(_SHOWN, self.frames))
        step = (self.last_s - self.first_s) / max(1, self.frames - 1)
        edges = np.linspace(self.first_s, self.last_s + max(step, 1e-3), count + 1)
        sums = np.zeros((count, len(self.labels) + 1))
        for place, read in self._sums[track].items():
            middle = self.first_s + (place + 0.5) * self._stretch_s
            sums[min(count - 1, int(np.searchsorted(edges, middle, "right")) - 1)] += read
        with np.errstate(invalid="ignore"):
            shares = sums[:, :-1] / sums[:, -1:]
        lone = np.flatnonzero(np.isnan(shares[1:-1, 0])) + 1
        shares[lone] = (shares[lone - 1] + shares[lone + 1]) / 2  # nan still where a side is
        return edges, shares

    def _place(self, time_s: float) -> int:
        return max(0, int((time_s - self.first_s) / self._stretch_s + 1e-6))

    def _halve(self) -> None:
        self._stretch_s *= 2
        for track, sums in self._sums.items():
            joined: dict[int, NDArray[np.float64]] = {}
            for place, read in sums.items():
                half = place // 2
                joined[half] = joined[half] + read if half in joined else read
            self._sums[track] = joined


def timeline(
    series: Series, events: Mapping[int, Sequence[Span]], *, kind: str = "png", most: int = 8
) -> bytes:
    """Draw the tracks that are longest in sight; a line above a panel marks its events."""
    check()
    from matplotlib.figure import Figure
    from matplotlib.patches import Patch
    from matplotlib.ticker import MultipleLocator

    tracks = series.longest(most)
    rows = max(1, len(tracks))
    figure = Figure(figsize=(8.4, 0.9 + 1.25 * rows), layout="constrained")
    panels = figure.subplots(rows, squeeze=False, sharex=True)[:, 0]
    for axes, track in zip(panels, tracks, strict=False):
        _stack(axes, *series.drawn(track), series.labels)
        for name, start, end in events.get(track, ()):
            axes.plot([start, end], [1.07, 1.07], color=_colour(name), lw=3, solid_capstyle="butt")
        axes.set_ylabel(f"track {track}", rotation=0, ha="right", va="center")
    for axes in panels:
        axes.set_ylim(0, 1.12)
        axes.set_yticks([0, 1], ["0%", "100%"], fontsize=7)
        axes.spines[["top", "right"]].set_visible(False)
        axes.set_xlim(series.first_s, max(series.last_s, series.first_s + 0.1))
    panels[-1].xaxis.set_major_locator(MultipleLocator(tick_step(series.last_s - series.first_s)))
    panels[-1].xaxis.set_major_formatter(lambda time_s, _: clock(time_s))
    if not tracks:
        centre = {"ha": "center", "va": "center", "transform": panels[0].transAxes}
        panels[0].text(0.5, 0.5, "no face", **centre)
    if len(tracks) < series.tracks():
        panels[-1].set_xlabel(f"the {len(tracks)} longest of {series.tracks()} tracks", fontsize=8)
    named = [Patch(color=_colour(name), label=name) for name in series.labels]
    figure.legend(handles=named, loc="outside upper center", ncols=8, fontsize=7, frameon=False)
    drawn = io.BytesIO()
    told = {"png": {"Software": None}, "svg": {"Date": None}}.get(kind)
    figure.savefig(drawn, format=kind, dpi=150, metadata=told)
    return drawn.getvalue()


def tick_step(length_s: float) -> float:
    """Choose the seconds from a tick to the next as clocks divide time."""
    return next((step for step in _STEPS_S if length_s <= _TICKS * step), length_s / _TICKS)


def clock(time_s: float, *, even: bool = False) -> str:
    """Write a time as minutes and seconds, with hours where there are any.

    even: with hundredths always, not only where there are any.
    """
    minutes, rest = divmod(round(time_s, 2), 60)
    hours, minutes = divmod(int(minutes), 60)
    text = f"{rest:05.2f}" if even else f"{rest:05.2f}".rstrip("0").rstrip(".")
    return f"{hours}:{minutes:02d}:{text}" if hours else f"{minutes}:{text}"


def _stack(
    axes: "Axes", edges: NDArray[np.float64], shares: NDArray[np.float64], labels: Sequence[str]
) -> None:
    """Fill a band an expression, each stretch as wide as it is long."""
    times = np.repeat(edges, 2)[1:-1]
    top = np.zeros(len(times))
    for name, share in zip(labels, np.repeat(shares, 2, axis=0).T, strict=True):
        axes.fill_between(times, top, top + share, color=_colour(name), lw=0)
        top = top + share


def _colour(name: str) -> str:
    return "#{:02x}{:02x}{:02x}".format(*COLOURS.get(name, INK))
