"""Figures as SVG that takes the colour of the text around it."""

import io
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from mien.errors import MissingExtraError

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLOURS = ("#4c7fb8", "#dd8433", "#3f9e73", "#a865a8", "#8c8c3f", "#c2565b")

_INK = "#123456"  # replaced by the colour of the text around
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mien",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
    **dict.fromkeys(("text.color", "axes.labelcolor", "axes.edgecolor"), _INK),
    **dict.fromkeys(("xtick.color", "ytick.color", "grid.color"), _INK),
}


def bars(
    names: Sequence[str], series: Mapping[str, Sequence[float]], *, x: str = "", y: str = ""
) -> str:
    """Draw a group of bars for each name, in it one of each series; the heights are shares."""
    check()
    import matplotlib
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(figsize=(7, 3), layout="constrained")
        axes = figure.add_subplot()
        width = 0.8 / max(1, len(series))
        for place, (title, shares) in enumerate(series.items()):
            left = [at - 0.4 + (place + 0.5) * width for at in range(len(names))]
            colour = COLOURS[place % len(COLOURS)]
            axes.bar(left, shares, width * 0.92, label=title, color=colour)
        axes.set_xticks(range(len(names)), names)
        axes.set_xlabel(x)
        axes.set_ylabel(y)
        axes.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
        axes.grid(axis="y", alpha=0.2)
        if len(series) > 1:
            axes.legend()
        return _svg(figure)


def check() -> None:
    """Tell whether figures can be drawn, before the work whose result they show."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("drawing figures", "Matplotlib", "plots") from error


def _svg(figure: "Figure") -> str:
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    text = drawn.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", text)  # another figure of the page has them too
