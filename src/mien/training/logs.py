"""What a training says while it runs: a live line, a log as JSON lines and as CSV, and trackers."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from mien import progress
from mien.errors import DataError, OutputError
from mien.files import opened, write
from mien.training.trackers import Tracker

LOG, TABLE = "log.jsonl", "log.csv"
NO_MEASURE = ("epoch", "seconds")

Entry = Mapping[str, Any]
History = dict[str, list[float | None]]  # a value an epoch, None where nothing was measured


class Logs:
    """The logs of a run in its folder; without a folder nothing is written and nothing shown.

    Epochs and steps are counted from 1. Trackers are closed with the logs; one that fails is given
    up, for a training outlives the server that watches it.
    """

    def __init__(
        self,
        folder: Path | None,
        *,
        epochs: int,
        quiet: bool = False,
        trackers: Sequence[Tracker] = (),
    ) -> None:
        self._folder = folder
        self._epochs = epochs
        self._quiet = quiet or folder is None
        self._line = progress.Line(quiet=self._quiet)
        self._trackers = list(trackers)
        self._first: tuple[float, int] | None = None  # when this process began, and at which step
        if folder is not None:
            _cut_off_half_a_line(folder / LOG)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def batch(
        self, epoch: int, step: int, steps: int, loss: float, rate: float, faces_per_second: float
    ) -> None:
        """Let the live line tell of a batch."""
        now, done = time.monotonic(), (epoch - 1) * steps + step
        if self._first is None:
            self._first = now, done
        began, before = self._first
        parts = [
            f"epoch {epoch}/{self._epochs}",
            f"step {step}/{steps}",
            f"loss {loss:.4f}",
            f"rate {rate:.3g}",
            f"{faces_per_second:,.0f} faces/s",
        ]
        if done > before:
            left = (now - began) / (done - before) * (self._epochs * steps - done)
            parts.append(f"{progress.span(left)} left")
        self._line.show(", ".join(parts))

    def epoch(self, entry: Entry) -> None:
        """Keep the figures of an epoch that is over."""
        if self._folder is not None:
            _append(self._folder / LOG, json.dumps(dict(entry)) + "\n")
            write(self._folder / TABLE, _csv(entries(self._folder)))
        figures = {name: entry[name] for name in entry if name not in NO_MEASURE}
        for tracker in tuple(self._trackers):
            self._tell(tracker, lambda one: one.write(entry["epoch"], figures))
        said = " ".join(f"{key}={value}" for key, value in entry.items())
        progress.say(said, quiet=self._quiet)

    def close(self) -> None:
        """Take the live line away and let the trackers end."""
        self._line.close()
        for tracker in tuple(self._trackers):
            self._tell(tracker, lambda one: one.close())
        self._trackers.clear()

    def _tell(self, tracker: Tracker, what: Callable[[Tracker], None]) -> None:
        try:
            what(tracker)
        except Exception as error:  # whatever a server or its client raises
            self._trackers.remove(tracker)
            progress.say(f"{tracker.name} failed and is given up: {error}", quiet=self._quiet)


def entries(folder: str | Path) -> list[dict[str, Any]]:
    """Read a training's log by epoch; of an epoch that was run twice the later line counts."""
    path = Path(folder) / LOG
    lines: dict[int, dict[str, Any]] = {}
    try:
        with opened(path, "r", encoding="utf-8") as file:
            for text in file.read().splitlines():
                entry = json.loads(text)
                lines[int(entry["epoch"])] = entry
    except OSError as error:
        raise DataError(
            f"cannot read {path}: {error.strerror or error}; expected the folder of a training"
        ) from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{path} is no log of a training: {error!r}") from error
    if not lines:
        raise DataError(f"{path} has no epoch yet; wait for the first to end")
    return [lines[epoch] for epoch in sorted(lines)]


def history(folder: str | Path) -> History:
    """Give a training's measures by epoch."""
    found = {entry["epoch"]: entry for entry in entries(folder)}
    epochs = range(1, max(found) + 1)
    return {
        name: [found.get(epoch, {}).get(name) for epoch in epochs]
        for name in _names(found.values())
        if name not in NO_MEASURE
    }


def _append(path: Path, line: str) -> None:
    try:
        with opened(path, "a", encoding="utf-8") as file:
            file.write(line)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error


def _cut_off_half_a_line(path: Path) -> None:
    """Drop what a process that was killed did not finish writing."""
    if path.exists():
        whole = path.read_bytes().rfind(b"\n") + 1
        os.truncate(path, whole)


def _csv(found: Sequence[Entry]) -> str:
    written = io.StringIO()
    rows = csv.DictWriter(written, _names(found), lineterminator="\n")
    rows.writeheader()
    rows.writerows(found)
    return written.getvalue()


def _names(found: Iterable[Entry]) -> list[str]:
    return list(dict.fromkeys(name for entry in found for name in entry))
