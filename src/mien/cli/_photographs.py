"""`mien predict` with photographs: a record a face, however many there are."""

import json
import math
import os
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from mien import images
from mien.cli import _jobs, _records
from mien.cli._copies import copies
from mien.cli._journal import Entry, Journal, changed
from mien.cli._outputs import Output
from mien.cli._records import Record, Writer, counted
from mien.cli._streams import replaceable, result_stream
from mien.errors import DataError, InputError, OutputError, UsageError
from mien.media.folders import Named, Shard, named
from mien.media.shelf import Shelf
from mien.progress import say, track
from mien.recognizer import Recognizer
from mien.records import Prediction

TABLES = (".csv", ".parquet")
NAMED = 5  # photographs that could not be read, named in the last line

Boxes = list[list[float]]


@dataclass(frozen=True)
class Photograph:
    """A file to read, where its annotated copy goes, and what a stopped work had read of it.

    `boxes` are those of its faces, None where they are to be found.
    """

    path: Path
    copy: Path | None
    boxes: Boxes | None
    before: Entry | None

    @property
    def state(self) -> dict[str, Any]:
        """Say what the records hold for: the file as it is, and its boxes."""
        return {"changed": list(changed(self.path)), "boxes": self.boxes}


@dataclass(frozen=True)
class Asked:
    """The photographs that are meant, and the name of each one's copy; boxes where they are given.

    The boxes of a photograph are JSON, behind its name; `table` is where they were read.
    """

    photographs: Shelf
    boxes: Shelf | None
    table: Path | None

    def files(self) -> Iterator[str | Path]:
        """Name the files that are read."""
        if self.table is not None:
            yield self.table
        yield from (path for path, _ in self.photographs)

    def each(self, known: Shelf, journal: Journal) -> Iterator[Photograph]:
        """Yield the photographs in their order, with what is known of each in the journal."""
        for source, copy in self.photographs:
            place = known.get(source)
            yield Photograph(
                Path(source),
                Path(str(copy)) if copy else None,
                json.loads(self.boxes.get(source))[1:] if self.boxes is not None else None,
                None if place is None else journal.at(place),
            )


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
            ("" if whole else f"{self.done} of ") + counted(self.photographs, "photograph"),
            counted(self.faces, "face"),
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
def listed(
    paths: Sequence[str], draw: Path | None, shard: Shard | None, *, goes_on: bool
) -> Iterator[Asked]:
    """Keep the photographs that are meant, in their order; a table among the paths stands alone.

    goes_on: whether a work that was stopped goes on, whose copies may lie among them.
    """
    tables = [path for path in paths if path.lower().endswith(TABLES) and not os.path.isdir(path)]
    if tables and len(paths) > 1:
        raise UsageError(
            f"a table of boxes stands alone, got {tables[0]} among {len(paths)} paths; leave it out"
        )
    with Shelf() as photographs, Shelf() as boxes:
        found = _in_table(Path(*tables), boxes) if tables else named(paths)
        drawn = copies(draw, found, goes_on=goes_on) if draw else ((*one, None) for one in found)
        for path, name, copy in drawn:  # the names of copies differ in all shards
            if shard is None or name in shard:
                photographs.add(str(path), str(copy) if copy else None)
        if not len(photographs) and shard is None:
            whose = f"{tables[0]} has no rows" if tables else "the list is empty"
            row = "a row a face" if tables else "a path a line"
            raise InputError(f"no photographs: {whose}; expected {row}")
        yield Asked(photographs, boxes if tables else None, Path(*tables) if tables else None)


def _in_table(table: Path, boxes: Shelf) -> Iterator[Named]:
    """Yield the photographs that a table names, in the order of their first boxes; keep these."""
    from mien.data import files, parquet

    read = parquet.read_parquet if table.suffix.lower() == TABLES[1] else files.read_csv
    for where, (name, *box) in files.rows(table, ("path", *_records.CORNERS), read=read):
        path = str(table.parent / name)
        known = json.loads(boxes.get(path) or json.dumps([name]))
        boxes.put(path, json.dumps([*known, *_box(box, where)]))
    yield from ((Path(path), json.loads(str(known))[0]) for path, known in boxes)


def _box(cells: list[str], where: str) -> Boxes:
    """Read the box of a row; a row without one names a photograph without a face."""
    if not any(cells):
        return []
    try:
        x0, y0, x1, y1 = map(float, cells)
    except ValueError:
        x0 = y0 = x1 = y1 = math.nan
    if not (-math.inf < x0 < x1 < math.inf and -math.inf < y0 < y1 < math.inf):
        raise DataError(
            f"{where}: expected {', '.join(_records.CORNERS)}, left and top first, or four empty"
            f" cells; found {', '.join(cells)}"
        )
    return [[x0, y0, x1, y1]]


def predict(
    asked: Asked,
    recognizer: Recognizer,
    output: Output,
    plan: Mapping[str, Any],
    *,
    jobs: int,
) -> Tally:
    """Read the photographs and write their records; a work that was stopped goes on where it was.

    `plan` says how faces are read, to know unfinished work by.
    """
    out, tally = output.out, Tally(len(asked.photographs))
    with Journal(out if out and replaceable(out) else None, plan) as journal, Shelf() as known:
        _find(known, journal, asked.photographs)
        if len(known):
            before = f"{len(known):,} of {counted(tally.photographs, 'photograph')}"
            say(f"going on: {before} had been read", quiet=output.quiet)

        def read(photograph: Photograph) -> list[Record]:
            return _read(recognizer, journal, photograph, output)

        try:
            _write(output, read, asked.each(known, journal), tally, jobs=jobs)
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


def _read(
    recognizer: Recognizer, journal: Journal, photograph: Photograph, output: Output
) -> list[Record]:
    """Read a photograph, unless it is as it was; one that could not be read is tried anew."""
    state = photograph.state
    if photograph.before and _holds(photograph.before, state, photograph.copy):
        kept: list[Record] = photograph.before["records"]
        return kept
    try:
        records = _seen(recognizer, photograph, output)
    except InputError as error:
        return [_records.failure(photograph.path, error)]
    journal.add({"source": str(photograph.path), **state, "records": records})
    return records


def _holds(entry: Entry, state: Entry, copy: Path | None) -> bool:
    drawn: str | None = entry["records"][0].get("drawn")
    there = drawn is None or os.path.isfile(drawn)
    same = all(entry[name] == value for name, value in state.items())
    return same and drawn == (copy and str(copy)) and there


def _seen(recognizer: Recognizer, photograph: Photograph, output: Output) -> list[Record]:
    path, copy, boxes = photograph.path, photograph.copy, photograph.boxes
    predictions = recognizer(path) if boxes is None else _at(recognizer, path, boxes)
    if copy is not None:
        from mien.images.drawing import annotate

        # A large photograph may have been read at a smaller size.
        drawn = annotate(images.read(path), predictions, points=output.points, faces=output.faces)
        images.write(copy, drawn)
    return _records.records(path, predictions, points=output.points, drawn=copy)


def _at(recognizer: Recognizer, path: Path, boxes: Boxes) -> list[Prediction]:
    image = images.read(path)
    try:
        return recognizer.at(image, boxes)
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


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
