"""What the frames of a video show, as they are kept while it is read."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mien.cli._journal import Journal
from mien.images import Image
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


class Looks:
    """The looks in a journal; `last` is the last frame that was looked at before."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self.last: int = journal.last["frame"] if journal.last else -1
        self.damaged: int = journal.last["damaged"] if journal.last else 0

    def known(self) -> Iterator[Look]:
        """Yield what was looked at before."""
        for _, entry in self._journal.entries():
            predictions = [_prediction(face) for face in entry["faces"]]
            yield Look(entry["frame"], entry["time_s"], entry["cut"], entry["damaged"], predictions)

    def add(self, look: Look) -> None:
        """Keep a look."""
        self._journal.add(_entry(look))


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


def _prediction(entry: Mapping[str, Any]) -> Prediction:
    points = entry["points_xy"]
    face = Face(
        box_xyxy=tuple(entry["box_xyxy"]),
        score=entry["score"],
        points_xy=None if points is None else np.array(points, np.float32),
        faceness=entry["faceness"],
    )
    kept = ("expression", "probability", "probabilities", "certain")
    hidden = None if entry["hidden"] is None else tuple(entry["hidden"])
    return Prediction(face=face, hidden=hidden, **{name: entry[name] for name in kept})
