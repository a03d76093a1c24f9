"""What was read of a video so far, a line a frame, so that a work that was killed can go on."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np

from mien.cli._streams import writing
from mien.errors import OutputError
from mien.files import lock
from mien.images import Image
from mien.media.sequences import is_sequence, numbered
from mien.media.video import is_address
from mien.records import Face, Prediction


@dataclass(frozen=True)
class Look:
    """What a frame shows; `damaged` counts the frames before it that could not be decoded."""

    number: int
    time_s: float
    cut: bool
    damaged: int
    predictions: list[Prediction]
    image: Image | None = None


class Journal:
    """The looks at a video beside the file that they will become, none without such a file.

    `plan` tells one work from another: only the same one is gone on with. `last` is the last frame
    that was looked at before.
    """

    def __init__(self, out: Path | None, plan: Mapping[str, Any]) -> None:
        self.last, self.damaged = -1, 0
        self._path = out and out.with_name(f".{out.name}.part")
        self._file: BinaryIO | None = None
        self._behind_plan = self._whole = 0
        self._empty = True
        if self._path is not None:
            with writing(str(self._path)):
                self._file = self._path.open("a+b")
            try:
                self._go_on(json.dumps(plan, sort_keys=True).encode() + b"\n")
            except BaseException:
                self._file.close()
                raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            self._file.close()
        if self._empty:
            self.discard()

    def looks(self) -> Iterator[Look]:
        """Yield what was looked at before."""
        if self._path is None:
            return
        with self._path.open("rb") as file:
            file.seek(self._behind_plan)
            while file.tell() < self._whole:
                yield _look(json.loads(file.readline()))

    def add(self, look: Look) -> None:
        """Keep a look."""
        if self._file is not None:
            with writing(str(self._path)):
                self._file.write(json.dumps(_entry(look)).encode() + b"\n")
                self._file.flush()
            self._empty = False

    def discard(self) -> None:
        """Take the journal away."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)

    def _go_on(self, plan: bytes) -> None:
        """Find the last whole line, and cut off what lies behind it."""
        assert self._file is not None and self._path is not None
        lock(self._file, self._path)
        self._file.seek(0)
        found, first = self._file.readline(), self._file.readline()
        if not first.endswith(b"\n"):  # nothing was read
            self._file.truncate(0)
            self._file.write(plan)
            self._file.flush()
        elif found != plan:
            raise OutputError(
                f"{self._path} holds unfinished work of another kind: {_differing(found, plan)}"
                " differ; remove it, or go on with the settings it was begun with"
            )
        self._behind_plan = self._whole = len(plan)
        self._file.seek(self._behind_plan)
        last = None
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self._whole += len(line)
            last = line
        self._file.truncate(self._whole)
        if last is not None:
            entry = json.loads(last)
            self.last, self.damaged = entry["frame"], entry["damaged"]
            self._empty = False


def identity(source: str) -> dict[str, Any]:
    """Say what tells a file, or the images of a sequence, from others of its name."""
    path = Path(source)
    if is_address(source):
        return {"source": source}
    if is_sequence(source) or path.is_dir():
        told = [(file.name, *_changed(file)) for file in numbered(path)]
        files = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        return {"source": str(path.resolve()), "files": files}
    if not path.is_file():
        return {"source": source}
    size, changed = _changed(path)
    return {"source": str(path.resolve()), "bytes": size, "changed": changed}


def _changed(path: Path) -> tuple[int, int]:
    try:
        found = os.stat(path)
    except OSError:  # a damaged frame
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _entry(look: Look) -> dict[str, Any]:
    return {
        "frame": look.number,
        "time_s": look.time_s,
        "cut": look.cut,
        "damaged": look.damaged,
        "faces": [_face(prediction) for prediction in look.predictions],
    }


def _face(prediction: Prediction) -> dict[str, Any]:
    """Give a prediction as it is, nothing rounded."""
    points = prediction.face.points_xy
    return {
        "box_xyxy": prediction.face.box_xyxy,
        "score": prediction.face.score,
        "points_xy": None if points is None else points.tolist(),
        "faceness": prediction.face.faceness,
        "expression": prediction.expression,
        "probability": prediction.probability,
        "probabilities": dict(prediction.probabilities),
        "hidden": prediction.hidden,
        "certain": prediction.certain,
    }


def _look(entry: Mapping[str, Any]) -> Look:
    predictions = [_prediction(face) for face in entry["faces"]]
    return Look(entry["frame"], entry["time_s"], entry["cut"], entry["damaged"], predictions)


def _prediction(entry: Mapping[str, Any]) -> Prediction:
    points = entry["points_xy"]
    face = Face(
        box_xyxy=tuple(entry["box_xyxy"]),
        score=entry["score"],
        points_xy=None if points is None else np.array(points, np.float32),
        faceness=entry["faceness"],
    )
    kept = ("expression", "probability", "probabilities", "certain")
    return Prediction(
        face=face, hidden=tuple(entry["hidden"]), **{name: entry[name] for name in kept}
    )


def _differing(found: bytes, plan: bytes) -> str:
    try:
        before, now = json.loads(found), json.loads(plan)
        return ", ".join(name for name in {**now, **before} if now.get(name) != before.get(name))
    except (ValueError, AttributeError):
        return "its settings"
