"""Files that appear whole or not at all; whether they can be written, before the work for them."""

import json
import os
import re
import shutil
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from zlib import crc32

from mien.errors import DataError, OutputError, UsageError

try:
    import fcntl
except ImportError:  # Windows has no such lock
    fcntl = None  # type: ignore[assignment]

_FLAGS = {
    "r": os.O_RDONLY,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
}

# .NAME.NUMBERING.PROCESS.THREAD.SUFFIX
_UNFINISHED = re.compile(r"\.(.+)\.([0-9a-f]{8})\.([0-9]+)\.[0-9]+(\.[^.]+)", re.DOTALL)


@contextmanager
def opened(path: str | Path, mode: str, **how: Any) -> Iterator[Any]:
    """Open a file as `open` does, in the modes r, w and a, also binary: r, rb ...

    Ctrl-C that comes before `with` has the file would let Python complain that nobody closed it.
    """
    descriptor = os.open(path, _FLAGS[mode[0]], 0o666)
    try:
        with open(descriptor, mode, closefd=False, **how) as file:
            yield file
    finally:
        os.close(descriptor)


@contextmanager
def replacing(target: str | Path, *, parents: bool = True, advice: str = "") -> Iterator[Path]:
    """Give a path to write to, beside the target; at the end what is there takes its name.

    Folders that lack are made unless told; a link is followed. What cannot be written raises
    OutputError, which ends with the advice.
    """
    real = Path(os.path.realpath(target))
    temporary = unfinished(real)
    try:
        if parents:
            real.parent.mkdir(parents=True, exist_ok=True)
        yield temporary
        os.replace(temporary, real)
    except BrokenPipeError:
        raise  # of a stream that the work prints to
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}{advice}") from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def unfinished(target: Path, suffix: str = ".part") -> Path:
    """Name what becomes the target, beside it; what killed processes left of it is removed."""
    for name, process in _unfinished_in(target.parent).get((target.name, suffix), ()):
        if _is_over(process):
            _remove(target.with_name(name))
    writer = f"{_numbering()}.{os.getpid()}.{threading.get_native_id()}"
    return target.with_name(f".{target.name}.{writer}{suffix}")


@contextmanager
def new_folder(target: Path) -> Iterator[Path]:
    """Give a folder beside the target to fill, which gets its name when the block ends well."""
    part = unfinished(target)
    part.mkdir(parents=True)
    try:
        yield part
        part.rename(target)
    finally:
        _remove(part)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
        return
    with suppress(OSError):
        path.unlink()


@lru_cache(maxsize=64)
def _unfinished_in(folder: Path) -> dict[tuple[str, str], list[tuple[str, int]]]:
    """List by target and suffix what is unfinished, and whose; once a process, for speed.

    What another machine or container writes is none of ours: whether it is over is not known here.
    """
    found: dict[tuple[str, str], list[tuple[str, int]]] = {}
    with suppress(OSError):
        for name in os.listdir(folder):
            named = _UNFINISHED.fullmatch(name)
            if named and named[2] == _numbering():
                found.setdefault((named[1], named[4]), []).append((name, int(named[3])))
    return found


@lru_cache(maxsize=1)
def _numbering() -> str:
    """Tell what the numbers of processes count in: one start of one machine, in one container."""
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_bytes()
        return f"{crc32(start + str(os.stat('/proc/self/ns/pid').st_ino).encode()):08x}"
    except OSError:  # not Linux: what is unfinished stays
        return "-"


def _is_over(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's, or no number of a process
        pass
    return False


def write(target: str | Path, content: str | bytes) -> None:
    """Write a file, text as UTF-8."""
    with replacing(target) as temporary, opened(temporary, "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)


def lock(file: IO[Any], name: str | Path) -> bool:
    """Keep other processes from writing what `name` says, until the file is closed.

    Tells whether that was done: not every system, and not every file system, has locks.
    """
    try:
        if fcntl is not None:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise OutputError(f"another process is writing {name}; wait for it") from error
    except OSError:
        return False
    return fcntl is not None


def read_object(path: Path, advice: str) -> dict[str, Any]:
    """Read a JSON object; the advice is what to do where there is none."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}; {advice}") from error
    if not isinstance(found, dict):
        raise DataError(f"{path} must hold an object, found {type(found).__name__}; {advice}")
    return found


def keep_plan(
    path: Path, plan: Mapping[str, Any], what: str, usual: Mapping[str, Any] | None = None
) -> None:
    """Note as JSON what the work in a folder is; refuse a folder of other work.

    what: the work, for people; entries of the plan may stand in it in braces. usual: what holds
    where a plan was noted before there was such an entry.
    """
    asked = json.loads(json.dumps(plan))
    if not path.exists():
        write(path, json.dumps(asked, indent=1) + "\n")
        return
    found = filled(read_object(path, "name another --out folder"), usual or {})
    changed = sorted(name for name in {*asked, *found} if asked.get(name) != found.get(name))
    if changed:
        raise UsageError(
            f"{path.parent} holds {what.format_map({**asked, **found})} with other settings"
            f" ({', '.join(changed)} differ); name another --out folder"
        )


def filled(found: Mapping[str, Any], usual: Mapping[str, Any]) -> dict[str, Any]:
    """Give what was noted, with the usual entries that it lacks, in the objects within it too."""
    within = {
        name: filled(value, usual[name])
        for name, value in found.items()
        if isinstance(value, dict) and isinstance(usual.get(name), dict)
    }
    return {**usual, **found, **within}


def check_file(path: Path) -> None:
    """Tell whether a file can be written; one that is there would be replaced."""
    if os.path.exists(path) and not os.path.isfile(path):
        raise OutputError(f"cannot write {path}: it is there and no file; name another")
    _probe(path.parent, path)


def check_folder(path: Path) -> None:
    """Tell whether files can be written into a folder, which may have to be made."""
    _probe(path, path)


def _probe(folder: Path, wanted: Path) -> None:
    """Write, for a moment, a file without a name into the folder or the nearest one above it."""
    import tempfile  # which costs a program that only reads some time

    try:
        there = folder.absolute()
        while not there.exists():
            there = there.parent
        with tempfile.TemporaryFile(dir=there):
            pass
    except OSError as error:
        raise OutputError(f"cannot write {wanted}: {error.strerror or error}") from error


def numbered(wanted: str, taken: set[str]) -> str:
    """Give a name that is not taken, case aside, and take it: `a`, `a-2`, `a-3` ..."""
    name, number = wanted, 1
    while name.casefold() in taken:
        number += 1
        name = f"{wanted}-{number}"
    taken.add(name.casefold())
    return name
