"""One run a folder: a lock file with the number of the process that works there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
    _take(path)
    _held.add(path)
    try:
        for half in path.parent.glob(".*.safetensors.*.part"):
            half.unlink(missing_ok=True)
        yield
    finally:
        _held.discard(path)
        path.unlink(missing_ok=True)


def _take(path: Path) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        for _ in range(2):  # once more after a stale one
            try:
                with path.open("x", encoding="ascii") as file:
                    file.write(str(os.getpid()))
                return
            except FileExistsError:
                owner = path.read_text(encoding="ascii", errors="replace").strip()
                if _works(owner):
                    break
                path.unlink(missing_ok=True)
    except OSError as exc:
        raise OutputError(
            f"cannot write into {path.parent}: {exc}; name another folder by --out"
        ) from exc
    raise OutputError(
        f"another run, process {owner}, works in {path.parent}; wait for it, "
        f"or name another folder by --out (if no such run is left, remove {path})"
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
