"""How fast parts of faces are hidden: many at once, one by one, and in a photograph."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np

from bench.clock import Work, best_of
from bench.pictures import USUAL_HW, scene
from bench.report import Cell, Report, Table, milliseconds
from mien import occlusion
from mien.images import Image
from mien.occlusion.frames import MEAN_FACE
from mien.occlusion.kinds import Points
from mien.progress import cores

SEED = 4848
SIDE = 48
GOALS = {"flat": 30_000, "realistic": 1_500}  # faces a second on two cores
FEWER = 16  # times fewer faces of what is slower
JITTER = 1.5  # pixels
SPECS = ("eyes+mouth", "eyes+mouth+nose+brows")


def measure(faces: int, rounds: int) -> Report:
    """Measure every occluder on random faces where real ones lie, and on a scene."""
    report = Report("occluders")
    specs = [*occlusion.names("flat"), *SPECS, *occlusion.names("realistic")]
    rates = {spec: _rates(spec, faces, rounds) for spec in specs}
    rows = [_row(spec, found) for spec, found in rates.items()]
    threads = f"{cores()} threads"
    columns = ("occluder", "style", "one thread", threads, "one by one", "banked", "photograph")
    note = (
        f"grey {SIDE}x{SIDE}, best of {rounds} rounds; banked: looks drawn before, on one thread;"
        f" photograph: one face in colour in {USUAL_HW[1]}x{USUAL_HW[0]}; goals on two cores:"
        f" flat {GOALS['flat']:,}, realistic {GOALS['realistic']:,}"
    )
    report.tables.append(Table("Faces hidden a second", columns, rows, note))
    report.figures = {"per_second": rates, "slowest": dict(_slowest(rates))}
    return report


def _rates(spec: str, faces: int, rounds: int) -> dict[str, float]:
    count = faces if _style(spec) == "flat" else max(2, faces // FEWER)
    rng = np.random.default_rng(SEED)
    images = rng.integers(0, 256, (count, SIDE, SIDE), dtype=np.uint8)
    points = _points(count, rng)
    picture = scene(rng)
    large = (MEAN_FACE * 5 + [200.0, 100.0]).astype(np.float32)
    few = max(1, count // FEWER)
    draw = occlusion.occluder(spec)
    works: dict[str, Work] = {
        "one_thread": partial(occlusion.batch, spec, images, points, SEED),
        "threads": partial(_shared, spec, images, points),
        "one_by_one": partial(_singly, spec, images[:few], points[:few]),
        "photograph": lambda: draw(picture, large, np.random.default_rng(SEED)),
    }
    if _style(spec) == "realistic":
        works["banked"] = partial(occlusion.batch, spec, images, points, SEED, banked=True)
    counts = {
        "banked": count,
        "one_thread": count,
        "threads": count,
        "one_by_one": few,
        "photograph": 1,
    }
    return {name: counts[name] / took for name, took in best_of(works, rounds).items()}


def _points(count: int, rng: np.random.Generator) -> Points:
    moved = MEAN_FACE + rng.normal(0, JITTER, (count, 1, 2)) + rng.normal(0, 0.5, (count, 68, 2))
    return moved.astype(np.float32)


def _shared(spec: str, images: Image, points: Points) -> None:
    """Share the faces among threads, as the commands do."""
    parts = np.array_split(np.arange(len(images)), cores())
    with ThreadPoolExecutor(cores()) as pool:
        work = partial(_part, spec, images, points)
        list(pool.map(work, parts))


def _part(spec: str, images: Image, points: Points, rows: np.ndarray) -> None:
    if len(rows):
        some = slice(rows[0], rows[-1] + 1)
        occlusion.batch(spec, images[some], points[some], SEED, int(rows[0]))


def _singly(spec: str, images: Image, points: Points) -> None:
    draw = occlusion.occluder(spec)
    for row, (image, one) in enumerate(zip(images, points, strict=True)):
        draw(image, one, np.random.default_rng([SEED, row]))


def _style(spec: str) -> str:
    return occlusion.OCCLUDERS[spec.partition("+")[0]].style


def _row(spec: str, rates: dict[str, float]) -> tuple[Cell, ...]:
    ways = ("one_thread", "threads", "one_by_one", "banked")
    fast = [f"{rates[way]:,.0f}" if way in rates else None for way in ways]
    return (spec, _style(spec), *fast, milliseconds(1 / rates["photograph"]))


def _slowest(rates: dict[str, dict[str, float]]) -> Iterator[tuple[str, dict[str, float | str]]]:
    """Name the slowest of each style and set it beside the goal."""
    for style, goal in GOALS.items():
        fastest = {
            spec: max(rate for way, rate in ways.items() if way != "photograph")
            for spec, ways in rates.items()
            if _style(spec) == style
        }
        least = min(fastest, key=fastest.__getitem__)
        yield style, {"occluder": least, "per_second": fastest[least], "goal": goal}
