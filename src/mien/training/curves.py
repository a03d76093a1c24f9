"""The figures of a training over its epochs, those that can share an axis together."""

from __future__ import annotations

from pathlib import Path

from mien.files import write
from mien.report.curves import curves_png
from mien.training.logs import History, history

CURVES = "curves.png"
SHARES = ("accuracy", "train_accuracy", "balanced_accuracy", "macro_f1", "worst_recall")


def write_curves(folder: Path, chosen: int | None = None) -> None:
    """Draw the log of the run in a folder beside it; `chosen` is the epoch that was kept."""
    write(folder / CURVES, curves_png(panels(history(folder)), chosen))


def panels(found: History) -> dict[str, History]:
    """Give titles, under each lines by name: a value an epoch, None where nothing was measured."""
    given: dict[str, History] = {}
    for name, values in found.items():
        title, line = _place(name)
        if name == "-loss":  # its negative, because the highest figure is the best
            values = [None if value is None else -value for value in values]
        given.setdefault(title, {})[line] = values
    return given


def worded(name: str, value: float) -> tuple[str, float]:
    """Name a figure for people; that of the loss is kept with its sign turned."""
    if name == "-loss":
        return "validation loss", -value
    return name.replace("_", " ").replace(" f1", " F1"), value


def _place(name: str) -> tuple[str, str]:
    if name in ("loss", "-loss"):
        return "loss", "training" if name == "loss" else "validation"
    if name in SHARES:
        return "share right", worded(name, 0)[0]
    title, _, line = name.partition("/")
    return title.replace("_", " "), line or name
