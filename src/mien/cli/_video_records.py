"""What `mien predict` writes of a video: a row a face a frame, and a row an event.

Schema `mien.video/1`. A record is one of

- a face: `schema, source, frame, time_s, face, track`, what a photograph's face has, and `smoothed`
- a frame without one: `schema, source, frame, time_s, faces`, which is 0

`smoothed` is missing where smoothing is off. Tables have the columns of `columns()`. Schema
`mien.events/1`: what `EVENT_COLUMNS` names.
"""

from collections.abc import Mapping, Sequence

from mien.cli._records import FACE_COLUMNS, HIDDEN_COLUMNS, Columns, Record, point_columns
from mien.expressions import EXPRESSIONS
from mien.media.events import Event
from mien.records import Prediction

SCHEMA, EVENTS_SCHEMA = "mien.video/1", "mien.events/1"

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
        **FACE_COLUMNS,
        **{f"{kind}_{name}": float for kind in shares for name in EXPRESSIONS},
        **HIDDEN_COLUMNS,
        **point_columns(points),
    }
