"""`mien occlude`: hide parts of the faces in photographs or in a table."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _faces, _jobs, _options
from mien.cli._streams import writing
from mien.errors import InputError, UsageError
from mien.progress import cores

if TYPE_CHECKING:
    from mien.data.growing import Finished, Job
    from mien.data.occluded import Hiding


def occlude(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="SRC", help="A folder of photographs, one of them, or a table of faces."
        ),
    ],
    out: Annotated[Path, typer.Argument(metavar="DST", help="The folder to write into.")],
    names: Annotated[
        str,
        typer.Option(
            "--with", metavar="LIST", help="Occluders, as in eyes,mouth,eyes+mouth,surgical,none."
        ),
    ],
    style: _faces.Style = None,
    severity: _faces.Severity = 1.0,
    pad_px: _faces.PadPx = None,
    pad_share: _faces.PadShare = None,
    tone: _faces.Tone = None,
    fixed_size: _faces.FixedSize = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Another seed draws others.")] = 0,
    no_face: Annotated[
        str,
        typer.Option(
            metavar="skip|copy|fail",
            help="What becomes of one without a face or points: left out, copied, or the end.",
        ),
    ] = "skip",
    masks: Annotated[
        bool, typer.Option("--masks", help="Write, too, which pixels are hidden.")
    ] = False,
    detector: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="centerface; dlib or mtcnn with their extras; whole: each image is one face.",
        ),
    ] = "centerface",
    landmarks: _options.Landmarks = None,
    min_face: _options.MinFace = 32,
    jobs: _options.ImagesAtOnce = None,
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Hide parts of the faces in photographs or in a table.

    Writes DST/OCCLUDER/NAME.png, lossless, and DST/manifest.csv with a row for each; what has no
    face is in DST/rejected.csv. Work that was stopped goes on with the same command. A photograph
    that cannot be read makes the exit code 3, and so does a work without any picture.
    """
    from mien import files
    from mien.data.occluded import Hiding
    from mien.data.table import DESCRIPTION

    table = (source / DESCRIPTION).is_file()
    options = {
        **_faces.drawn(
            True,
            style=style,
            severity=severity,
            pad_px=pad_px,
            pad_share=pad_share,
            tone=tone,
            fixed_size=fixed_size,
        ),
        "photograph": not table and detector != "whole",
    }
    hiding = Hiding(names.split(","), seed, no_face, masks, options)
    if not source.exists():
        raise InputError(f"no file or folder {source}; expected photographs or a table of faces")
    if out.resolve().is_relative_to(source.resolve()):
        raise UsageError(f"{out} lies in {source}, where it would be read again; name another")
    files.check_folder(out)
    jobs = jobs or cores()

    def each(work: "Callable[[Job], Finished]", left: "Iterable[Job]") -> "Iterable[Finished]":
        return _jobs.in_order(work, left, jobs, wait=True)

    given: dict[str, Any] = {"each": each, "quiet": quiet}
    try:
        if table:
            done = _table(source, out, hiding, **given)
        else:
            finding = {"detector": detector, "landmarks": landmarks, "min_face": min_face}
            threads = max(1, cores() // jobs)
            done = _photographs(source, out, hiding, finding, threads, **given)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{out} is not finished, its manifest lists what is there; the same command goes on"
        ) from None
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps({"out": str(out), **done}, indent=2))
    if not quiet:
        print(_told(done, out), file=sys.stderr)
    if done["unreadable"] or not done["pictures"]:
        raise typer.Exit(InputError.exit_code)


def _table(source: Path, out: Path, hiding: "Hiding", **given: Any) -> dict[str, int]:
    from mien.data.occluded import write_table
    from mien.data.table import FaceTable

    faces = FaceTable.open(source)
    about = {"table": source.resolve().name, "faces": len(faces)}
    return write_table(faces, out, hiding, about=about, **given)


def _photographs(
    source: Path, out: Path, hiding: "Hiding", finding: dict[str, Any], threads: int, **given: Any
) -> dict[str, int]:
    from mien.data.occluded import write_photographs
    from mien.faces.finding import FaceFinder
    from mien.media import folders

    photographs = list(folders.expand([source]))
    root = source if source.is_dir() else source.parent
    about = {"photographs": root.resolve().name, **finding}
    finder = FaceFinder(**finding, points=True, threads=threads)
    return write_photographs(photographs, root, out, hiding, finder, about=about, **given)


def _told(done: dict[str, int], out: Path) -> str:
    before = done["pictures"] - done["drawn"]
    already = f", {before} were there already" if before else ""
    broken = f", {done['unreadable']} could not be read" if done["unreadable"] else ""
    lost = f"; {done['rejected']} left out are in {out / 'rejected.csv'}{broken}"
    lost = lost if done["rejected"] else ""
    return f"{done['drawn']} pictures of {done['sources']} images written to {out}{already}{lost}"
