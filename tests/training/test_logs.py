"""What a training leaves in its folder while it runs, and what it shows."""

from __future__ import annotations

import csv
import io
import json
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from mien.errors import DataError, OutputError
from mien.training import logs
from mien.training.logs import Logs, history


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Told:
    """A tracker that keeps what it is told."""

    name = "told"

    def __init__(self, error: Exception | None = None) -> None:
        self.figures: list[tuple[int, dict[str, float]]] = []
        self.closed = 0
        self.error = error

    def write(self, epoch: int, figures: Mapping[str, float]) -> None:
        if self.error:
            raise self.error
        self.figures.append((epoch, dict(figures)))

    def close(self) -> None:
        self.closed += 1


def rows(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "log.csv").read_text().splitlines()))


def test_every_epoch_is_a_line_of_json_and_a_row_of_the_table(tmp_path: Path) -> None:
    with Logs(tmp_path, epochs=2, quiet=True) as kept:
        kept.epoch({"epoch": 1, "loss": 2.5, "seconds": 3.0})
        kept.epoch({"epoch": 2, "loss": 2.0, "seconds": 3.1, "accuracy": 0.5})
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert [json.loads(line)["epoch"] for line in lines] == [1, 2]
    first, second = rows(tmp_path)
    assert first == {"epoch": "1", "loss": "2.5", "seconds": "3.0", "accuracy": ""}
    assert second["accuracy"] == "0.5"


def test_a_run_that_goes_on_keeps_one_row_an_epoch(tmp_path: Path) -> None:
    for loss in (2.0, 1.0):
        with Logs(tmp_path, epochs=2, quiet=True) as kept:
            kept.epoch({"epoch": 1, "loss": loss})
    assert [row["loss"] for row in rows(tmp_path)] == ["1.0"]
    assert history(tmp_path) == {"loss": [1.0]}


def test_half_a_line_that_a_killed_process_left_is_dropped(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text('{"epoch": 1, "loss": 2.0}\n{"epoch": 2, "lo')
    with Logs(tmp_path, epochs=2, quiet=True) as kept:
        kept.epoch({"epoch": 2, "loss": 1.0})
    assert history(tmp_path) == {"loss": [2.0, 1.0]}


def test_without_a_folder_nothing_is_written_or_said(capsys: pytest.CaptureFixture[str]) -> None:
    with Logs(None, epochs=1) as kept:
        kept.batch(1, 1, 1, 1.0, 0.1, 100.0)
        kept.epoch({"epoch": 1, "loss": 1.0})
    assert capsys.readouterr() == ("", "")


def test_an_epoch_is_said_where_nobody_watches_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Logs(tmp_path, epochs=1) as kept:
        kept.batch(1, 1, 1, 1.0, 0.1, 100.0)
        kept.epoch({"epoch": 1, "loss": 1.0})
    assert capsys.readouterr() == ("", "epoch=1 loss=1.0\n")


def test_a_terminal_shows_a_line_that_tells_how_it_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    terminal, now = Terminal(), iter((0.0, 30.0))
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    monkeypatch.setattr(logs.time, "monotonic", lambda: next(now, time.time()))
    shown: list[str] = []
    with Logs(tmp_path, epochs=2) as kept:
        monkeypatch.setattr(kept._line, "show", shown.append)
        kept.batch(1, 1, 4, 2.0, 0.05, 1234.0)
        kept.batch(1, 2, 4, 1.5, 0.04, 1234.0)
    assert shown[0] == "epoch 1/2, step 1/4, loss 2.0000, rate 0.05, 1,234 faces/s"
    assert shown[1] == (
        "epoch 1/2, step 2/4, loss 1.5000, rate 0.04, 1,234 faces/s, 3 min 0 s left"
    )


def test_trackers_are_told_the_figures_and_closed(tmp_path: Path) -> None:
    told = Told()
    with Logs(tmp_path, epochs=1, quiet=True, trackers=[told]) as kept:
        kept.epoch({"epoch": 1, "loss": 1.0, "seconds": 5.0})
    assert told.figures == [(1, {"loss": 1.0})] and told.closed == 1


def test_a_tracker_that_fails_does_not_end_the_run(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    failing, told = Told(ConnectionError("no server")), Told()
    with Logs(tmp_path, epochs=2, trackers=[failing, told]) as kept:
        for epoch in (1, 2):
            kept.epoch({"epoch": epoch, "loss": 1.0})
    assert len(told.figures) == 2 and failing.closed == 0
    assert capsys.readouterr().err.count("told failed and is given up: no server") == 1


def test_a_log_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "log.csv").mkdir()
    with Logs(tmp_path, epochs=1, quiet=True) as kept:
        with pytest.raises(OutputError, match=r"cannot write .*log\.csv"):
            kept.epoch({"epoch": 1, "loss": 1.0})


def test_a_history_has_a_value_an_epoch(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text(
        '{"epoch": 1, "loss": 3.0, "seconds": 9}\n{"epoch": 2, "loss": 2.5}\n'
        '{"epoch": 2, "loss": 2.0, "score": 0.5}\n{"epoch": 4, "loss": 1.0}\n'
    )
    assert history(tmp_path) == {
        "loss": [3.0, 2.0, None, 1.0],
        "score": [None, 0.5, None, None],
    }


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "expected the folder of a training"),
        ("", "no epoch yet"),
        ("{", "no log"),
        ('{"a": 1}', "no log"),
        ("3", "no log"),
    ],
)
def test_what_is_no_log_is_named(tmp_path: Path, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / "log.jsonl").write_text(text)
    with pytest.raises(DataError, match=message):
        history(tmp_path)


def test_a_log_is_read_without_torch(fresh_python: Callable[[str], str]) -> None:
    fresh_python("import sys; sys.modules['torch'] = None; import mien.training.logs")
