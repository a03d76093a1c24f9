import re
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien import images
from mien.errors import MissingExtraError, UsageError
from mien.report import figures

DRAWN: dict[str, Callable[[], str]] = {
    "confusion": lambda: figures.confusion_figure([[5, 1], [0, 0]], ["fear", "<joy>"]),
    "distribution": lambda: figures.distribution_figure([5, 1], [6, 0], ["fear", "<joy>"]),
    "reliability": lambda: figures.reliability_figure([(0.5, 0.4, 7), (0.9, 0.8, 3), (0, 0, 0)]),
    "risk": lambda: figures.risk_coverage_figure([0.9, 0.5, 0.5], [True, False, True]),
    "intervals": lambda: figures.interval_figure(["<joy>"], [0.1], [-0.1], [0.3], x="drop"),
    "histories": lambda: figures.history_figure(
        {"<a>": {"loss": [1.0, 0.5], "accuracy": [None, 0.5]}, "b": {"loss": [float("nan"), 2.0]}}
    ),
}


@pytest.fixture(autouse=True)
def matplotlib() -> None:
    pytest.importorskip("matplotlib")


def test_bars_are_an_svg_that_takes_the_colour_of_the_text() -> None:
    drawn = figures.bars(["fear", "<joy>"], {"train": [0.25, 0.75], "test": [0.5, 0.5]}, y="share")
    assert drawn.startswith("<svg") and "currentColor" in drawn
    assert "train" in drawn and "&lt;joy&gt;" in drawn and "#123456" not in drawn
    assert 'id="figure_1"' not in drawn
    again = figures.bars(["fear", "<joy>"], {"train": [0.25, 0.75], "test": [0.5, 0.5]}, y="share")
    assert drawn == again


@pytest.mark.parametrize("name", DRAWN)
def test_every_figure_is_an_svg_the_same_each_time(name: str) -> None:
    drawn = DRAWN[name]()
    assert drawn.startswith("<svg") and "#123456" not in drawn and "<joy>" not in drawn
    assert drawn == DRAWN[name]()


@pytest.mark.parametrize(
    "drawn",
    [
        lambda: figures.reliability_figure(np.empty((0, 3))),
        lambda: figures.risk_coverage_figure([], []),
        lambda: figures.interval_figure([], [], [], []),
        lambda: figures.history_figure({}),
    ],
)
def test_nothing_to_show_is_still_a_figure(drawn: Callable[[], str]) -> None:
    assert drawn().startswith("<svg")


def test_a_drawing_is_saved_by_its_suffix(tmp_path: Path) -> None:
    given = (["<joy>"], [0.1], [-0.1], [0.3])
    for name in ("a.svg", "a.png", "b.png"):
        figures.save(tmp_path / name, figures.interval_figure, *given, x="drop")
    assert (tmp_path / "a.svg").read_text() == DRAWN["intervals"]()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
    shown = images.read(tmp_path / "a.png")
    assert shown[0, 0].tolist() == [255, 255, 255] and shown.min() < 60
    with pytest.raises(UsageError, match=r"\.svg or \.png, got 'a\.jpg'"):
        figures.save(tmp_path / "a.jpg", figures.interval_figure, *given)


def test_costs_are_drawn_in_points_from_nothing_and_no_tick_comes_twice() -> None:
    drawn = figures.interval_figure(["eyes"], [0.035], [0.03], [0.04], points=True)
    ticks = [text for text in re.findall(r">([^<>]+)</text>", drawn) if text != "eyes"]
    assert "0" in ticks and len(set(ticks)) == len(ticks) and not any("%" in t for t in ticks)
    drawn = figures.interval_figure(["eyes"], [0.035], [0.03], [0.04])
    ticks = [text for text in re.findall(r">([^<>]+)</text>", drawn) if text != "eyes"]
    assert len(set(ticks)) == len(ticks) and all(text.endswith("%") for text in ticks)


def test_a_confusion_has_counts_and_shares_of_the_row() -> None:
    texts = re.findall(r">([^<>]+)</text>", DRAWN["confusion"]())
    assert {"5", "83%", "1", "17%", "0", "true", "answered"} <= set(texts)


def test_no_two_of_many_lines_look_alike() -> None:
    def drawn(runs: int) -> str:
        return figures.history_figure({f"fold {n}": {"loss": [2.0, 1.0]} for n in range(runs)})

    lines = re.findall(r'clip-path="[^"]*" style="([^"]*stroke-width: 1.4[^"]*)"', drawn(24))
    assert len(lines) == len(set(lines)) == 24 and "fold 23" in drawn(24)
    assert "fold 0" not in drawn(25)  # more lines than a key could tell apart


def test_a_line_of_a_history_spans_the_epochs_without_a_measure() -> None:
    drawn = DRAWN["histories"]()
    assert "epoch" in drawn and "accuracy" in drawn and "&lt;a&gt;" in drawn


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"needs Matplotlib: pip install 'mien\[plots\]'"):
        figures.check()
