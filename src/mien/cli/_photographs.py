"""`mien predict` with photographs: a record a face, however many there are."""

import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import repeat
from pathlib import Path
from typing import Any, TextIO

from mien import images
from mien.cli import _jobs, _records
from mien.cli._copies import copies
from mien.cli._journal import Entry, Journal, changed
from mien.cli._outputs import Output
from mien.cli._records import Record, Writer
from mien.cli._streams import replaceable, result_stream
from mien.errors import InputError, OutputError
from mien.media import folders
from mien.media.shelf import Shelf
from mien.progress import say, track
from mien.recognizer import Recognizer

NAMED = 5  # photographs that could not be read, named in the last line


@dataclass(frozen=True)
class Photograph:
    """A file to read, where its annotated copy goes, and what a stopped work had read of it."""

    path: Path
    copy: Path | None
    before: Entry | None


@dataclass
class Tally:
    """Counts what has been written."""

    photographs: int
    done: int = 0
    faces: int = 0
    without_face: int = 0
    unreadable: int = 0
    named: list[str] = field(default_factory=list)

    def add(self, records: Sequence[Record]) -> None:
        self.done += 1
        self.faces += sum("face" in record for record in records)
        self.without_face += "faces" in records[0]
        if "error" in records[0]:
            self.unreadable += 1
            self.named += [records[0]["error"]] * (len(self.named) < NAMED)

    def __str__(self) -> str:
        whole = self.done == self.photographs
        parts = [
            ("" if whole else f"{self.done} of ") + _counted(self.photographs, "photograph"),
            _counted(self.faces, "face"),
            f"{self.without_face} without a face" if self.without_face else "",
            f"{self.unreadable} could not be read" if self.unreadable else "",
        ]
        return ", ".join(filter(None, parts))

    def details(self) -> str:
        """Name the photographs that could not be read, the first few of many."""
        more = self.unreadable - len(self.named)
        lines = self.named + ([f"and {more} more"] if more > 0 else [])
        return "".join(f"\n  {_records.printable(line)}" for line in lines)


@contextmanager
def listed(paths: Sequence[str], draw: Path | None, shard: folders.Shard | None) -> Iterator[Shelf]:
    """Keep the photographs that are meant, in their order, and the name of each one's copy."""
    with Shelf() as photographs:
        found = folders.expand(paths, shard=shard)
        for path, copy in copies(draw, found) if draw else zip(found, repeat(None), strict=False):
            photographs.add(str(path), copy and str(copy))
        if not len(photographs) and shard is None:
            raise InputError("no photographs: the list on stdin is empty; expected a path a line")
        yield photographs


def predict(
    photographs: Shelf,
    recognizer: Recognizer,
    output: Output,
    plan: Mapping[str, Any],
    *,
    jobs: int,
) -> Tally:
    """Read the photographs and write their records; a work that was stopped goes on where it was.

    `plan` says how faces are read, to know unfinished work by.
    """
    out, tally = output.out, Tally(len(photographs))
    with Journal(out if out and replaceable(out) else None, plan) as journal, Shelf() as known:
        _find(known, journal, photographs)
        if len(known):
            before = f"{len(known):,} of {_counted(tally.photographs, 'photograph')}"
            say(f"going on: {before} had been read", quiet=output.quiet)

        def read(photograph: Photograph) -> list[Record]:
            return _read(recognizer, journal, photograph, points=output.points)

        try:
            _write(output, read, _photographs(photographs, known, journal), tally, jobs=jobs)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(_interrupted(tally, output, journal)) from None
        journal.discard()
    return tally


def _find(known: Shelf, journal: Journal, photographs: Shelf) -> None:
    """Find the place of what was read of each photograph."""
    for place, entry in journal.entries():
        source = entry["source"]
        if source in photographs:
            known.put(source, place)
        elif os.path.exists(source):
            raise OutputError(
                f"{journal.path} holds unfinished work on other photographs, as {source}; remove"
                " it, or go on with the paths it was begun with"
            )


def _photographs(photographs: Shelf, known: Shelf, journal: Journal) -> Iterator[Photograph]:
    for source, copy in photographs:
        place = known.get(source)
        before = None if place is None else journal.at(place)
        yield Photograph(Path(source), Path(str(copy)) if copy else None, before)


def _read(
    recognizer: Recognizer, journal: Journal, photograph: Photograph, *, points: bool
) -> list[Record]:
    """Read a photograph, unless it is as it was; one that could not be read is tried anew."""
    state = list(changed(photograph.path))
    if photograph.before and _holds(photograph.before, state, photograph.copy):
        kept: list[Record] = photograph.before["records"]
        return kept
    try:
        records = _seen(recognizer, photograph.path, photograph.copy, points=points)
    except InputError as error:
        return [_records.failure(photograph.path, error)]
    journal.add({"source": str(photograph.path), "changed": state, "records": records})
    return records


def _holds(entry: Entry, state: list[int], copy: Path | None) -> bool:
    drawn: str | None = entry["records"][0].get("drawn")
    there = drawn is None or os.path.isfile(drawn)
    return entry["changed"] == state and drawn == (copy and str(copy)) and there


def _seen(recognizer: Recognizer, path: Path, copy: Path | None, *, points: bool) -> list[Record]:
    predictions = recognizer(path)
    if copy is not None:
        from mien.images.drawing import annotate

        # A large photograph may have been read at a smaller size.
        images.write(copy, annotate(images.read(path), predictions, points=points))
    return _records.records(path, predictions, points=points, drawn=copy)


def _write(
    output: Output,
    read: Callable[[Photograph], list[Record]],
    photographs: Iterator[Photograph],
    tally: Tally,
    *,
    jobs: int,
) -> None:
    """Read the photographs and write their records, whole lines as soon as they are there."""
    # What is begun ends up in the journal.
    read_in_order = _jobs.in_order(read, photographs, jobs, wait=output.out is not None)
    shown = track(
        read_in_order,
        total=tally.photographs,
        description="reading photographs",
        quiet=output.quiet or (output.out is None and sys.stdout.isatty()),
    )
    with result_stream(output.out) as stream, closing(read_in_order), closing(shown):
        writer, close = _writer(output, stream)
        try:
            for records in shown:
                writer.write(records)
                tally.add(records)
                stream.flush()
        finally:
            close()


def _writer(output: Output, stream: TextIO) -> tuple[Writer, Callable[[], None]]:
    if output.format == "table":
        from mien.cli._table import Table

        return Table(stream), lambda: None
    columns = _records.columns(output.points, output.draw is not None)
    return _records.writer(stream, output.format, columns)


def _interrupted(tally: Tally, output: Output, journal: Journal) -> str:
    written = "what is printed is whole"
    if output.out is not None:
        goes_on = "; the same command goes on from there" if journal.path else ""
        written = f"{output.out} was not written{goes_on}"
    kept = f"; finished copies are in {output.draw}" if output.draw else ""
    return f"{tally}; {written}{kept}"


def _counted(number: int, name: str) -> str:
    return f"{number} {name}{'' if number == 1 else 's'}"
