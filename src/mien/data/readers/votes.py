"""The two files in which FER+ publishes its votes.

`fer2013new.csv` has one row for each row of FER-2013. The number in an image's name is not its row.
`label.csv` of the authors' own layout has no header, and lists only images with a name.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data import files
from mien.errors import DataError
from mien.expressions import EXPRESSIONS

COLUMNS = (*EXPRESSIONS, "unknown", "NF")


@dataclass(frozen=True, eq=False)
class Votes:
    """Hold the rows of one file: image names, "" where there is none, and votes (N, 10)."""

    names: list[str]
    votes: NDArray[np.float32]
    usages: list[str]  # FER-2013's name of the split; empty for the authors' layout


def read_new(path: Path) -> Votes:
    """Read `fer2013new.csv`."""
    rows = files.read_csv(path)
    _, header = next(rows, (0, []))
    usage, name, *votes = files.columns(path, header, ("Usage", "Image name", *COLUMNS))
    names, usages, counts = [], [], []
    for line, row in rows:
        _check_length(path, line, row, len(header))
        names.append(row[name])
        usages.append(row[usage])
        counts.append(_counts(path, line, [row[place] for place in votes]))
    return Votes(names, _array(path, counts), usages)


def read_official(path: Path) -> Votes:
    """Read a `label.csv`: name, box, ten votes."""
    names, counts = [], []
    for line, row in files.read_csv(path):
        _check_length(path, line, row, 2 + len(COLUMNS))
        names.append(row[0])
        counts.append(_counts(path, line, row[2:]))
    return Votes(names, _array(path, counts), [])


def _check_length(path: Path, line: int, row: list[str], length: int) -> None:
    if len(row) != length:
        raise DataError(f"{path}, line {line}: expected {length} values, found {len(row)}")


def _counts(path: Path, line: int, values: list[str]) -> list[int]:
    if not all(value.isascii() and value.isdigit() for value in values):
        raise DataError(f"{path}, line {line}: votes must be whole numbers, found {values}")
    return [int(value) for value in values]


def _array(path: Path, counts: list[list[int]]) -> NDArray[np.float32]:
    if not counts:
        raise DataError(f"{path} has no rows; fetch the file again")
    return np.array(counts, dtype=np.float32)
