"""Which image files are meant by paths, folders, patterns and lists."""

import glob
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TextIO

from mien.errors import InputError, UsageError
from mien.images import SUFFIXES

_STDIN = "-"


def expand(paths: Iterable[str | Path], *, listed: TextIO | None = None) -> Iterator[Path]:
    """Yield files for what was asked: files and missing ones as named, the rest in sorted order.

    A folder gives the images in it and below, a pattern what it matches; `-` reads one path a line
    from `listed`, by default stdin. A file that comes up twice is given once.
    """
    seen: set[Path] = set()
    for path in paths:
        for file in _meant(str(path), listed or sys.stdin):
            if file not in seen:
                seen.add(file)
                yield file


def _meant(path: str, listed: TextIO) -> Iterator[Path]:
    if path == _STDIN:
        lines = (line.rstrip("\r\n") for line in listed)
        yield from (_listed(line) for line in lines if line)
    elif not path:  # would be the folder that the command runs in
        raise UsageError("expected a path, got an empty one; the folder you are in is .")
    elif Path(path).is_dir():
        yield from _in_folder(Path(path))
    elif glob.has_magic(path) and not Path(path).exists():
        yield from _matching(path)
    else:
        yield Path(path)


def _listed(line: str) -> Path:
    if "\0" in line:
        raise InputError(
            "expected one path a line on stdin, found NUL characters: let find -print write the"
            " list, not -print0"
        )
    return Path(line)


def _in_folder(folder: Path) -> list[Path]:
    return _some(f"folder {folder}", folder.rglob("*"))


def _matching(pattern: str) -> list[Path]:
    return _some(f"pattern {pattern}", map(Path, glob.iglob(pattern, recursive=True)))


def _some(where: str, candidates: Iterable[Path]) -> list[Path]:
    files = sorted(
        path for path in candidates if path.suffix.lower() in SUFFIXES and path.is_file()
    )
    if not files:
        raise InputError(f"no images in the {where}; expected files like photo.jpg or photo.png")
    return files
