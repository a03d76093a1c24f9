"""How fast prediction is, what it holds in memory and on disk."""

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np

from bench import pictures, processes, sizes
from bench.clock import best_of, seconds
from bench.report import Cell, Report, Table, milliseconds, size
from mien import images
from mien.cli import _jobs
from mien.faces import detectors
from mien.faces.landmarks import Landmarker
from mien.progress import cores
from mien.recognizer import ExpressionReader, Recognizer

SEED = 640480
BATCHES = (1, 8, 64)
LARGE_ROUNDS = 3

Work = Callable[[], object]


def measure(photographs: int, rounds: int, *, install: bool) -> Report:
    """Measure everything on generated photographs; `install` also builds and installs the wheel."""
    report = Report("speed")
    with tempfile.TemporaryDirectory() as scratch:
        folder, rng = Path(scratch) / "photographs", np.random.default_rng(SEED)
        folder.mkdir()
        paths = pictures.photographs(folder, photographs, rng)
        large = pictures.large_photograph(Path(scratch), rng)
        _stages(report, paths[0], rounds)
        _throughput(report, paths, rounds)
        _crops(report, rounds)
        _starts(report, paths[0], rounds)
        _memory(report, folder, large, photographs)
    if install:
        _install(report)
    return report


def _stages(report: Report, path: Path, rounds: int) -> None:
    """Time each stage of one photograph, with one thread and with all."""
    threads = tuple(sorted({1, cores()}))
    works = {(name, n): work for n in threads for name, work in _stage_works(path, n).items()}
    times = best_of({f"{name}/{n}": work for (name, n), work in works.items()}, rounds * 4)
    names = [name for name, n in works if n == threads[0]]
    table = {name: {n: times[f"{name}/{n}"] for n in threads} for name in names}
    table["all stages"] = {n: sum(table[name][n] for name in names) for n in threads}
    rows = [_compared(name, list(times.values())) for name, times in table.items()]
    columns = ("stage", *(f"{n} thread{'s' * (n > 1)}" for n in threads), "times faster")
    report.tables.append(
        Table(
            "One photograph of 640x480 with one face", columns[: len(rows[0])], rows, "best round"
        )
    )
    report.figures["stage_seconds"] = {
        name: {str(n): value for n, value in times.items()} for name, times in table.items()
    }


def _stage_works(path: Path, threads: int) -> dict[str, Work]:
    detector = detectors.detector("centerface", threads=threads)
    landmarker, reader = Landmarker(threads=threads), ExpressionReader(threads=threads)
    image = images.read(path)
    faces = landmarker.locate(image, detector.detect(image))[:1]
    points, box = faces[0].points_xy, faces[0].box_xyxy

    def cut() -> images.Image:
        return reader.preparation.cut(images.to_grey(image), points, box)

    crop = cut()[None]
    return {
        "read": lambda: images.read(path),
        "detect": lambda: detector.detect(image),
        "landmarks": lambda: landmarker.locate(image, faces),
        "crop": cut,
        "expression": lambda: reader.read(crop),
    }


