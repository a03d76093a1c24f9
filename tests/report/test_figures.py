import sys

import pytest

from mien.errors import MissingExtraError
from mien.report import figures


def test_bars_are_an_svg_that_takes_the_colour_of_the_text() -> None:
    pytest.importorskip("matplotlib")
    drawn = figures.bars(["fear", "<joy>"], {"train": [0.25, 0.75], "test": [0.5, 0.5]}, y="share")
    assert drawn.startswith("<svg") and "currentColor" in drawn
    assert "train" in drawn and "&lt;joy&gt;" in drawn and "#123456" not in drawn
    assert 'id="figure_1"' not in drawn
    again = figures.bars(["fear", "<joy>"], {"train": [0.25, 0.75], "test": [0.5, 0.5]}, y="share")
    assert drawn == again


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(MissingExtraError, match=r"needs Matplotlib: pip install 'mien\[plots\]'"):
        figures.check()
