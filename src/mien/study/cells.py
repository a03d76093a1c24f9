"""The cells of a study on disk: a receipt each, so that nothing finished is ever done again."""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

from mien.evaluation import Receipt
from mien.files import keep_plan
from mien.progress import say, span, track

PLAN = "plan.json"

Unit = TypeVar("Unit")


class Cell(NamedTuple):
    """What the network was trained on and tested on; `model` is one that was trained before."""

    trained: str
    tested: str
    seed: int
    fold: str


class Store:
    """A folder of cells that belong to one plan: the same faces, model or training, and folds.

    Conditions and seeds are no part of it: more of them may be asked for later. usual: what holds
    where a plan was noted before there was such a setting.
    """

    def __init__(
        self, folder: Path, plan: Mapping[str, Any], usual: Mapping[str, Any] | None = None
    ) -> None:
        self.folder = folder
        keep_plan(folder / PLAN, plan, "a study", usual)

    def __contains__(self, cell: Cell) -> bool:
        return self.path(cell).exists()

    def path(self, cell: Cell) -> Path:
        """Name the receipt of a cell."""
        name = f"seed-{cell.seed} {_plain(cell.fold)}.json"
        return self.folder / "cells" / _plain(cell.trained) / _plain(cell.tested) / name

    def save(self, cell: Cell, receipt: Receipt) -> None:
        receipt.save(self.path(cell))

    def open(self, cell: Cell) -> Receipt:
        return Receipt.open(self.path(cell))

    def training(self, trained: str, seed: int, fold: str) -> Path:
        """Name the folder of a training: its model and its logs."""
        return self.folder / "trainings" / _plain(trained) / f"seed-{seed} {_plain(fold)}"


def steps(units: Sequence[Unit], description: str, quiet: bool) -> Iterator[Unit]:
    """Yield units of long work; where no bar is watched, a line tells after each what is left."""
    started = time.monotonic()
    for number, unit in enumerate(track(units, description=description, quiet=quiet), 1):
        yield unit
        if not sys.stderr.isatty():
            spent = time.monotonic() - started
            left = spent / number * (len(units) - number)
            say(f"{description}: {number} of {len(units)}, {span(left)} left", quiet=quiet)


def _plain(name: str) -> str:
    """Give a name that every file system takes, another one for every other name."""
    return quote(name, safe="+ ", errors="surrogateescape")
