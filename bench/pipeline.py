"""What accuracy is lost on the way through a photograph: finding, points, crop."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import faces as real
from bench import pictures
from bench.report import Cell, Report, Table, interval, percent
from mien import geometry, images, metrics
from mien.data.table import FaceTable
from mien.images import Image
from mien.occlusion.shapes import polygon_mask
from mien.progress import track
from mien.recognizer import ExpressionReader, Recognizer
from mien.records import Prediction

SEED = 480640
SCALES = (2, 3)
TURN = np.deg2rad(15.0)
BATCH = 16

Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Scene:
    """A picture, the place of the face in it, and the outline (4, 2) that the face fills."""

    image: Image
    matrix: geometry.Floats
    outline_xy: geometry.Floats


@dataclass(frozen=True)
class Answers:
    """Which faces were found, read rightly, and read rightly when cut by the teacher's points."""

    found: Flags
    right: Flags
    right_by_teacher: Flags
    strangers: int


def measure(data: Path, model: str | None, count: int | None, quiet: bool) -> Report:
    """Compare reading pasted faces with reading the originals whole."""
    report, rng = Report("pipeline"), np.random.default_rng(SEED)
    faces = real.sample(real.labelled(data), count, rng)
    names = [faces.expressions[label] for label in faces.labels]
    whole = Recognizer(model, detector="whole").many(faces.images)
    right = np.array([found[0].expression for found in whole]) == names
    recognizer = Recognizer(model)
    report.figures = {"faces": len(faces), "model_sha256": recognizer.reader.sha256}
    report.figures["whole"] = _accuracy(right)
    rows: list[tuple[Cell, ...]] = [_whole_row(report.figures["whole"])]
    for scale in SCALES:
        answers = _read(recognizer, faces, names, scale, quiet)
        figures = _against(right, answers, np.random.default_rng(SEED))
        report.figures[f"enlarged {scale} times"] = figures
        rows.append(_row(f"enlarged {scale} times, pasted", figures))
    report.tables.append(
        Table(
            f"{len(faces)} faces of PublicTest (FER+ majority) through the whole pipeline",
            (
                "read as",
                "accuracy",
                "95 %",
                "lost",
                "95 %",
                "lost where found",
                "found",
                "cut by teacher",
            ),
            rows,
            "pasted into 640x480 with turns to 15 degrees; a face not found is wrong; lost: against"
            " the originals, in points; cut by teacher: accuracy with the teacher's points",
        )
    )
    return report


def _read(
    recognizer: Recognizer, faces: FaceTable, names: list[str], scale: int, quiet: bool
) -> Answers:
    scenes: list[Scene] = []
    crops: list[Image] = []

    def pictured() -> Iterator[Image]:
        for row in range(len(faces)):
            scene = pasted(faces.images[row], scale, np.random.default_rng([SEED, scale, row]))
            crops.append(_cut(recognizer.reader, scene, faces, row))
            scenes.append(Scene(scene.image[:0], scene.matrix, scene.outline_xy))
            yield scene.image

    read = recognizer.many(pictured(), batch_size=BATCH)
    shown = track(read, total=len(faces), description=f"enlarged {scale} times", quiet=quiet)
    predictions = list(shown)
    nearest = [_nearest(found, scene) for found, scene in zip(predictions, scenes, strict=True)]
    answers = [near.expression if near else "" for near in nearest]
    by_teacher = recognizer.reader.read(np.stack(crops)).probabilities.argmax(axis=1)
    return Answers(
        found=np.array([near is not None for near in nearest]),
        right=np.array(answers) == names,
        right_by_teacher=np.array(recognizer.reader.labels)[by_teacher] == names,
        strangers=sum(map(len, predictions)) - sum(near is not None for near in nearest),
    )


def pasted(face: Image, scale: float, rng: np.random.Generator) -> Scene:
    """Enlarge a grey face, turn it, and paste it anywhere into a scene that it fits into."""
    picture = pictures.scene(rng)
    height, width = face.shape
    angle = rng.uniform(-TURN, TURN)
    linear = scale * geometry.rotation(angle, (0, 0))[:, :2]
    edges = np.array([-0.5, -0.5]), np.array([width - 0.5, height - 0.5])
    corners = np.array([(x, y) for x, y in ((0, 0), (1, 0), (1, 1), (0, 1))])
    corners = (edges[0] + corners * (edges[1] - edges[0])) @ linear.T
    room = np.array(picture.shape[1::-1]) - 1 - np.ptp(corners, axis=0)
    shift = rng.uniform(0, room) - corners.min(axis=0)
    matrix = np.column_stack([linear, shift])
    inside = polygon_mask(corners + shift, picture.shape[:2])
    picture[inside] = images.warp(face, matrix, picture.shape[:2])[inside][:, None]
    return Scene(picture, matrix, corners + shift)


def _cut(reader: ExpressionReader, scene: Scene, faces: FaceTable, row: int) -> Image:
    assert faces.points_xy is not None
    points = geometry.apply(scene.matrix, faces.points_xy[row])
    box = geometry.bounding_box(points)
    return reader.preparation.cut(images.to_grey(scene.image), points, box)


def _nearest(found: list[Prediction], scene: Scene) -> Prediction | None:
    """Choose the face whose centre is nearest to the pasted one's, if it lies on that at all."""
    centre = scene.outline_xy.mean(axis=0)
    reach = np.hypot(*(scene.outline_xy - centre).T).max()
    distances = [np.hypot(*(_centre(one) - centre)) for one in found]
    if not distances or min(distances) > reach:
        return None
    return found[int(np.argmin(distances))]


def _centre(prediction: Prediction) -> geometry.Floats:
    return np.asarray(np.reshape(prediction.face.box_xyxy, (2, 2)).mean(axis=0))


def _accuracy(right: Flags) -> dict[str, Any]:
    correct = int(right.sum())
    return {"accuracy": correct / len(right), "interval95": metrics.wilson(correct, len(right))}


def _against(whole: Flags, answers: Answers, rng: np.random.Generator) -> dict[str, Any]:
    """Compare with the same faces read whole, pair by pair."""
    lost = whole.astype(float) - answers.right
    return {
        **_accuracy(answers.right),
        "lost": float(lost.mean()),
        "lost_interval95": metrics.bootstrap(lost, rng),
        "lost_where_found": float(lost[answers.found].mean()) if answers.found.any() else None,
        "found": float(answers.found.mean()),
        "strangers": answers.strangers,
        "accuracy_by_teacher": float(answers.right_by_teacher.mean()),
    }


def _whole_row(figures: dict[str, Any]) -> tuple[Cell, ...]:
    accuracy = percent(figures["accuracy"])
    return ("the 48x48 originals, whole", accuracy, interval(figures["interval95"]), *[None] * 5)


def _row(name: str, figures: dict[str, Any]) -> tuple[Cell, ...]:
    return (
        name,
        percent(figures["accuracy"]),
        interval(figures["interval95"]),
        _points(figures["lost"]),
        interval(figures["lost_interval95"]),
        _points(figures["lost_where_found"]),
        percent(figures["found"]),
        percent(figures["accuracy_by_teacher"]),
    )


def _points(share: float | None) -> str | None:
    return None if share is None else f"{100 * share:.1f}"
