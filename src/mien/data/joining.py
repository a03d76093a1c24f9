"""Join data sets into one.

Their labels become canonical expressions. What names something inside a set (ids, subjects,
sequences) gets the set's own name in front, `jaffe/KA`, so that two sets never share a subject by
accident. Votes of a set that has none are 0, its points and boxes not-a-number. Tables in folders
keep what their summaries say.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.data.columns import Columns, Rows, check_unique, stacked
from mien.data.summaries import combined, write_summary
from mien.data.table import FaceTable
from mien.data.writing import TableWriter, digest
from mien.errors import DataError
from mien.expressions import EXPRESSIONS
from mien.progress import track

BLOCK = 4096
NAMES = ("source_id", "subject", "sequence")


def join(parts: Sequence[tuple[str, Rows]]) -> Rows:
    """Join sets, each given with its name, in memory; all Listings or all FaceTables."""
    expressions = _check(parts)
    optional = _optional(parts)
    renamed = [_renamed(name, part, expressions, optional) for name, part in parts]
    joined = stacked(renamed)
    check_unique(joined.source_id)
    return joined


def write_joined(
    folder: str | Path, tables: Sequence[tuple[str, str | Path]], *, quiet: bool = True
) -> FaceTable:
    """Join tables of any size into a new folder, a block of rows at a time.

    They must be cut alike. The new one's summary has their preparation and the strictest of their
    rights.
    """
    parts = [(name, FaceTable.open(table)) for name, table in tables]
    expressions = _check(parts)
    optional = _optional(parts)
    ids = [_prefixed(name, part.source_id) for name, part in parts]
    check_unique(np.concatenate(ids))
    about = combined({name: Path(table) for name, table in tables})
    plan = {"joined": [[name, digest(part)] for name, part in parts], "summary": about}
    blocks = sum(-(-len(part) // BLOCK) for _, part in parts)
    with TableWriter(folder, expressions, plan) as writer:
        left = _blocks(parts, writer.done)
        for name, block in track(left, total=blocks, description="joining tables", quiet=quiet):
            renamed = _renamed(name, block, expressions, optional)
            writer.append(renamed, done=len(block))
        return writer.finish(lambda part: write_summary(part, about))


def _check(parts: Sequence[tuple[str, Columns]]) -> tuple[str, ...]:
    """Check that the sets fit together; give the expressions that any of them has."""
    names = [name for name, _ in parts]
    twice = next((name for name in names if names.count(name) > 1), None)
    if not parts or twice is not None:
        raise DataError(
            f"expected sets of different names to join, found {names or 'none'}; rename one"
        )
    first = parts[0][1]
    for name, part in parts:
        shapes = {array: values.shape[1:] for array, values in part.arrays().items()}
        others = {array: values.shape[1:] for array, values in first.arrays().items()}
        differing = [array for array in shapes if shapes[array] != others.get(array, shapes[array])]
        if differing or type(part) is not type(first):
            raise DataError(
                f"{names[0]} and {name} do not fit:"
                f" {_kind(first, others)} and {_kind(part, shapes)}; prepare both alike first"
            )
    known = {expression for _, part in parts for expression in part.expressions}
    return tuple(expression for expression in EXPRESSIONS if expression in known)


def _kind(part: Columns, shapes: dict[str, tuple[int, ...]]) -> str:
    return f"a {type(part).__name__}" + (f" of {shapes['images']}" if "images" in shapes else "")


def _optional(parts: Sequence[tuple[str, Columns]]) -> list[str]:
    there = {name for _, part in parts for name in part.arrays()}
    return [name for name in parts[0][1].optional if name in there]


def _renamed(name: str, part: Rows, expressions: tuple[str, ...], optional: Sequence[str]) -> Rows:
    order = np.array([*map(expressions.index, part.expressions), -1])
    changed: dict[str, Any] = {column: _prefixed(name, getattr(part, column)) for column in NAMES}
    for array in optional:
        given, (kind, shape) = getattr(part, array), part.shapes[array]
        if given is None:
            missing = "" if kind == "U" else 0.0 if array == "votes" else np.nan
            given = np.full((len(part), *shape), missing)
        changed[array] = given if kind == "U" else np.asarray(given, np.float32)
    return replace(part, labels=order[part.labels], expressions=expressions, **changed)


def _prefixed(name: str, values: NDArray[np.str_]) -> NDArray[np.str_]:
    """Put the set's name before what is not empty."""
    prefixed: NDArray[np.str_] = np.where(values == "", "", np.char.add(f"{name}/", values))
    return prefixed


def _blocks(parts: Sequence[tuple[str, FaceTable]], done: int) -> Iterator[tuple[str, FaceTable]]:
    for name, part in parts:
        for first in range(0, len(part), BLOCK):
            if done <= 0:
                yield name, part[first : first + BLOCK]
            done -= min(BLOCK, len(part) - first)