def _throughput(report: Report, paths: list[Path], rounds: int) -> None:
    """Count photographs a second, read as `mien predict` reads them and in other ways."""
    every = cores()
    ways = {
        "as mien predict does": (every, None),
        "the same, --no-mirror": (every, False),
        "--jobs 1": (1, None),
    }
    some = paths[: max(1, len(paths) // 4)]
    works = {name: _reading(some, *way) for name, way in ways.items()}
    rates = {name: len(some) / took for name, took in best_of(works, rounds).items()}
    usual = next(iter(rates.values()))
    rows = [(name, f"{rate:.1f}", f"{rate / usual:.2f}") for name, rate in rates.items()]
    report.tables.append(
        Table(
            "Photographs of 640x480 with one face",
            ("way", "a second", "of the first"),
            rows,
            f"{len(some)} photographs, best of {rounds} rounds, start not counted",
        )
    )
    report.figures["photographs_per_second"] = rates


def _reading(paths: list[Path], jobs: int, mirror: bool | None) -> Work:
    recognizer = Recognizer(mirror=mirror, threads=max(1, cores() // jobs))
    return lambda: list(_jobs.in_order(recognizer, paths, jobs))


def _crops(report: Report, rounds: int) -> None:
    """Count faces a second that are cut already, by batch, with and without their mirror image."""
    readers = {
        "with the mirror image": ExpressionReader(mirror=True),
        "--no-mirror": ExpressionReader(mirror=False),
    }
    height, width = next(iter(readers.values())).metadata.size_hw
    rng = np.random.default_rng(SEED)
    crops = rng.integers(0, 256, (max(BATCHES) * 2, height, width), dtype=np.uint8)
    works = {
        (name, batch): _batches(reader, crops, batch)
        for batch in BATCHES
        for name, reader in readers.items()
    }
    times = best_of({f"{name}/{batch}": work for (name, batch), work in works.items()}, rounds)
    rates = {
        batch: {name: len(crops) / times[f"{name}/{batch}"] for name in readers}
        for batch in BATCHES
    }
    rows = [_crop_row(batch, rates) for batch in BATCHES]
    report.tables.append(
        Table(
            f"Faces of {height}x{width} a second, {cores()} threads",
            ("batch", *readers, "times faster", "of batch 1"),
            rows,
            f"best of {rounds} rounds",
        )
    )
    report.figures["crops_per_second"] = {str(batch): found for batch, found in rates.items()}


def _batches(reader: ExpressionReader, crops: images.Image, batch: int) -> Work:
    return lambda: [reader.read(crops[at : at + batch]) for at in range(0, len(crops), batch)]


def _crop_row(batch: int, rates: Mapping[int, Mapping[str, float]]) -> tuple[Cell, ...]:
    on, off = rates[batch].values()
    first = next(iter(rates[BATCHES[0]].values()))
    return (str(batch), f"{on:.0f}", f"{off:.0f}", f"{off / on:.2f}", f"{on / first:.2f}")


def _starts(report: Report, path: Path, rounds: int) -> None:
    """Time new processes, and `import mien` inside one."""
    starts = best_of(
        {
            "python, nothing else": processes.start_python,
            "mien --version": lambda: processes.run_mien("--version"),
            "mien predict PHOTO": lambda: processes.run_mien("predict", path),
        },
        rounds,
    )
    imported = min(processes.import_seconds() for _ in range(rounds))
    rows = [("import mien, inside python", milliseconds(imported))]
    rows += [(name, milliseconds(took)) for name, took in starts.items()]
    report.tables.append(Table("Starts", ("process", "time"), rows, f"best of {rounds}"))
    report.figures["start_seconds"] = {"import mien": imported, **starts}


def _memory(report: Report, folder: Path, large: Path, photographs: int) -> None:
    """Run whole commands and note the most memory each held."""
    out = folder.parent / "out.jsonl"
    many = processes.cost_of("predict", folder, "--out", out, "--quiet")
    one = processes.cost_of("predict", large, "--out", out, "--quiet")
    recognizer = Recognizer()
    again = min(seconds(lambda: recognizer(large)) for _ in range(LARGE_ROUNDS))
    rows = [
        (
            f"mien predict, {photographs} photographs",
            f"{many.seconds:.2f} s",
            size(many.peak_bytes),
        ),
        ("mien predict, one of 24 megapixels", f"{one.seconds:.2f} s", size(one.peak_bytes)),
        (f"the latter once started, best of {LARGE_ROUNDS}", f"{again:.2f} s", None),
    ]
    note = f"start included; {photographs / many.seconds:.1f} photographs a second over all"
    report.tables.append(Table("Whole commands", ("command", "time", "peak memory"), rows, note))
    report.figures["commands"] = {
        "folder": {"seconds": many.seconds, "peak_bytes": many.peak_bytes},
        "large": {"seconds": one.seconds, "peak_bytes": one.peak_bytes, "warm_seconds": again},
    }


def _install(report: Report) -> None:
    try:
        found = sizes.measure()
    except sizes.NotMeasured as error:
        found = {}
        report.tables.append(Table("On disk: not measured", ("reason",), [(str(error),)]))
    else:
        rows = [(name.replace("_", " "), size(count)) for name, count in found.items()]
        report.tables.append(Table("On disk", ("what", "size"), rows, "the base install alone"))
    report.figures["disk_bytes"] = found


def _compared(name: str, times: list[float]) -> tuple[Cell, ...]:
    row: list[Cell] = [name, *map(milliseconds, times)]
    if len(times) > 1:
        row.append(f"{times[0] / times[1]:.2f}")
    return tuple(row)
