"""Showing long work: a bar for a person, silence for everything else."""

import io
import sys

import pytest

from mien.progress import Line, cores, span, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_every_item_comes_through(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(track(iter("abc"), total=3, description="reading", quiet=False)) == ["a", "b", "c"]
    assert capsys.readouterr() == ("", "")


def test_a_terminal_gets_a_bar_on_stderr(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    assert list(track([1, 2], total=2, description="reading")) == [1, 2]
    assert "reading" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_quiet_is_silent_on_a_terminal_too(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(track([1, 2], total=2, description="reading", quiet=True)) == [1, 2]
    assert terminal.getvalue() == ""


def test_items_are_taken_one_at_a_time() -> None:
    taken = track(iter(range(10**9)), total=None, description="reading", quiet=True)
    assert [next(taken), next(taken)] == [0, 1]


def test_a_line_is_drawn_on_a_terminal_and_taken_away(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    line = Line()
    line.show("half of it is done")
    line.close()
    line.close()
    assert "half of it is done" in terminal.getvalue()
    assert sys.stderr is terminal


def test_a_line_is_not_drawn_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    line = Line()
    line.show("half of it is done")
    line.close()
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0.4, "0 s"), (59.6, "1 min 0 s"), (61, "1 min 1 s"), (3600, "1 h 0 min")],
)
def test_a_time_is_worded_in_its_two_largest_units(seconds: float, said: str) -> None:
    assert span(seconds) == said


def test_at_least_one_core_is_there() -> None:
    assert cores() >= 1
