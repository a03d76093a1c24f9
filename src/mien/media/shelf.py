"""Names by the million, with a value each or in their order: many lie on disk."""

import os
import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import Any, Self

from mien.errors import OutputError

_HELD = 16_384  # KiB in memory; what is more goes to a file without a name

Value = str | int | None


class Shelf:
    """Keep values by name while the program runs; close it after use."""

    def __init__(self) -> None:
        self._base = _base("number INTEGER PRIMARY KEY, name BLOB UNIQUE, value")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._base.close()

    def __len__(self) -> int:
        return int(self._do("SELECT count(*) FROM shelf").fetchone()[0])

    def __iter__(self) -> Iterator[tuple[str, Value]]:
        """Yield names and values in the order the names came."""
        for name, value in self._do("SELECT name, value FROM shelf ORDER BY number"):
            yield os.fsdecode(name), _given(value)

    def __contains__(self, name: str) -> bool:
        found = self._do("SELECT 1 FROM shelf WHERE name = ?", os.fsencode(name))
        return found.fetchone() is not None

    def add(self, name: str, value: Value = None) -> bool:
        """Keep a name and its value; tell whether it is new, for one that is there stays."""
        words = "INSERT OR IGNORE INTO shelf (name, value) VALUES (?, ?)"
        return self._do(words, os.fsencode(name), _kept(value)).rowcount == 1

    def put(self, name: str, value: Value) -> None:
        """Keep a value by a name, instead of the one that is there."""
        if not self.add(name, value):
            words = "UPDATE shelf SET value = ? WHERE name = ?"
            self._do(words, _kept(value), os.fsencode(name))

    def get(self, name: str) -> Any:
        """Give the value of a name, None where there is none."""
        found = self._do("SELECT value FROM shelf WHERE name = ?", os.fsencode(name)).fetchone()
        return found and _given(found[0])

    def _do(self, words: str, *values: Any) -> sqlite3.Cursor:
        with _told():
            return self._base.execute(words, values)


def ordered(names: Iterable[str]) -> Iterator[str]:
    """Yield names in their own order."""
    with closing(_base("name BLOB")) as base, _told():
        base.executemany("INSERT INTO shelf VALUES (?)", ((os.fsencode(name),) for name in names))
        for (name,) in base.execute("SELECT name FROM shelf ORDER BY name"):
            yield os.fsdecode(name)


def _base(columns: str) -> sqlite3.Connection:
    """Open a table in memory, which goes on in a file without a name where it is large."""
    base = sqlite3.connect("", isolation_level=None, check_same_thread=False)
    for setting in (f"cache_size=-{_HELD}", "journal_mode=OFF", "synchronous=OFF"):
        base.execute(f"PRAGMA {setting}")
    base.execute(f"CREATE TABLE shelf ({columns})")
    base.execute("BEGIN")
    return base


def _kept(value: Value) -> Value | bytes:
    """Give text as bytes: a file's name need not be text that SQLite takes."""
    return os.fsencode(value) if isinstance(value, str) else value


def _given(value: Any) -> Value:
    return os.fsdecode(value) if isinstance(value, bytes) else value


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except sqlite3.OperationalError as error:
        raise OutputError(
            f"cannot keep a long list on disk: {error}; let TMPDIR name a folder with room"
        ) from error
