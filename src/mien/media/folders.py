"""Which image files are meant by paths, folders, patterns and lists."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from typing import TextIO
from unicodedata import normalize

from mien.errors import InputError, UsageError
from mien.images import SUFFIXES
from mien.media.shelf import Shelf, ordered

_STDIN = "-"

Named = tuple[Path, str]  # a file, and its name below what was asked for


@dataclass(frozen=True)
class Shard:
    """The part `number` of `of` parts of files; a file's name alone says in which it is."""

    number: int
    of: int

    def __post_init__(self) -> None:
        if not 1 <= self.number <= self.of:
            raise UsageError(
                f"expected a shard K/N with K from 1 to N, as 2/8, got {self.number}/{self.of}"
            )

    def __contains__(self, name: str) -> bool:
        # A name is the same on every machine, however that writes its accents and separators.
        text = normalize("NFC", Path(name).as_posix()).encode(errors="surrogatepass")
        return int.from_bytes(blake2b(text, digest_size=8).digest()) % self.of == self.number - 1


def expand(paths: Iterable[str | Path], *, listed: TextIO | None = None) -> Iterator[Path]:
    """Yield files for what was asked: files and missing ones as named, the rest in sorted order.

    A folder gives the images in it and below, a pattern what it matches; `-` reads one path a line
    from `listed`, by default stdin. A file that comes up twice is given once.
    """
    yield from (file for file, _ in named(paths, listed=listed))


def named(paths: Iterable[str | Path], *, listed: TextIO | None = None) -> Iterator[Named]:
    """Yield what `expand` does, each file with its name from the folder or pattern on."""
    with Shelf() as seen:
        for path in paths:
            for file, name in _meant(str(path), listed or sys.stdin):
                if seen.add(str(file)):
                    yield file, name


def _meant(path: str, listed: TextIO) -> Iterator[Named]:
    if path == _STDIN:
        lines = (line.rstrip("\r\n") for line in listed)
        yield from ((_listed(line), line) for line in lines if line)
    elif not path:  # would be the folder that the command runs in
        raise UsageError("expected a path, got an empty one; the folder you are in is .")
    elif Path(path).is_dir():
        yield from _some(f"folder {path}", _below(path), Path(path))
    elif glob.has_magic(path) and not Path(path).exists():
        fixed = next(parent for parent in Path(path).parents if not glob.has_magic(str(parent)))
        yield from _some(f"pattern {path}", glob.iglob(path, recursive=True), fixed)
    else:
        yield Path(path), path


def _listed(line: str) -> Path:
    if "\0" in line:
        raise InputError(
            "expected one path a line on stdin, found NUL characters: let find -print write the"
            " list, not -print0"
        )
    return Path(line)


def _below(folder: str) -> Iterator[str]:
    """Yield the files in a folder and below, in no order; what may not be read is passed over."""
    with suppress(PermissionError), os.scandir(folder) as inside:
        for entry in inside:
            if entry.is_dir(follow_symlinks=False):
                yield from _below(entry.path)
            else:
                yield entry.path


def _some(where: str, candidates: Iterable[str], base: Path) -> Iterator[Named]:
    """Yield the images among files in the order of their paths' parts."""
    images = (
        str(Path(path)).replace(os.sep, "\0")
        for path in candidates
        if os.path.splitext(path)[1].lower() in SUFFIXES and os.path.isfile(path)
    )
    file = None
    for parts in ordered(images):
        file = Path(parts.replace("\0", os.sep))
        yield file, str(file.relative_to(base))
    if file is None:
        raise InputError(f"no images in the {where}; expected files like photo.jpg or photo.png")
