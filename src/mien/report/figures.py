"""Figures as SVG that takes the colour of the text around it; strings to put on a page as they are.

`save` writes one to a file, as SVG or as PNG. Shares are numbers from 0 to 1; axes show them in
percent.
"""

import functools
import inspect
import io
import math
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec

import numpy as np
from numpy.typing import ArrayLike

from mien import files
from mien.errors import MissingExtraError, UsageError
from mien.report.lines import COLOURS, DIFFERENT, draw_line

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

SUFFIXES = (".svg", ".png")

P = ParamSpec("P")

_INK, _BLACK = "#123456", "#1d2129"  # the first is replaced by the colour of the text around
_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "mien",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "legend.frameon": False,
}
_INKED = ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color")
_WIDTH = 5.6  # inches; wider figures have writing too small for a telephone
_STEPS = 400  # of a curve: more than anyone sees
_DPI = 200  # of PNG
_KEY_COLUMNS = 3


def _drawing(draw: "Callable[P, Figure]") -> Callable[P, str]:
    """Give what is drawn as SVG; `save` draws it anew in another ink."""

    @functools.wraps(draw)
    def drawn(*given: P.args, **named: P.kwargs) -> str:
        with _style(_INK):
            return _svg(draw(*given, **named))

    return drawn


def save(path: Path, drawing: Callable[P, str], *given: P.args, **named: P.kwargs) -> None:
    """Write what a drawing below gives, by the suffix as SVG or as PNG on white."""
    check_name(path)
    if path.suffix.lower() == ".svg":
        files.write(path, drawing(*given, **named))
        return
    written = io.BytesIO()
    with _style(_BLACK):
        figure = inspect.unwrap(drawing)(*given, **named)
        figure.savefig(written, format="png", dpi=_DPI, metadata={"Software": None})
    files.write(path, written.getvalue())


def check_name(path: Path) -> None:
    """Check the suffix of a figure's file."""
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"a plot is written as {' or '.join(SUFFIXES)}, got {path.name!r}")


@_drawing
def bars(
    names: Sequence[str], series: Mapping[str, Sequence[float]], *, x: str = "", y: str = ""
) -> "Figure":
    """Draw a group of bars for each name, in it one of each series; the heights are shares."""
    figure = _figure(7, 3)
    axes = figure.add_subplot()
    width = 0.8 / max(1, len(series))
    for place, (title, shares) in enumerate(series.items()):
        left = [at - 0.4 + (place + 0.5) * width for at in range(len(names))]
        colour = COLOURS[place % len(COLOURS)]
        axes.bar(left, shares, width * 0.92, label=title, color=colour)
    axes.set_xticks(range(len(names)), names)
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    _percent(axes, "y")
    axes.grid(axis="y", alpha=0.2)
    if len(series) > 1:
        axes.legend()
    return figure


def distribution_figure(
    true_counts: ArrayLike, predicted_counts: ArrayLike, labels: Sequence[str]
) -> str:
    """Set how often each label is true beside how often it is answered."""
    series = {}
    for name, counts in (("true", true_counts), ("answered", predicted_counts)):
        found = np.asarray(counts, np.float64)
        series[name] = (found / max(1.0, float(found.sum()))).tolist()
    return bars(labels, series, y="share of the faces")


def confusion_figure(counts: ArrayLike, labels: Sequence[str]) -> str:
    """Draw counts (C, C), the truth in rows; each cell has its count and its share of the row."""
    found = np.asarray(counts)
    totals = found.sum(axis=1, keepdims=True)
    shares = found / np.maximum(totals, 1)
    cells = [
        [f"{n:,}\n{share:.0%}" if n else "0" for n, share in zip(*row, strict=True)]
        for row in zip(found.tolist(), shares.tolist(), strict=True)
    ]
    return matrix_figure(shares, labels, labels, cells, x="answered", y="true")


@_drawing
def matrix_figure(
    shares: ArrayLike,
    rows: Sequence[str],
    columns: Sequence[str],
    cells: Sequence[Sequence[str]],
    *,
    x: str = "",
    y: str = "",
) -> "Figure":
    """Draw a matrix of texts, shaded by shares (R, C)."""
    from matplotlib.colors import LinearSegmentedColormap

    height = 1.1 + 0.42 * len(rows)
    figure = _figure(max(3.2, min(7.0, 1.4 + 0.55 * len(columns))), height)
    axes = figure.add_subplot()
    faint, full = (*_rgb(COLOURS[0]), 0.0), (*_rgb(COLOURS[0]), 0.8)
    shade = LinearSegmentedColormap.from_list("shade", [faint, full])
    axes.pcolormesh(np.asarray(shares, np.float64), cmap=shade, vmin=0, vmax=1)
    for row, texts in enumerate(cells):
        for column, text in enumerate(texts):
            where = (column + 0.5, row + 0.5)
            axes.text(*where, text, ha="center", va="center", fontsize=7)
    axes.set_xticks(np.arange(len(columns)) + 0.5, columns, rotation=40, ha="right")
    axes.set_yticks(np.arange(len(rows)) + 0.5, rows)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.invert_yaxis()
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    return figure


