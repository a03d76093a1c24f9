"""How near the 68 points come to the teacher's, and how well faces are told from what is none."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench import faces as real
from bench.report import Cell, Report, Table, interval, percent
from mien import geometry, images, metrics
from mien.data.table import FaceTable
from mien.errors import DataError
from mien.faces import detectors
from mien.faces.landmarks import Landmarker
from mien.images import Image
from mien.media import folders
from mien.occlusion import occluder
from mien.progress import track
from mien.training import nonfaces

SEED = 7068
SHIFT, TURN = 0.1, np.deg2rad(20.0)
NO_FACE_COLUMN, NO_FACE_FROM = 9, 6
NONFACES = 2000
LEAST_PIECE = 32
TRIES = 200
AT_ONCE = 256

Points = NDArray[np.floating[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Case:
    """Faces drawn one way, and where their points truly are."""

    images: Image
    points_xy: Points


def measure(
    data: Path, model: str | None, photos: Path | None, count: int | None, quiet: bool
) -> Report:
    """Measure points and faceness on PublicTest; `count` faces of it, or all."""
    found_photos = folders.expand([str(photos)] if photos else [])
    pictures = [images.read(path) for path in found_photos]
    report, rng = Report("landmarks"), np.random.default_rng(SEED)
    landmarker = Landmarker(model)
    table, found = real.public(data)
    if table.votes is None or table.points_xy is None:
        raise DataError(f"expected FER+ votes (fer2013new.csv) under {data}, found none")
    report.figures["model_sha256"] = landmarker.sha256
    _errors(report, landmarker, real.sample(table[found], count, rng), rng, quiet)
    _faceness(report, landmarker, table, pictures, count, rng)
    return report


def _errors(
    report: Report, landmarker: Landmarker, faces: FaceTable, rng: np.random.Generator, quiet: bool
) -> None:
    assert faces.points_xy is not None
    sizes = {"face": face_size(faces.points_xy), "eyes": eye_distance(faces.points_xy)}
    cases = list(_cases(Case(faces.images, faces.points_xy), rng).items())
    rows, figures = [], {}
    for name, case in track(cases, total=len(cases), description="points", quiet=quiet):
        found, _ = _located(landmarker, case.images)
        distance = np.linalg.norm(found - case.points_xy, axis=2).mean(axis=1)
        figures[name] = {unit: _mean(distance / size, rng) for unit, size in sizes.items()}
        rows.append(_error_row(name, figures))
    report.tables.append(
        Table(
            f"Mean error of a point, {len(faces)} faces of PublicTest, in %",
            ("faces", "of the face", "95 %", "of the eye distance", "95 %", "moved / as it is"),
            rows,
            "of the face: over the square root of the area of the box of the 68 points;"
            " moved: shifted by 10 % of the side and turned by 20 degrees",
        )
    )
    report.figures["errors"] = figures


def _cases(clean: Case, rng: np.random.Generator) -> dict[str, Case]:
    """Draw the faces whole, masked and barred, each as it is and moved."""
    drawn = {"clean": clean}
    for title, name in (("masked", "mask-polygon"), ("eyes barred", "eyes")):
        drawn[title] = Case(_hidden(clean, name, rng), clean.points_xy)
    cases = {}
    for title, case in drawn.items():
        cases[title] = case
        cases[f"{title}, moved"] = moved(case, rng)
    return cases


def _hidden(case: Case, name: str, rng: np.random.Generator) -> Image:
    hide = occluder(name)
    pairs = zip(case.images, case.points_xy, strict=True)
    return np.stack([hide(image, points, rng)[0] for image, points in pairs])


def moved(case: Case, rng: np.random.Generator) -> Case:
    """Shift each face by a tenth of its side somewhere and turn it left or right."""
    size_hw = (case.images.shape[1], case.images.shape[2])
    matrices = [_motion(size_hw, rng) for _ in case.images]
    warped = [
        images.warp(face, matrix, size_hw)
        for face, matrix in zip(case.images, matrices, strict=True)
    ]
    return Case(np.stack(warped), geometry.apply(np.stack(matrices), case.points_xy))


def _motion(size_hw: tuple[int, int], rng: np.random.Generator) -> Floats:
    height, width = size_hw
    matrix = geometry.rotation(TURN * rng.choice([-1, 1]), ((width - 1) / 2, (height - 1) / 2))
    way = rng.uniform(0, 2 * np.pi)
    matrix[:, 2] += SHIFT * np.sqrt(height * width) * np.array([np.cos(way), np.sin(way)])
    return matrix


def face_size(points_xy: Points) -> Floats:
    """Give the square root of the area of the box of the points (N, 68, 2)."""
    extent = np.ptp(points_xy.astype(np.float64), axis=1)
    return np.asarray(np.sqrt(extent.prod(axis=1)))


def eye_distance(points_xy: Points) -> Floats:
    """Give the distance between the centres of the eyes (N, 68, 2)."""
    right, left = (
        points_xy[:, eye].mean(axis=1) for eye in (geometry.RIGHT_EYE, geometry.LEFT_EYE)
    )
    return np.asarray(np.hypot(*(left - right).T))


def _located(landmarker: Landmarker, faces: Image) -> tuple[Points, Floats]:
    parts = [
        landmarker.from_whole(faces[at : at + AT_ONCE]) for at in range(0, len(faces), AT_ONCE)
    ]
    return np.concatenate([p for p, _ in parts]), np.concatenate([f for _, f in parts])


def _mean(shares: Floats, rng: np.random.Generator) -> dict[str, Any]:
    return {"mean": float(shares.mean()), "interval95": metrics.bootstrap(shares, rng)}


def _error_row(name: str, figures: dict[str, Any]) -> tuple[Cell, ...]:
    face, eyes = figures[name]["face"], figures[name]["eyes"]
    still = figures[name.partition(",")[0]]["face"]["mean"]
    row = [name]
    for found in (face, eyes):
        row += [f"{100 * found['mean']:.2f}", interval(found["interval95"], 2)]
    return (*row, f"{face['mean'] / still:.2f}" if "moved" in name else None)


def _faceness(
    report: Report,
    landmarker: Landmarker,
    table: FaceTable,
    pictures: list[Image],
    count: int | None,
    rng: np.random.Generator,
) -> None:
    assert table.votes is not None
    none_seen = table.votes[:, NO_FACE_COLUMN] >= NO_FACE_FROM
    faces = real.sample(table[~none_seen], count, rng)
    side, most = table.images.shape[1], count or NONFACES
    others = {
        "rows with 6 or more votes for no face": table.images[none_seen],
        "background of photographs": backgrounds(pictures, most, side, rng),
        "generated textures": nonfaces.textures(most, side, rng),
    }
    _, positive = _located(landmarker, faces.images)
    negative = {
        name: _located(landmarker, found)[1] for name, found in others.items() if len(found)
    }
    negative["all together"] = np.concatenate(list(negative.values()))
    figures = {
        name: _separation(positive, scores, landmarker.threshold, rng)
        for name, scores in negative.items()
    }
    report.tables.append(
        Table(
            f"Faces told from what is none: {len(faces)} faces of PublicTest against",
            ("no faces", "number", "AUC", "95 %", "taken for a face"),
            [_separation_row(name, found) for name, found in figures.items()],
            f"at the threshold {landmarker.threshold:.4f}, which"
            f" {percent(float((positive >= landmarker.threshold).mean()), 2)} of the faces pass"
            + ("" if pictures else "; no background of photographs: name some with --photos"),
        )
    )
    passed = float((positive >= landmarker.threshold).mean())
    report.figures["faceness"] = {"faces": len(faces), "faces_passed": passed, "against": figures}


def _separation(
    positive: Floats, negative: Floats, threshold: float, rng: np.random.Generator
) -> dict[str, Any]:
    below = shares_above(positive, negative)
    return {
        "number": len(negative),
        "auc": float(below.mean()),
        "interval95": metrics.bootstrap(below, rng),
        "taken_for_a_face": float((negative >= threshold).mean()),
    }


def shares_above(positive: Floats, negative: Floats) -> Floats:
    """Give for each negative the share of positives that score higher; ties count half.

    Their mean is the area under the ROC curve.
    """
    ordered = np.sort(positive)
    not_above = np.searchsorted(ordered, negative, side="right")
    lower = np.searchsorted(ordered, negative, side="left")
    return np.asarray(1 - (not_above + lower) / (2 * len(ordered)))


def _separation_row(name: str, found: dict[str, Any]) -> tuple[Cell, ...]:
    low, high = found["interval95"]
    taken = percent(found["taken_for_a_face"])
    return (name, found["number"], f"{found['auc']:.4f}", f"{low:.4f} to {high:.4f}", taken)


def backgrounds(pictures: list[Image], count: int, side: int, rng: np.random.Generator) -> Image:
    """Cut squares of any size from photographs where no face is found: grey (N, side, side)."""
    if not pictures:
        return np.empty((0, side, side), np.uint8)
    detector = detectors.detector("centerface", min_face=20)
    boxes = [np.array([face.box_xyxy for face in detector.detect(p)]) for p in pictures]
    greys, cut = [images.to_grey(picture) for picture in pictures], []
    for _ in range(TRIES * count):
        chosen = int(rng.integers(len(greys)))
        square = _square(greys[chosen], rng)
        if not len(boxes[chosen]) or not geometry.box_iou(square, boxes[chosen]).any():
            matrix = geometry.box_to_image(square, (side, side))
            cut.append(images.warp(greys[chosen], matrix, (side, side)))
        if len(cut) == count:
            break
    return np.stack(cut) if cut else np.empty((0, side, side), np.uint8)


def _square(image: Image, rng: np.random.Generator) -> geometry.Box:
    height, width = image.shape
    size = rng.uniform(min(LEAST_PIECE, min(height, width) / 2), min(height, width) / 2)
    x, y = rng.uniform(0, width - size), rng.uniform(0, height - size)
    return (x - 0.5, y - 0.5, x + size - 0.5, y + size - 0.5)
