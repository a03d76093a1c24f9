"""Measure a model on labelled faces, whole or with a part hidden.

The model answers with its own expressions and the faces have theirs; both are compared by name. An
answer that the faces never have (contempt on FER-2013) is wrong, and a face whose expression the
model cannot give is one it misses. Nothing is left out to make the two fit.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import metrics
from mien.data.protocol import Protocol
from mien.data.table import FaceTable
from mien.errors import DataError
from mien.expressions import EXPRESSIONS
from mien.faces.landmarks import Landmarker
from mien.occlusion import occluder as occluder_by_name
from mien.occlusion.regions import HIDDEN_FROM, REGIONS, VISIBLE_TO, covered_shares
from mien.progress import track
from mien.recognizer import ExpressionReader

BATCH = 256
BINS = 15

Images = NDArray[np.uint8]
Shares = NDArray[np.float64]
Locate = Callable[[Images], NDArray[np.float32]]
# From faces and the number of the first to their images and the covered shares of each region.
Change = Callable[[FaceTable, int], tuple[Images, Shares]]


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was measured. Confusion: truth in rows, both in the order of `labels`.

    hidden: for each region how often the model reports it hidden, where it was and where not.
    """

    faces: int
    correct: int
    accuracy: float
    interval95: tuple[float, float]
    balanced_accuracy: float
    macro_f1: float
    ece: float
    recall: dict[str, float | None]
    certain: dict[str, Any]
    hidden: dict[str, dict[str, Any]]
    confusion: list[list[int]]
    labels: tuple[str, ...]
    protocol: dict[str, Any]
    model_sha256: str

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


@dataclass(frozen=True, eq=False)
class _Answers:
    """The readings of all faces; covered (N, R) is nan where nothing is known of a region."""

    probabilities: Shares
    certain: NDArray[np.bool_]
    reported: NDArray[np.bool_]
    covered: Shares


def evaluate(
    faces: FaceTable,
    reader: ExpressionReader,
    *,
    occluder: str = "none",
    locate: Locate | None = None,
    seed: int = 0,
    really_occluded: bool = False,
    protocol: dict[str, Any] | None = None,
    quiet: bool = True,
) -> Result:
    """Measure the model on every face, with `occluder` drawn on each unless that is `none`.

    It is drawn by the faces' points, or by those that `locate` finds in a batch of images (N, H, W)
    where they have none. `really_occluded` says that no region is known to be visible. `protocol`
    goes into the result.
    """
    if (faces.labels < 0).any() or not len(faces):
        raise DataError("expected faces that all have a label, at least one; choose a rule first")
    draw = _whole(really_occluded) if occluder == "none" else _hidden(occluder, locate, seed)
    answers = _read_all(faces, reader, draw, quiet)
    stated = {
        **(protocol or {}),
        "occluder": occluder,
        "test_time_augmentation": "mirror" if reader.mirror else "none",
        "seed": seed,
    }
    return _result(faces, reader, answers, stated)


def measure(
    root: str | Path,
    protocol: Protocol,
    reader: ExpressionReader,
    *,
    occluder: str = "none",
    landmarks: str | Path | None = None,
    seed: int = 0,
    quiet: bool = True,
) -> Result:
    """Measure the model on the faces that the protocol selects under the root.

    Without a file of points the landmark network finds those that an occluder needs.
    """
    faces, stated, locate = protocol.select(root), protocol.describe(root), None
    if occluder == "none":
        stated["points"] = None
    elif faces.points_xy is None:
        landmarker = Landmarker(landmarks)
        stated["points"] = f"found by the landmark network {landmarker.sha256[:12]}"
        locate = _locate(landmarker)
    return evaluate(
        faces,
        reader,
        occluder=occluder,
        locate=locate,
        seed=seed,
        really_occluded=protocol.list_file is not None,
        protocol=stated,
        quiet=quiet,
    )


def _locate(landmarker: Landmarker) -> Locate:
    def locate(images: Images) -> NDArray[np.float32]:
        points_xy, _ = landmarker.from_whole(images)
        return points_xy

    return locate


def _whole(really_occluded: bool) -> Change:
    """Leave the faces as they are."""
    covered = np.nan if really_occluded else 0.0
    return lambda faces, first: (faces.images, np.full((len(faces), len(REGIONS)), covered))


