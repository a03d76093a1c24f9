"""What `mien predict` writes: one record a face, by a schema that scripts can rely on.

Schema `mien.predict/1`. A record is one of

- a face: `schema, source, face` (0 is the photograph's largest), `box_xyxy, score, expression,
  probability, probabilities, hidden, certain`
- a photograph without one: `schema, source, faces`, which is 0
- a photograph that cannot be read: `schema, source, error`

`--points` adds `points_xy` to a face, 68 of [x, y]; `--draw` adds `drawn`, the annotated copy, to
all but the last kind. Boxes and points are pixels of the upright photograph. Tables, CSV and
Parquet, have the columns of `columns()`: those of all three kinds, empty where a kind has none,
`hidden` split by spaces, and `hidden_known` telling that nothing is from that nobody knows.
"""

import csv
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TextIO

from mien.errors import InputError, UsageError
from mien.expressions import EXPRESSIONS
from mien.records import Prediction

SCHEMA = "mien.predict/1"
KINDS = {"": "jsonl", ".jsonl": "jsonl", ".csv": "csv", ".parquet": "parquet"}
CORNERS = ("box_x0", "box_y0", "box_x1", "box_y1")

Record = dict[str, Any]
Columns = Mapping[str, type]

FACE_COLUMNS: Columns = {
    **dict.fromkeys((*CORNERS, "score"), float),
    **{"expression": str, "probability": float},
}
HIDDEN_COLUMNS: Columns = {"hidden": str, "hidden_known": bool, "certain": bool}


def records(
    source: Path,
    predictions: Sequence[Prediction],
    *,
    points: bool = False,
    drawn: Path | None = None,
) -> list[Record]:
    """Give a record for each face, or one that says there is none."""
    head = {"schema": SCHEMA, "source": str(source)}
    tail = {} if drawn is None else {"drawn": str(drawn)}
    faces = [
        {**head, "face": number, **prediction.to_dict(points=points), **tail}
        for number, prediction in enumerate(predictions)
    ]
    return faces or [{**head, "faces": 0, **tail}]


def failure(source: Path, error: InputError) -> Record:
    """Give the record of a photograph that cannot be read."""
    return {"schema": SCHEMA, "source": str(source), "error": str(error)}


class Writer(Protocol):
    """Writes the records of one photograph after another."""

    def write(self, records: Iterable[Record]) -> None: ...


class JsonLines:
    """One JSON object a line."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, records: Iterable[Record]) -> None:
        for record in records:
            self._stream.write(json.dumps(record) + "\n")


class Rows:
    """One row a record, the same columns in all, of a CSV or Parquet file."""

    def __init__(self, write: Callable[[list[Record]], object]) -> None:
        self._write = write

    def write(self, records: Iterable[Record]) -> None:
        self._write([flat(record) for record in records])


def writer(stream: TextIO, kind: str, columns: Columns) -> tuple[Writer, Callable[[], None]]:
    """Give what writes records as jsonl, csv or parquet, and what ends that."""
    if kind == "jsonl":
        return JsonLines(stream), _nothing
    if kind == "csv":
        rows = csv.DictWriter(stream, list(columns), lineterminator="\n")
        rows.writeheader()
        return Rows(lambda some: rows.writerows(map(_plain, some))), _nothing
    from mien.data.parquet import ParquetWriter

    blocks = ParquetWriter(stream.buffer, columns)
    return Rows(blocks.write), blocks.close


def columns(points: bool = False, drawn: bool = False) -> Columns:
    """Name the columns of a table, and what they hold."""
    return {
        **{"schema": str, "source": str, "faces": int, "error": str, "face": int},
        **FACE_COLUMNS,
        **{f"probability_{name}": float for name in EXPRESSIONS},
        **HIDDEN_COLUMNS,
        **({"drawn": str} if drawn else {}),
        **point_columns(points),
    }


def point_columns(points: bool) -> Columns:
    """Name the columns of the 68 points, if they are asked for."""
    return {f"point{number}_{axis}": float for number in range(68 * points) for axis in "xy"}


def flat(record: Record) -> Record:
    """Spread a record over the columns of a table."""
    row = {
        name: printable(value) if isinstance(value, str) else value
        for name, value in record.items()
        if not isinstance(value, list | dict)
    }
    if "box_xyxy" in record:
        row |= dict(zip(CORNERS, record["box_xyxy"], strict=True))
        row |= {f"probability_{name}": p for name, p in record["probabilities"].items()}
        known = record["hidden"] is not None
        row |= {"hidden": " ".join(record["hidden"]) if known else None, "hidden_known": known}
    row |= {f"smoothed_{name}": share for name, share in record.get("smoothed", {}).items()}
    for number, point in enumerate(record.get("points_xy") or ()):
        row |= {f"point{number}_{axis}": value for axis, value in zip("xy", point, strict=True)}
    return row


def kind_of(path: Path) -> str:
    """Tell by its suffix how records are written to a file: JSON Lines where it has none."""
    kind = KINDS.get(path.suffix.lower())
    if kind is None:
        known = ", ".join(filter(None, KINDS))
        raise UsageError(f"cannot write {path}: expected one of {known} for a suffix")
    return kind


def printable(name: str) -> str:
    """Escape what is no text in a file's name; a stream would refuse it, a terminal obey it."""
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in name
    )


def counted(number: int, name: str) -> str:
    """Say how many there are."""
    return f"{number:,} {name}{'' if number == 1 else 's'}"


def _plain(row: Record) -> Record:
    return {n: str(value).lower() if isinstance(value, bool) else value for n, value in row.items()}


def _nothing() -> None:
    pass
