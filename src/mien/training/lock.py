"""One run a folder: a lock file, which the system frees when its process is gone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from mien import files
from mien.errors import OutputError

NAME = "lock"
_held: set[Path] = set()


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder, which is made; a lock whose process is gone is taken over.

    What a run that was killed had half written is removed.
    Within a locked folder the same process may lock it again.
    """
    path = folder.resolve() / NAME
    if path in _held:
        yield
        return
    file = _take(path)
    _held.add(path)
    try:
        for half in path.parent.glob(".*.safetensors.*.part"):
            half.unlink(missing_ok=True)
        yield
    finally:
        _held.discard(path)
        path.unlink(missing_ok=True)
        file.close()


def _take(path: Path) -> IO[str]:
    """Give the lock file, held by the system, or closed where the number in it must do."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            file = path.open("a+", encoding="ascii", errors="replace")
            if not _hold(file, path):
                file.close()
                return _take_by_number(path)
            if _is(file, path):
                break
            file.close()  # its run has just ended, and removed it
        file.truncate(0)
        file.write(str(os.getpid()))  # for the one that is refused
        file.flush()
        return file
    except OSError as exc:
        raise OutputError(
            f"cannot write into {path.parent}: {exc}; name another folder by --out"
        ) from exc


def _hold(file: IO[str], path: Path) -> bool:
    """Hold the file until it is closed, or tell that this system, or this disk, has no locks."""
    try:
        return files.lock(file, path)
    except OutputError as error:
        file.seek(0)
        owner = file.read().strip()
        file.close()
        raise _refusal(path, owner) from error


def _is(file: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _take_by_number(path: Path) -> IO[str]:
    """Go by whether the process is there whose number the file has."""
    for _ in range(2):  # once more after a stale one
        owner = path.read_text(encoding="ascii", errors="replace").strip() if path.exists() else ""
        if _works(owner):
            raise _refusal(path, owner, f" (if no such run is left, remove {path})")
        path.unlink(missing_ok=True)
        try:
            with path.open("x", encoding="ascii") as file:
                file.write(str(os.getpid()))
            return file
        except FileExistsError:
            continue
    raise _refusal(path, "that began just now")


def _refusal(path: Path, owner: str, more: str = "") -> OutputError:
    return OutputError(
        f"another run, process {owner}, works in {path.parent}; wait for it, "
        f"or name another folder by --out{more}"
    )


def _works(owner: str) -> bool:
    """Tell whether a process is there; our own number is that of one before us that was killed."""
    if not owner.isdecimal():
        return False
    if int(owner) == os.getpid():
        return False
    if os.name == "nt":  # there a signal, even none, ends the process
        return True
    try:
        os.kill(int(owner), 0)
    except ProcessLookupError:
        return False
    except OSError:  # it is there, and someone else's
        return True
    return True
