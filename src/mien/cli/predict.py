"""`mien predict`: the expression of every face in photographs and in a video."""

import sys
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Annotated, TextIO

import typer

from mien import images
from mien.cli import _jobs, _options, _outputs, _records, _video_options
from mien.cli._copies import copies
from mien.cli._records import KINDS, Record, Writer, kind_of
from mien.cli._streams import result_stream
from mien.errors import InputError, UsageError
from mien.progress import cores, track
from mien.recognizer import Recognizer

UNREADABLE = InputError.exit_code
NAMED = 5  # photographs that could not be read, named in the last line


class Format(StrEnum):
    """How records are written."""

    table = "table"
    jsonl = "jsonl"
    csv = "csv"
    parquet = "parquet"


@dataclass(frozen=True)
class Photograph:
    """A file to read, and where its annotated copy goes."""

    path: Path
    copy: Path | None


@dataclass(frozen=True)
class Results:
    """Where and how records are written."""

    format: Format
    out: Path | None
    points: bool
    drawn: bool

    @property
    def watched(self) -> bool:
        """Say whether the records appear before the user's eyes, where a bar would disturb."""
        return self.out is None and sys.stdout.isatty()

    def writer(self, stream: TextIO) -> Writer:
        if self.format is Format.jsonl:
            return _records.JsonLines(stream)
        if self.format is Format.csv:
            return _records.Csv(stream, points=self.points, drawn=self.drawn)
        from mien.cli._table import Table

        return Table(stream)


@dataclass
class Tally:
    """Counts what has been written."""

    photographs: int
    done: int = 0
    faces: int = 0
    without_face: int = 0
    unreadable: list[str] = field(default_factory=list)

    def add(self, records: Sequence[Record]) -> None:
        self.done += 1
        self.faces += sum("face" in record for record in records)
        self.without_face += "faces" in records[0]
        self.unreadable += [record["error"] for record in records if "error" in record]

    def __str__(self) -> str:
        whole = self.done == self.photographs
        parts = [
            ("" if whole else f"{self.done} of ") + _counted(self.photographs, "photograph"),
            _counted(self.faces, "face"),
            f"{self.without_face} without a face" if self.without_face else "",
            f"{len(self.unreadable)} could not be read" if self.unreadable else "",
        ]
        return ", ".join(filter(None, parts))

    def details(self) -> str:
        """Name the photographs that could not be read, the first few of many."""
        more = len(self.unreadable) - NAMED
        lines = self.unreadable[:NAMED] + ([f"and {more} more"] if more > 0 else [])
        return "".join(f"\n  {_records.printable(line)}" for line in lines)


def predict(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="PATH",
            help="Photographs, folders, patterns like '*.jpg', - for a list on stdin; or one video:"
            " a file, an address, images like img%04d.png.",
        ),
    ],
    format: Annotated[
        Format | None,
        typer.Option(help="How to write records.  [default: table on a terminal, else jsonl]"),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write the records here; .csv, .jsonl, .parquet set the format."
        ),
    ] = None,
    draw: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write annotated copies into this folder.")
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
    frame, with time and track; the table lists its events. Stopped, the same command goes on.
    """
    from mien.cli import _video
    from mien.cli._video_told import Output

    video = _video.asked(paths, every, fps, start, end, smooth, events, timeline)
    photographs = [] if video else _photographs(paths, draw)
    _outputs.check(
        video.files() if video else (photograph.path for photograph in photographs),
        {"--out": out, "--events": events, "--timeline": timeline},
    )
    format = _format(format, out)
    if format is Format.parquet and (out is None or not video):
        raise UsageError("Parquet is written of a video, to a file: --out faces.parquet")
    jobs = jobs or cores() if video else min(jobs or cores(), len(photographs))
    recognizer = Recognizer(
        model,
        detector=detector,
        labels=labels,
        min_face=min_face,
        provider=provider,
        threads=max(1, cores() // jobs),
        mirror=mirror,
        balanced=balanced,
        points=points,
    )
    if video:
        output = Output(format.value, out, draw, points, quiet)
        found_by = {"detector": detector, "min_face": min_face, "points": points}
        read_by = {"labels": labels, "mirror": mirror, "balanced": balanced}
        plan = {"model": recognizer.reader.sha256, **found_by, **read_by}
        _video.predict(video, recognizer, output, plan, jobs=jobs)
        return
    results = Results(format, out, points, draw is not None)
    tally = Tally(len(photographs))

    def read(photograph: Photograph) -> list[Record]:
        return _read(recognizer, photograph, points=points)

    try:
        _write(results, read, photographs, tally, jobs=jobs, quiet=quiet)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(_interrupted(tally, out, draw)) from None
    if not quiet and (tally.photographs > 1 or tally.unreadable or out):
        written = f"; written to {out}" if out else ""
        print(f"{tally}{written}{'' if results.watched else tally.details()}", file=sys.stderr)
    if tally.unreadable:
        raise typer.Exit(UNREADABLE)


def _photographs(paths: Sequence[str], draw: Path | None) -> list[Photograph]:
    from mien.media import folders

    found = list(folders.expand(paths))
    if not found:
        raise InputError("no photographs: the list on stdin is empty; expected a path a line")
    named = copies(draw, found) if draw else [None] * len(found)
    return [Photograph(path, copy) for path, copy in zip(found, named, strict=True)]


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


def _read(recognizer: Recognizer, photograph: Photograph, *, points: bool) -> list[Record]:
    path, copy = photograph.path, photograph.copy
    try:
        predictions = recognizer(path)
        if copy is not None:
            from mien.images.drawing import annotate

            # A large photograph may have been read at a smaller size.
            images.write(copy, annotate(images.read(path), predictions, points=points))
    except InputError as error:
        return [_records.failure(path, error)]
    return _records.records(path, predictions, points=points, drawn=copy)


def _write(
    results: Results,
    read: Callable[[Photograph], list[Record]],
    photographs: Sequence[Photograph],
    tally: Tally,
    *,
    jobs: int,
    quiet: bool,
) -> None:
    """Read the photographs and write their records, whole lines as soon as they are there."""
    read_in_order = _jobs.in_order(read, photographs, jobs)
    shown = track(
        read_in_order,
        total=len(photographs),
        description="reading photographs",
        quiet=quiet or results.watched,
    )
    with result_stream(results.out) as stream, closing(read_in_order), closing(shown):
        writer = results.writer(stream)
        for records in shown:
            writer.write(records)
            tally.add(records)
            stream.flush()


def _interrupted(tally: Tally, out: Path | None, draw: Path | None) -> str:
    written = "what is printed is whole" if out is None else f"{out} was not written"
    kept = f"; finished copies are in {draw}" if draw else ""
    return f"{tally}; {written}{kept}"


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
