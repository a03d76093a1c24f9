"""What was read so far, an entry a line, so that a work that was stopped can go on."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock
from types import TracebackType
from typing import Any, BinaryIO, Self

from mien.cli._streams import writing
from mien.errors import OutputError
from mien.files import lock
from mien.media.sequences import is_sequence, numbered
from mien.media.video import is_address

Entry = dict[str, Any]


class Journal:
    """What was read, beside the file that it will become; nothing without such a file.

    `plan` tells one work from another: only the same one is gone on with. `last` is the last entry
    of before. Threads may add at once.
    """

    def __init__(self, out: Path | None, plan: Mapping[str, Any]) -> None:
        self.last: Entry | None = None
        self.path = out and beside(out)
        self._file: BinaryIO | None = None
        self._behind_plan = self._whole = 0
        self._empty, self._adding = True, Lock()
        if self.path is not None:
            with writing(str(self.path)):
                self._file = self.path.open("a+b")
                try:
                    self._go_on(json.dumps(plan, sort_keys=True).encode() + b"\n")
                except BaseException:
                    self._file.close()
                    raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._file is not None:
            with writing(str(self.path)):  # a full disk is told of here, too
                self._file.close()
        if self._empty:
            self.discard()

    def entries(self) -> Iterator[tuple[int, Entry]]:
        """Yield what was there before, and the place of each entry."""
        if self.path is None:
            return
        with self.path.open("rb") as file:
            place = file.seek(self._behind_plan)
            while place < self._whole:
                line = file.readline()
                yield place, self._entry(line)
                place += len(line)

    def at(self, place: int) -> Entry:
        """Give the entry at a place."""
        assert self.path is not None
        with self.path.open("rb") as file:
            file.seek(place)
            return self._entry(file.readline())

    def add(self, entry: Mapping[str, Any]) -> None:
        """Keep an entry."""
        if self._file is not None:
            line = json.dumps(entry).encode() + b"\n"
            with self._adding, writing(str(self.path)):
                self._file.write(line)
                self._file.flush()
            self._empty = False

    def discard(self) -> None:
        """Take the journal away."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)

    def _go_on(self, plan: bytes) -> None:
        """Find the last whole line, and cut off what lies behind it."""
        assert self._file is not None and self.path is not None
        lock(self._file, self.path)
        self._file.seek(0)
        found, first = self._file.readline(), self._file.readline()
        if not first.endswith(b"\n"):  # nothing was read
            self._file.truncate(0)
            self._file.write(plan)
            self._file.flush()
        elif found != plan:
            raise OutputError(
                f"{self.path} holds unfinished work of another kind: {_differing(found, plan)}"
                " differ; remove it, or go on with the settings it was begun with"
            )
        self._behind_plan = self._whole = len(plan)
        self._file.seek(self._behind_plan)
        last = None
        for line in self._file:
            if not line.endswith(b"\n"):
                break
            self._whole += len(line)
            last = line
        self._file.truncate(self._whole)
        if last is not None:
            self.last, self._empty = self._entry(last), False

    def _entry(self, line: bytes) -> Entry:
        try:
            entry: Entry = json.loads(line)
        except ValueError as error:  # the machine lost its power
            raise OutputError(f"{self.path} is damaged; remove it to begin anew") from error
        return entry


def beside(out: Path) -> Path:
    """Name the journal of what becomes a file."""
    return out.with_name(f".{out.name}.part")


def identity(source: str) -> dict[str, Any]:
    """Say what tells a file, or the images of a sequence, from others of its name."""
    path = Path(source)
    if is_address(source):
        return {"source": source}
    if is_sequence(source) or path.is_dir():
        told = [(file.name, *changed(file)) for file in numbered(path)]
        files = hashlib.sha256(json.dumps(told).encode()).hexdigest()
        return {"source": str(path.resolve()), "files": files}
    if not path.is_file():
        return {"source": source}
    size, written = changed(path)
    return {"source": str(path.resolve()), "bytes": size, "changed": written}


def changed(path: Path) -> tuple[int, int]:
    """Tell the size of a file and when it was written; of one that is not there, nothing."""
    try:
        found = os.stat(path)
    except (OSError, ValueError):  # a damaged frame; a name with a NUL character
        return 0, 0
    return found.st_size, found.st_mtime_ns


def _differing(found: bytes, plan: bytes) -> str:
    try:
        before, now = json.loads(found), json.loads(plan)
        return ", ".join(name for name in {**now, **before} if now.get(name) != before.get(name))
    except (ValueError, AttributeError):
        return "its settings"
