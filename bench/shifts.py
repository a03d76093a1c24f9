"""What is left of the accuracy where light, sharpness, grain, compression or framing change."""

import io
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from bench import faces as real
from bench.report import Report, Table, interval, percent
from mien.data.table import FaceTable
from mien.evaluation import Result, evaluate
from mien.images import Image as Pixels
from mien.progress import track
from mien.recognizer import ExpressionReader

SEED = 3648
Change = Callable[[Pixels], Pixels]


def measure(data: Path, model: str | None, count: int | None, quiet: bool) -> Report:
    """Measure on PublicTest, all faces changed in one way at a time."""
    report, reader = Report("shifts"), ExpressionReader(model)
    faces = real.sample(real.labelled(data), count, np.random.default_rng(SEED))
    shown = track(CHANGES, total=len(CHANGES), description="changing faces", quiet=quiet)
    results = {name: evaluate(changed(faces, name), reader) for name in shown}
    mean = float(np.mean([result.accuracy for result in results.values()]))
    report.tables.append(
        Table(
            f"{len(faces)} faces of PublicTest (FER+ majority), changed before they are read",
            ("changed", "right", "95 %"),
            [*(_row(name, result) for name, result in results.items()), ("mean", percent(mean))],
            "each face by itself, its 48x48 pixels",
        )
    )
    report.figures = {name: _figures(result) for name, result in results.items()}
    report.figures |= {"mean": mean, "model_sha256": reader.sha256}
    return report


def changed(faces: FaceTable, name: str) -> FaceTable:
    """Change the image of each face in the way of this name."""
    change = CHANGES[name]
    return replace(faces, images=np.stack([change(np.asarray(face)) for face in faces.images]))


def _row(name: str, result: Result) -> tuple[str, str, str]:
    return name, percent(result.accuracy), interval(result.interval95)


def _figures(result: Result) -> dict[str, object]:
    return {
        "faces": result.faces,
        "accuracy": result.accuracy,
        "interval95": result.interval95,
        "balanced_accuracy": result.balanced_accuracy,
    }


def _levels(change: Callable[[np.ndarray], np.ndarray]) -> Change:
    """Change gray levels, from 0 to 1."""

    def applied(face: Pixels) -> Pixels:
        levels = change(face.astype(np.float64) / 255)
        return (levels.clip(0, 1) * 255).round().astype(np.uint8)

    return applied


def _lit_from_the_side(levels: np.ndarray) -> np.ndarray:
    return levels * np.linspace(0.35, 1.3, levels.shape[1])


def _grain(levels: np.ndarray) -> np.ndarray:
    # The noise belongs to the face, whichever others are measured.
    rng = np.random.default_rng(int(levels.sum() * 255))
    return levels + rng.normal(0, 12 / 255, levels.shape)


def _filtered(kernel: ImageFilter.Filter) -> Change:
    return lambda face: np.asarray(Image.fromarray(face).filter(kernel))


def _from_few_pixels(side: int) -> Change:
    def applied(face: Pixels) -> Pixels:
        small = Image.fromarray(face).resize((side, side), Image.Resampling.BOX)
        size = face.shape[1], face.shape[0]
        return np.asarray(small.resize(size, Image.Resampling.BILINEAR))

    return applied


def _compressed(quality: int) -> Change:
    def applied(face: Pixels) -> Pixels:
        stored = io.BytesIO()
        Image.fromarray(face).save(stored, "JPEG", quality=quality)
        return np.asarray(Image.open(stored))

    return applied


def _framed(degrees: float = 0.0, scale: float = 1.0, shift_xy: tuple[int, int] = (0, 0)) -> Change:
    """Turn, enlarge and move a face about its centre; what is not there is black."""

    def applied(face: Pixels) -> Pixels:
        side = face.shape[1]
        turned = Image.fromarray(face).rotate(
            degrees, Image.Resampling.BILINEAR, translate=shift_xy
        )
        edge = side * (1 - 1 / scale) / 2
        box = (edge, edge, side - edge, side - edge)
        if scale >= 1:
            return np.asarray(turned.resize(turned.size, Image.Resampling.BILINEAR, box=box))
        inside = turned.resize((round(side * scale),) * 2, Image.Resampling.BILINEAR)
        framed = Image.new(turned.mode, turned.size)
        framed.paste(inside, (round(side * (1 - scale) / 2),) * 2)
        return np.asarray(framed)

    return applied


CHANGES: dict[str, Change] = {
    "nothing": lambda face: face,
    "lighter (gamma 0.5)": _levels(np.sqrt),
    "darker (gamma 2)": _levels(np.square),
    "contrast 40 %": _levels(lambda levels: 0.5 + 0.4 * (levels - 0.5)),
    "lit from one side": _levels(_lit_from_the_side),
    "blurred (1.2 pixels)": _filtered(ImageFilter.GaussianBlur(1.2)),
    "from 20x20 pixels": _from_few_pixels(20),
    "sharpened": _filtered(ImageFilter.UnsharpMask(1.5, 150, 0)),
    "noise (12 levels)": _levels(_grain),
    "JPEG, quality 40": _compressed(40),
    "turned 15 degrees": _framed(degrees=15),
    "turned -25 degrees": _framed(degrees=-25),
    "framed 20 % closer": _framed(scale=1.2),
    "framed 20 % wider": _framed(scale=0.8),
    "moved by 5 pixels": _framed(shift_xy=(5, -4)),
}
