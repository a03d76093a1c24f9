"""`mien data prepare`: cut the faces of a data set into a table."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien import __version__
from mien.cli import _jobs, _options
from mien.cli._columns import aligned
from mien.cli._streams import writing
from mien.cli.data import _source
from mien.progress import cores

if TYPE_CHECKING:
    from mien.data.crops import Cutter, Outcome
    from mien.preparation import Preparation

SHIPPED = "shipped"
COUNTS = ("images", "faces", "rejected", "taken_whole")


def prepare(
    dataset: _source.Dataset,
    root: _source.Root,
    out: Annotated[Path, typer.Option(metavar="FOLDER", help="The new folder of the table.")],
    preparation: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="How to cut: `shipped` as the shipped model wants it, or a name or alias from"
            " `mien.preparation.presets`, like system2.",
        ),
    ] = SHIPPED,
    detector: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="centerface, dlib, mtcnn, or whole: each image is one face.  [default: centerface"
            " for photographs, whole for faces]",
        ),
    ] = None,
    landmarks: _options.Landmarks = None,
    points: Annotated[
        bool, typer.Option("--points", help="Find the 68 points of faces taken whole, too.")
    ] = False,
    no_face: Annotated[
        str,
        typer.Option(
            metavar="skip|whole|error",
            help="What becomes of an image without a face: left out, taken whole, or the end.",
        ),
    ] = "skip",
    min_face: _options.MinFace = 32,
    jobs: _options.ImagesAtOnce = None,
    option: _options.Settings = None,
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Cut the faces of a data set into a table of arrays.

    Every image left out is in `rejected.csv`, with the reason; the summary counts them by class. A
    work that was stopped goes on with the same command.
    """
    from mien.data import crops
    from mien.data.rights import record
    from mien.data.table import FaceTable

    data = _source.read(dataset, root, option)
    steps = _steps(preparation)
    if detector is None:
        needed = steps.needs_points or steps.needs_box
        detector = "centerface" if needed and not isinstance(data, FaceTable) else "whole"
    jobs = jobs or cores()
    cutter = _cutter(
        steps,
        no_face,
        detector=detector,
        landmarks=landmarks,
        points=points or (steps.needs_points and steps.crop != "template"),
        min_face=min_face,
        threads=max(1, cores() // jobs),
    )
    about = {
        "data_set": dataset,
        "rights": record(dataset),
        "mien": __version__,
        "options": option or [],
        "detector": {"name": detector, "min_face": min_face, "points": points},
        "landmarks": landmarks or SHIPPED,
        "preparation_name": preparation,
    }

    def each(work: "Callable[[int], Outcome]", rows: Iterable[int]) -> "Iterable[Outcome]":
        return _jobs.in_order(work, rows, jobs)

    try:
        _, summary = crops.prepare(data, out, cutter, about=about, each=each, quiet=quiet)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{out} is not written yet; the same command goes on from here"
        ) from None
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(summary, indent=2))
        elif not quiet:
            print_table(summary)
    if not quiet:
        print(f"written to {out}{_lost(summary, out)}", file=sys.stderr)


def print_table(summary: dict[str, Any]) -> None:
    """Print a line a class, the sum last."""
    rows = [["", *(name.replace("_", " ") for name in COUNTS), "lost"]]
    for name, counts in (*summary["by_expression"].items(), ("all", summary)):
        share = counts["rejected"] / counts["images"] if counts["images"] else 0
        rows.append([name, *(str(counts[of]) for of in COUNTS), f"{share:.1%}"])
    print(*aligned(rows, numbers=True), sep="\n")


def _lost(summary: dict[str, Any], out: Path) -> str:
    """Say what was left out, and which classes with it."""
    empty = [name for name, of in summary["by_expression"].items() if not of["faces"]]
    gone = f"; no face of {', '.join(empty)} is left" if empty else ""
    if summary.get("passed_over"):
        gone += f"; {summary['passed_over']} pictures named unlike the set's were passed over"
    if not summary["rejected"]:
        return gone
    return f"; {summary['rejected']} left out are in {out / 'rejected.csv'}{gone}"


def _steps(name: str) -> "Preparation":
    if name == SHIPPED:
        from mien.recognizer import ExpressionReader

        return ExpressionReader(threads=1).preparation
    from mien.preparation import preset

    return preset(name)


def _cutter(steps: "Preparation", no_face: str, **finding: Any) -> "Cutter":
    from mien.data.crops import Cutter
    from mien.faces.finding import FaceFinder

    return Cutter(steps, FaceFinder(**finding), no_face)