def _hidden(occluder: str, locate: Locate | None, seed: int) -> Change:
    """Draw the occluder on each face, by a generator of the face's own."""
    hide = occluder_by_name(occluder)

    def change(faces: FaceTable, first: int) -> tuple[Images, Shares]:
        points_xy = _points(faces, locate)
        images, covered = faces.images.copy(), np.empty((len(faces), len(REGIONS)))
        for row, points in enumerate(points_xy):
            rng = np.random.default_rng([seed, first + row])
            images[row], mask = hide(images[row], points, rng)
            covered[row] = list(covered_shares(mask, points).values())
        return images, covered

    return change


def _points(faces: FaceTable, locate: Locate | None) -> NDArray[np.float32]:
    if faces.points_xy is not None:
        return faces.points_xy
    if locate is None:
        raise DataError("an occluder needs the faces' points or a network that locates them")
    return locate(faces.images)


def _read_all(faces: FaceTable, reader: ExpressionReader, change: Change, quiet: bool) -> _Answers:
    parts = []
    starts = range(0, len(faces), BATCH)
    for first in track(starts, total=len(starts), description="evaluating", quiet=quiet):
        images, covered = change(faces[first : first + BATCH], first)
        found = reader.read(np.stack([reader.preparation.whole(image) for image in images]))
        parts.append((found.probabilities, found.certain, found.hidden, covered))
    return _Answers(*(np.concatenate(columns) for columns in zip(*parts, strict=True)))


def _result(
    faces: FaceTable, reader: ExpressionReader, answers: _Answers, protocol: dict[str, Any]
) -> Result:
    truth, predicted, names = _compared(faces, reader, answers.probabilities)
    counts = metrics.confusion(truth, predicted, len(names))
    right = truth == predicted
    # A face whose expression the model cannot give has no column: -1.
    columns = np.array([reader.labels.index(n) if n in reader.labels else -1 for n in names])
    return Result(
        faces=len(faces),
        correct=int(right.sum()),
        accuracy=metrics.accuracy(counts),
        interval95=metrics.wilson(int(right.sum()), len(faces)),
        balanced_accuracy=metrics.balanced_accuracy(counts),
        macro_f1=metrics.macro_f1(counts),
        ece=metrics.ece(answers.probabilities, columns[truth], BINS),
        recall=dict(zip(names, map(_number, metrics.recalls(counts)), strict=True)),
        certain=_certain(answers.certain, right),
        hidden=_regions(reader, answers),
        confusion=counts.tolist(),
        labels=names,
        protocol=protocol,
        model_sha256=reader.sha256,
    )


def _compared(
    faces: FaceTable, reader: ExpressionReader, probabilities: Shares
) -> tuple[NDArray[np.int64], NDArray[np.int64], tuple[str, ...]]:
    """Give truth and prediction (N,) as indices of the names that either side has."""
    either = {*faces.expressions, *reader.labels}
    names = tuple(name for name in EXPRESSIONS if name in either)
    place = {name: at for at, name in enumerate(names)}
    of_faces = np.array([place[name] for name in faces.expressions])
    of_reader = np.array([place[name] for name in reader.labels])
    return of_faces[faces.labels], of_reader[probabilities.argmax(axis=1)], names


def _certain(certain: NDArray[np.bool_], right: NDArray[np.bool_]) -> dict[str, Any]:
    number, correct = int(certain.sum()), int((certain & right).sum())
    return {
        "faces": number,
        "share": number / len(certain),
        "accuracy": correct / number if number else None,
        "interval95": metrics.wilson(correct, number),
    }


def _regions(reader: ExpressionReader, answers: _Answers) -> dict[str, dict[str, Any]]:
    found = {}
    for column, region in enumerate(REGIONS):
        if region not in reader.regions:
            continue
        reported = answers.reported[:, reader.regions.index(region)]
        hidden = answers.covered[:, column] >= HIDDEN_FROM
        visible = answers.covered[:, column] <= VISIBLE_TO
        found[region] = {
            "reported": _share(reported),
            "hidden_faces": int(hidden.sum()),
            "recall": _share(reported[hidden]),
            "visible_faces": int(visible.sum()),
            "false_alarms": _share(reported[visible]),
        }
    return found


def _share(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


def _number(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
