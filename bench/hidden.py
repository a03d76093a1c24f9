"""Whether hidden regions are noticed, also under things that training never drew, and certainty."""

from pathlib import Path
from typing import Any

import numpy as np

from bench import faces as real
from bench.report import Cell, Report, Table, interval, percent
from mien import metrics
from mien.data.protocol import Protocol
from mien.data.table import FaceTable
from mien.evaluation import Result, evaluate
from mien.progress import track
from mien.recognizer import ExpressionReader

SEED = 3648
HELD_OUT = ("sunglasses", "surgical")
DRAWN = ("none", *HELD_OUT, "eyes", "mouth", "mask-polygon")
REAL_LIST = "jianfei_occlusion_list.txt"


def measure(
    data: Path, model: str | None, occluded: Path, count: int | None, quiet: bool
) -> Report:
    """Measure on PublicTest under drawn occluders, and certainty on really occluded faces too."""
    report, reader = Report("hidden"), ExpressionReader(model)
    faces = real.sample(real.labelled(data), count, np.random.default_rng(SEED))
    results = under_occluders(faces, reader, quiet)
    rows = [row for name in results for row in _region_rows(name, results[name])]
    report.tables.append(
        Table(
            f"Regions reported hidden, {len(faces)} faces of PublicTest (FER+ majority)",
            ("drawn", "region", "recall", "95 %", "hidden", "false alarms", "95 %", "visible"),
            rows,
            f"never drawn in training: {', '.join(HELD_OUT)}",
        )
    )
    if occluded.is_file():
        results["really occluded"] = _really_occluded(data, occluded, reader, count)
    report.tables.append(
        Table(
            "Certain answers",
            ("faces", "number", "accuracy of all", "certain", "right of those", "95 %"),
            [_certain_row(name, result) for name, result in results.items()],
            "drawn ones as above; really occluded: the list of Region Attention Networks",
        )
    )
    report.figures = {name: _figures(result) for name, result in results.items()}
    report.figures["model_sha256"] = reader.sha256
    return report


def under_occluders(faces: FaceTable, reader: ExpressionReader, quiet: bool) -> dict[str, Result]:
    """Measure on faces under each occluder, and with nothing drawn."""
    shown = track(DRAWN, total=len(DRAWN), description="hiding", quiet=quiet)
    return {name: evaluate(faces, reader, occluder=name, seed=SEED) for name in shown}


def _really_occluded(
    data: Path, occluded: Path, reader: ExpressionReader, count: int | None
) -> Result:
    faces: FaceTable = Protocol(data_set="ferplus", list_file=occluded).select(data)
    faces = real.sample(faces, count, np.random.default_rng(SEED))
    return evaluate(faces, reader, really_occluded=True)


def _region_rows(name: str, result: Result) -> list[tuple[Cell, ...]]:
    return [
        (
            name if first else "",
            region,
            *_share(found["recall"], found["hidden_faces"]),
            *_share(found["false_alarms"], found["visible_faces"]),
        )
        for first, (region, found) in zip((True, False), result.hidden.items(), strict=False)
    ]


def _share(share: float | None, number: int) -> tuple[Cell, Cell, Cell]:
    if share is None:
        return (None, None, None)
    return (percent(share), interval(metrics.wilson(round(share * number), number)), number)


def _certain_row(name: str, result: Result) -> tuple[Cell, ...]:
    certain = result.certain
    return (
        name,
        result.faces,
        percent(result.accuracy),
        percent(certain["share"]),
        percent(certain["accuracy"]),
        interval(certain["interval95"]),
    )


def _figures(result: Result) -> dict[str, Any]:
    return {
        "faces": result.faces,
        "accuracy": result.accuracy,
        "interval95": result.interval95,
        "hidden": result.hidden,
        "certain": result.certain,
    }