@_drawing
def reliability_figure(bins: ArrayLike) -> "Figure":
    """Draw how often answers are right by how sure they are.

    bins: (B, 3), for each the mean confidence, the share right and the number of faces.
    """
    found = np.asarray(bins, np.float64).reshape(-1, 3)
    found = found[found[:, 2] > 0]
    figure = _figure(4.4, 3.8)
    axes = figure.add_subplot()
    axes.plot([0, 1], [0, 1], color=_ink(), alpha=0.35, linewidth=1, linestyle="--")
    sizes = 12 + 60 * found[:, 2] / max(1.0, float(found[:, 2].max(initial=1)))
    axes.plot(found[:, 0], found[:, 1], color=COLOURS[0], linewidth=1)
    axes.scatter(found[:, 0], found[:, 1], sizes, color=COLOURS[0])
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("confidence")
    axes.set_ylabel("right")
    _percent(axes, "xy")
    axes.grid(alpha=0.2)
    return figure


@_drawing
def risk_coverage_figure(confidence: ArrayLike, right: ArrayLike) -> "Figure":
    """Draw what share of the surest answers (N,) is wrong, from few of them to all."""
    sure, correct = np.asarray(confidence, np.float64), np.asarray(right, bool)
    order = np.argsort(-sure, kind="stable")
    taken = np.arange(1, len(order) + 1)
    wrong = np.cumsum(~correct[order]) / taken
    last = np.append(np.diff(sure[order]) != 0, True)[: len(order)]  # equally sure ones go together
    kept = np.flatnonzero(last)
    kept = kept[:: -max(1, len(kept) // _STEPS)][::-1]
    figure = _figure(_WIDTH, 3)
    axes = figure.add_subplot()
    axes.plot(taken[kept] / max(1, len(order)), wrong[kept], color=COLOURS[0])
    axes.set_xlim(0, 1.02)
    axes.set_ylim(0, 1.05 * float(wrong.max(initial=0.01)))
    axes.set_xlabel("answered, the surest first")
    axes.set_ylabel("wrong among them")
    _percent(axes, "xy")
    axes.grid(alpha=0.2)
    return figure


@_drawing
def interval_figure(
    names: Sequence[str],
    values: ArrayLike,
    lows: ArrayLike,
    highs: ArrayLike,
    *,
    x: str = "",
    points: bool = False,
) -> "Figure":
    """Draw a line a name: a share and its interval; or differences of shares, in points from 0."""
    at, low, high = (np.asarray(one, np.float64) for one in (values, lows, highs))
    figure = _figure(_WIDTH, 0.7 + 0.27 * max(1, len(names)))
    axes = figure.add_subplot()
    places = np.arange(len(names))
    axes.hlines(places, low, high, color=COLOURS[0], linewidth=2)
    axes.plot(at, places, "o", color=COLOURS[0], markersize=5)
    if points or low.min(initial=1) < 0 < high.max(initial=-1):
        axes.axvline(0, color=_ink(), alpha=0.4, linewidth=1)
    axes.set_yticks(places, names)
    axes.set_ylim(max(1, len(names)) - 0.5, -0.5)
    axes.set_xlabel(x)
    _percent(axes, "x", sign="" if points else "%")
    axes.grid(axis="x", alpha=0.2)
    return figure


@_drawing
def history_figure(histories: Mapping[str, Mapping[str, Sequence[float | None]]]) -> "Figure":
    """Draw a panel a measure (loss, accuracy), in it a line a run over its epochs.

    None and nan are epochs in which nothing was measured.
    """
    measures = list(dict.fromkeys(name for of in histories.values() for name in of))
    count = len(histories)
    above = math.ceil(count / _KEY_COLUMNS) if len(COLOURS) < count <= DIFFERENT else 0
    figure = _figure(_WIDTH, 0.4 + 0.2 * above + 2.1 * max(1, len(measures)))
    panels = figure.subplots(max(1, len(measures)), squeeze=False, sharex=True)[:, 0]
    for axes, measure in zip(panels, measures, strict=False):
        for place, (run, of) in enumerate(histories.items()):
            draw_line(axes, of.get(measure, ()), run, place)
        axes.set_ylabel(measure.replace("_", " "))
        axes.grid(alpha=0.2)
    panels[-1].set_xlabel("epoch")
    if above:  # no room among so many lines
        named = panels[0].get_legend_handles_labels()
        figure.legend(*named, loc="outside upper center", ncols=_KEY_COLUMNS)
    elif 1 < count <= DIFFERENT:  # beyond, lines look alike
        panels[0].legend()
    return figure


def check() -> None:
    """Tell whether figures can be drawn, before the work whose result they show."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise MissingExtraError("drawing figures", "Matplotlib", "plots") from error


def _style(ink: str) -> AbstractContextManager[None]:
    check()
    import matplotlib

    inked: Any = {**_STYLE, **dict.fromkeys((*_INKED, "grid.color"), ink)}
    return matplotlib.rc_context(inked)


def _ink() -> str:
    import matplotlib

    return str(matplotlib.rcParams["text.color"])


def _figure(width: float, height: float) -> "Figure":
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), layout="constrained")


def _percent(axes: "Axes", which: str, sign: str = "%") -> None:
    for name in which:
        axis = axes.xaxis if name == "x" else axes.yaxis
        axis.set_major_formatter(lambda share, _: f"{round(100 * share, 2) + 0.0:g}{sign}")


def _rgb(colour: str) -> tuple[float, ...]:
    return tuple(int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5))


def _svg(figure: "Figure") -> str:
    drawn = io.StringIO()
    figure.savefig(drawn, format="svg", transparent=True, metadata={"Date": None})
    text = drawn.getvalue()
    text = text[text.index("<svg") :].replace(_INK, "currentColor")
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    return re.sub(r' id="[A-Za-z0-9.]+_\d+"', "", text)  # another figure of the page has them too
