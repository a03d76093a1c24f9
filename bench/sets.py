"""How fast data sets are read, audited and prepared, and what a large table holds in memory."""

import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np

from bench import processes
from bench.clock import best_of, seconds
from bench.pictures import jpeg
from bench.report import Cell, Report, Table, size
from mien import images, weights
from mien.cli import _jobs
from mien.data.audit import audit
from mien.data.crops import Cutter, prepare
from mien.data.listing import Listing
from mien.data.readers import read
from mien.data.table import FaceTable
from mien.errors import MissingExtraError
from mien.faces.finding import FaceFinder
from mien.progress import cores
from mien.recognizer import ExpressionReader

SEED = 350350
SIDE = 350  # pixels of a studio photograph as data sets have them
WRITE = f"""
import json, sys, time
import numpy as np
from mien.data.table import FaceTable
from mien.data.writing import TableWriter
folder, rows, block = sys.argv[1], int(sys.argv[2]), 2000
rng = np.random.default_rng(0)
with TableWriter(folder, ("fear", "neutral"), {{}}) as writer:
    for first in range(0, rows, block):
        n = min(block, rows - first)
        text = np.full(n, "")
        writer.append(FaceTable(
            images=rng.integers(0, 256, (n, 48, 48), dtype=np.uint8), labels=np.zeros(n, int),
            expressions=("fear", "neutral"), subject=text, sequence=text, split=text,
            source_id=np.array([f"folder/image-{{row:08}}.png" for row in range(first, first + n)]),
            points_xy=np.zeros((n, 68, 2), np.float32)), done=n)
    writer.finish()
start = time.perf_counter()
len(FaceTable.open(folder))
took = time.perf_counter() - start
{processes.PEAK}
print(json.dumps([took, peak]))
"""


def measure(data: Path, photographs: int, rows: int, rounds: int) -> Report:
    """Measure on FER-2013, on generated photographs, and on a table of random faces."""
    report = Report("sets")
    _read_and_audit(report, data)
    with tempfile.TemporaryDirectory() as scratch:
        _prepared(report, Path(scratch), photographs, rounds)
        _large(report, Path(scratch), rows)
    return report


def _read_and_audit(report: Report, data: Path) -> None:
    reading = seconds(lambda: read("fer2013", data))
    faces = read("fer2013", data)
    assert isinstance(faces, FaceTable)
    auditing = seconds(lambda: audit(faces))
    rows: list[tuple[Cell, ...]] = [
        ("FER-2013 to a table", f"{reading:.1f} s"),
        ("audit of exact and near copies", f"{auditing:.1f} s"),
    ]
    report.tables.append(Table(f"{len(faces):,} faces", ("what", "time"), rows))
    report.figures |= {"faces": len(faces), "read_seconds": reading, "audit_seconds": auditing}


def _prepared(report: Report, folder: Path, count: int, rounds: int) -> None:
    """Prepare photographs as the shipped model wants them, by each detector that is installed."""
    listing = _photographs(folder, count)
    works: dict[str, Callable[[], object]] = {}
    for name, landmarks in (("centerface", None), ("dlib", "dlib")):
        try:
            finder = FaceFinder(name, landmarks=landmarks, threads=1)
        except MissingExtraError:
            continue
        cutter = Cutter(ExpressionReader(threads=1).preparation, finder)
        works[name] = partial(_prepare, listing, cutter, folder)
    times = best_of(works, rounds)
    rates = {name: count / took for name, took in times.items()}
    rows: list[tuple[Cell, ...]] = [(name, f"{rate:.1f}") for name, rate in rates.items()]
    title = f"Faces prepared a second from {SIDE}x{SIDE} photographs, {cores()} threads"
    note = f"{count} photographs, best of {rounds} rounds, in turns; dlib only where it is there"
    report.tables.append(Table(title, ("detector and points", "a second"), rows, note))
    report.figures["prepared_per_second"] = rates


def _photographs(folder: Path, count: int) -> Listing:
    """Write the sample portrait's head at many places."""
    portrait, rng = images.read(weights.sample_portrait()), np.random.default_rng(SEED)
    paths = [folder / f"{number}.jpg" for number in range(count)]
    for path in paths:
        y, x = rng.integers(0, 40, 2)
        path.write_bytes(jpeg(portrait[y : y + SIDE, 50 + x : 50 + x + SIDE]))
    nothing = np.full(count, "")
    return Listing(
        paths=np.array([str(path) for path in paths]),
        labels=np.zeros(count, int),
        expressions=("happiness",),
        subject=nothing,
        sequence=nothing,
        source_id=np.array([path.name for path in paths]),
        split=nothing,
    )


def _prepare(listing: Listing, cutter: Cutter, folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        share = partial(_jobs.in_order, jobs=cores())
        prepare(listing, Path(scratch) / "table", cutter, each=share)


def _large(report: Report, folder: Path, rows: int) -> None:
    took, peak = processes.numbers(WRITE, folder / "large", str(rows))
    told: list[tuple[Cell, ...]] = [
        ("most memory while it is written", size(round(peak))),
        ("time to open it", f"{took:.3f} s"),
    ]
    report.tables.append(Table(f"A table of {rows:,} faces of 48x48", ("what", ""), told))
    report.figures |= {"table_rows": rows, "table_peak_bytes": peak, "table_open_seconds": took}
