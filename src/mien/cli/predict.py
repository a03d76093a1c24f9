"""`mien predict`: the expression of every face in photographs and in a video."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _options, _outputs, _video_options
from mien.cli._records import KINDS, kind_of
from mien.errors import InputError, UsageError
from mien.images.obscuring import Faces
from mien.progress import cores
from mien.recognizer import Recognizer

if TYPE_CHECKING:
    from mien.media.folders import Shard


class Format(StrEnum):
    """How records are written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


def predict(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Photographs, folders, patterns like '*.jpg', - for a list on stdin; or a .csv or"
            " .parquet of photographs and boxes; or videos: a file, an address, images like"
            " img%04d.png.",
        ),
    ],
    format: Annotated[
        Format | None,
        typer.Option(help="How to write records.  [default: table on a terminal, else jsonl]"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the records here; .csv, .jsonl, .parquet set the format. Of several videos,"
            " a folder.",
        ),
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write annotated copies into this folder.")
    ] = None,
    draw_faces: Annotated[
        Faces | None,
        typer.Option(
            help="Show the faces in annotated copies, or make them unrecognisable."
            "  [default: shown]"
        ),
    ] = None,
    points: Annotated[
        bool, typer.Option("--points", help="Add the 68 points of each face to its record.")
    ] = False,
    model: _options.Model = None,
    labels: _options.Labels = None,
    mirror: _options.Mirror = None,
    balanced: _options.Balanced = False,
    detector: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="centerface; dlib or mtcnn with their extras; whole: each image is one face.",
        ),
    ] = "centerface",
    min_face: _options.MinFace = 32,
    jobs: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="Photographs at once.  [default: one a core]"),
    ] = None,
    shard: Annotated[
        str | None,
        typer.Option(
            metavar="K/N", help="Read the K-th of N parts of the photographs, split by name."
        ),
    ] = None,
    provider: _options.Provider = "cpu",
    every: _video_options.Every = None,
    fps: _video_options.Fps = None,
    start: _video_options.Start = None,
    end: _video_options.End = None,
    smooth: _video_options.Smooth = None,
    events: _video_options.EventsFile = None,
    timeline: _video_options.TimelineFile = None,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Read the expression of every face in photographs, or in a video.

    Writes one record a face, in the order of the photographs, the largest face first. A photograph
    without a face and one that cannot be read get a record too; the latter makes the exit code 3.
    In the table `?` marks an answer that is not certain. Of a video it writes one record a face a
    frame, with time and track; the table lists its events. Stopped, the same command with --out
    goes on.
    """
    from mien.cli import _journal, _photographs, _streams, _video

    videos = _video.asked(paths, every, fps, start, end, smooth, events, timeline)
    if videos:
        _options.refuse("is for photographs", shard=shard)
    if len(videos) > 1:
        format = _format_of_several(format, out)
    else:
        format = _format(format, out)
    if format is Format.parquet and out is None:
        raise UsageError("Parquet is written to a file: --out faces.parquet")
    if draw is None:
        _options.refuse("goes with --draw", draw_faces=draw_faces)
    faces = draw_faces or Faces.shown
    output = _outputs.Output(format.value, out, draw, points, quiet, faces)
    outputs = {"--out": out, "--events": events, "--timeline": timeline}
    found_by: dict[str, Any] = {"detector": detector, "min_face": min_face, "points": points}
    read_by: dict[str, Any] = {"labels": labels, "mirror": mirror, "balanced": balanced}

    def recognizer(jobs: int) -> Recognizer:
        threads = max(1, cores() // jobs)
        return Recognizer(model, provider=provider, threads=threads, **found_by, **read_by)

    if videos:
        if len(videos) == 1:
            _outputs.check(videos[0].files(), outputs)
        jobs = jobs or cores()
        reader = recognizer(jobs)
        plan = {"model": reader.reader.sha256, **found_by, **read_by}
        if len(videos) == 1:
            _video.predict(videos[0], reader, output, plan, jobs=jobs)
        else:
            _video.predict_each(videos, reader, output, plan, jobs=jobs)
        return
    goes_on = out is not None and _streams.replaceable(out) and _journal.beside(out).exists()
    with _photographs.listed(paths, draw, _shard(shard), goes_on=goes_on) as asked:
        _outputs.check(asked.files(), outputs)
        jobs = min(jobs or cores(), max(1, len(asked.photographs)))
        reader = recognizer(jobs)
        plan = {"model": reader.reader.sha256, **found_by, **read_by, "shard": shard}
        plan |= {"draw": draw and str(draw.resolve()), "draw_faces": faces}
        tally = _photographs.predict(asked, reader, output, plan, jobs=jobs)
    if not quiet and (tally.photographs != 1 or tally.unreadable or out):
        written = f"; written to {out}" if out else ""
        watched = out is None and sys.stdout.isatty()
        print(f"{tally}{written}{'' if watched else tally.details()}", file=sys.stderr)
    if tally.unreadable:
        raise typer.Exit(InputError.exit_code)


def _format_of_several(asked: Format | None, out: Path | None) -> Format:
    """Take the format of tables in a folder, one a video."""
    if out is None:
        raise UsageError("several videos are written into a folder, a table each: --out DIR")
    if out.suffix and out.suffix.lower() in KINDS and not out.is_dir():
        raise UsageError(
            f"several videos are written into a folder, a table each, and {out} is named like one"
            f" table; give --out DIR --format {KINDS[out.suffix.lower()]}"
        )
    if asked is Format.table:
        raise UsageError("expected --format jsonl, csv or parquet for several videos, got table")
    return asked or Format.jsonl


def _shard(text: str | None) -> "Shard | None":
    """Read K/N."""
    if text is None:
        return None
    from mien.media.folders import Shard

    number, _, of = text.partition("/")
    if not (number.isdecimal() and of.isdecimal()):
        raise UsageError(f"expected a shard K/N with K from 1 to N, as 2/8, got {text}")
    return Shard(int(number), int(of))


def _format(asked: Format | None, out: Path | None) -> Format:
    """Take the format that is asked for, or that the file's suffix names; both must not differ."""
    if out is None:
        return asked or (Format.table if sys.stdout.isatty() else Format.jsonl)
    if asked is None:
        return Format(kind_of(out))
    named = KINDS.get(out.suffix.lower() or "none")
    if named is not None and asked is not Format.table and named != asked:
        raise UsageError(f"--format {asked} and the suffix of {out} differ; give one of them")
    return asked
