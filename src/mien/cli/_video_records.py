"""What `mien predict` writes of a video: a row a face a frame, and a row an event.

Schema `mien.video/1`. A record is one of

- a face: `schema, source, frame, time_s, face, track`, what a photograph's face has, and `smoothed`
- a frame without one: `schema, source, frame, time_s, faces`, which is 0

`smoothed` is missing where smoothing is off. Tables have the columns of `columns()`. Schema
`mien.events/1`: what `EVENT_COLUMNS` names.
"""

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TextIO

from mien.cli._records import CORNERS, JsonLines, Record, Writer
from mien.cli._records import flat as flat_face
from mien.expressions import EXPRESSIONS
from mien.media.events import Event
from mien.records import Prediction

SCHEMA, EVENTS_SCHEMA = "mien.video/1", "mien.events/1"

Columns = Mapping[str, type]

EVENT_COLUMNS: Columns = {
    **dict.fromkeys(("schema", "source"), str),
    "track": int,
    "expression": str,
    **dict.fromkeys(("start_s", "end_s", "peak_s", "peak_probability"), float),
    "frames": int,
}


def records(
    source: str,
    number: int,
    time_s: float,
    predictions: Sequence[Prediction],
    tracks: Sequence[int],
    smoothed: Sequence[Mapping[str, float]] | None,
    *,
    points: bool,
) -> list[Record]:
    """Give a record for each face of a frame, or one that says there is none."""
    head = {"schema": SCHEMA, "source": source, "frame": number, "time_s": round(time_s, 4)}
    faces = [
        {**head, "face": face, "track": track, **prediction.to_dict(points=points)}
        for face, (prediction, track) in enumerate(zip(predictions, tracks, strict=True))
    ]
    for record, shares in zip(faces, smoothed or (), strict=False):
        record["smoothed"] = {name: round(share, 6) for name, share in shares.items()}
    return faces or [{**head, "faces": 0}]


def event_record(source: str, event: Event) -> Record:
    """Give the record of an event."""
    return {"schema": EVENTS_SCHEMA, "source": source, **event.to_dict()}


def columns(*, smoothed: bool, points: bool) -> Columns:
    """Name the columns of a table of frames, and what they hold."""
    shares = ("probability", "smoothed") if smoothed else ("probability",)
    return {
        **dict.fromkeys(("schema", "source"), str),
        **{"frame": int, "time_s": float, "faces": int, "face": int, "track": int},
        **dict.fromkeys((*CORNERS, "score"), float),
        "expression": str,
        "probability": float,
        **{f"{kind}_{name}": float for kind in shares for name in EXPRESSIONS},
        **{"hidden": str, "certain": bool},
        **{f"point{number}_{axis}": float for number in range(68 * points) for axis in "xy"},
    }


def flat(record: Record) -> dict[str, Any]:
    """Spread a record over the columns of a table."""
    row = flat_face(record)
    if "certain" in record:
        row["certain"] = record["certain"]
    row |= {f"smoothed_{name}": share for name, share in record.get("smoothed", {}).items()}
    return row


class Table:
    """Writes rows to a CSV or Parquet file."""

    def __init__(self, write: Callable[[list[dict[str, Any]]], object]) -> None:
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
        return Table(lambda some: rows.writerows(map(_plain, some))), _nothing
    from mien.data.parquet import ParquetWriter

    blocks = ParquetWriter(stream.buffer, columns)
    return Table(blocks.write), blocks.close


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {n: str(value).lower() if isinstance(value, bool) else value for n, value in row.items()}


def _nothing() -> None:
    pass
