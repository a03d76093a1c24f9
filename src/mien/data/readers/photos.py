"""From what a reader finds to a Listing, with the checks that all readers share."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien.data.listing import Listing
from mien.errors import DataError


class Photo(NamedTuple):
    """One face of one photograph; an expression "" is none."""

    path: Path
    expression: str
    source_id: str
    subject: str = ""
    sequence: str = ""
    split: str = ""
    notes: str = ""
    box_xyxy: Sequence[float] | None = None
    points_xy: NDArray[Any] | None = None


def listing(
    photos: Iterable[Photo], expressions: Sequence[str], *, passed_over: int = 0
) -> Listing:
    """Make a Listing in the order given; `expressions` are those of the set's labels 0, 1, ..."""
    rows = list(photos)
    seen: dict[str, Path] = {}
    for row in rows:
        if row.source_id in seen:
            raise DataError(
                f"two files of one id {row.source_id!r}: {seen[row.source_id]} and {row.path};"
                " remove one of them"
            )
        seen[row.source_id] = row.path
    if not rows:
        raise DataError("expected at least one photograph, found none")
    numbers = {"": -1, **{name: label for label, name in enumerate(expressions)}}
    return Listing(
        paths=np.array([str(row.path) for row in rows]),
        labels=np.array([_known(numbers, row) for row in rows], dtype=np.int64),
        expressions=tuple(expressions),
        subject=np.array([row.subject for row in rows]),
        sequence=np.array([row.sequence for row in rows]),
        source_id=np.array([row.source_id for row in rows]),
        split=np.array([row.split for row in rows]),
        notes=np.array([row.notes for row in rows]) if any(row.notes for row in rows) else None,
        box_xyxy=_stacked([row.box_xyxy for row in rows], (4,)),
        points_xy=_stacked([row.points_xy for row in rows], (68, 2)),
        passed_over=passed_over,
    )


def named(pattern: re.Pattern[str], paths: Sequence[Path], example: str) -> list[Path]:
    """Keep the files that are named like the set's; say how those are named if there are none."""
    found = [path for path in paths if pattern.fullmatch(path.stem.strip())]
    if not found:
        matched(pattern, paths[0], example)
    return found


def matched(pattern: re.Pattern[str], path: Path, example: str) -> re.Match[str]:
    """Match a file's name without its suffix, or say what it should look like."""
    found = pattern.fullmatch(path.stem.strip())
    if found is None:
        raise DataError(f"{path}: expected a name like {example}; rename or remove the file")
    return found


def numbered(*expressions: str, first: int = 0) -> dict[str, str]:
    """Give the expressions of a set whose labels are `first`, `first` + 1, ..."""
    return {str(label): name for label, name in enumerate(expressions, first)}


def known(labels: Mapping[str, str], label: str, where: object) -> str:
    """Give the expression of one of a set's own labels."""
    if label not in labels:
        raise DataError(f"{where}: expected one of {', '.join(labels)}, found {label!r}")
    return labels[label]


def numbers(path: Path, columns: int) -> NDArray[np.float64]:
    """Read the lines of a text file as numbers (N, columns)."""
    try:
        values = np.array(path.read_text(encoding="utf-8-sig").split(), dtype=np.float64)
        return values.reshape(-1, columns)
    except (OSError, ValueError) as error:
        raise DataError(f"{path}: expected {columns} numbers a line: {error}") from error


def points(path: object, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Check that numbers are 68 points, x before y."""
    if values.size != 136 or not np.isfinite(values).all():
        raise DataError(f"{path}: expected 68 points, found {values.size} numbers")
    return values.reshape(68, 2)


def _known(numbers: Mapping[str, int], row: Photo) -> int:
    if row.expression not in numbers:
        wanted = ", ".join(filter(None, numbers))
        raise DataError(f"{row.path}: expected one of {wanted}, found {row.expression!r}")
    return numbers[row.expression]


def _stacked(values: list[Any], shape: tuple[int, ...]) -> NDArray[np.float32] | None:
    if all(value is None for value in values):
        return None
    nothing = np.full(shape, np.nan)
    return np.array([nothing if value is None else value for value in values], dtype=np.float32)
