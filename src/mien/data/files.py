"""Find, unpack and read the files of a data set.

What is hidden, and what systems add (`__MACOSX`, `lost+found`), is passed over. Linked folders are
searched like others, each once.
"""

import csv
import os
import re
import stat
import zlib
from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path
from unicodedata import normalize
from zipfile import BadZipFile, ZipFile, ZipInfo

from mien.errors import DataError, UsageError
from mien.files import new_folder
from mien.images import SUFFIXES

UNPACKED_LIMIT = 8 << 30  # bytes

Index = dict[str, list[Path]]  # pictures by name, without suffix and case


def find(root: str | Path, names: tuple[str, ...], *, folder: str = "") -> Path | None:
    """Find a file anywhere under `root` by name, in any case; earlier names come first.

    `folder` is the name its own folder must have. A root that is such a file itself is found.
    """
    found = {path.name.casefold(): path for path in _named(Path(root), names, folder)}
    return next((found[name.casefold()] for name in names if name.casefold() in found), None)


def require(root: str | Path, names: tuple[str, ...], *, folder: str = "", source: str) -> Path:
    """Find a file like `find`; say which one is missing and where it comes from."""
    path = find(root, names, folder=folder)
    if path is None:
        wanted = "/".join(filter(None, (folder, names[0])))
        raise DataError(f"no {wanted} {nowhere(root)}; expected {source}")
    return path


def find_folder(root: str | Path, names: tuple[str, ...]) -> Path | None:
    """Find a folder by name, in any case: earlier names first, then the nearest to `root`."""
    wanted, found = [name.casefold() for name in names], dict[str, Path]()
    for folder, _ in _walk(Path(root)):
        found.setdefault(folder.name.casefold(), folder)
        if wanted[0] in found:
            break
    return next((found[name] for name in wanted if name in found), None)


def require_folder(root: str | Path, names: tuple[str, ...], *, source: str) -> Path:
    """Find a folder like `find_folder`; say which one is missing and where it comes from."""
    folder = find_folder(root, names)
    if folder is None:
        raise DataError(f"no folder {names[0]} {nowhere(root)}; expected {source}")
    return folder


def folders(root: Path) -> list[Path]:
    """List the folders right under a folder, sorted."""
    if not os.path.isdir(root):
        return []
    try:
        found = sorted(root.iterdir())
    except OSError as error:
        raise _unreadable(error) from error
    return [path for path in found if os.path.isdir(path) and not _passed_over(path.name)]


def below(root: str | Path, endings: tuple[str, ...], *, whole: bool = False) -> list[Path]:
    """List the files anywhere under `root` whose names end so, in any case, sorted.

    A folder that cannot be read is passed over, or with `whole` an error.
    """

    def refuse(error: OSError) -> None:
        raise _unreadable(error) from error

    found = [
        folder / name
        for folder, names in _walk(Path(root), refuse if whole else None)
        for name in names
        if name.casefold().endswith(endings)
    ]
    return sorted(found, key=Path.as_posix)


def pictures(root: str | Path, *, source: str) -> list[Path]:
    """List the image files anywhere under `root`, sorted; say where they come from if none."""
    found = below(root, tuple(SUFFIXES))
    if not found:
        raise DataError(f"no pictures {nowhere(root)}; expected {source}")
    return found


def nowhere(root: str | Path) -> str:
    """Say where a thing was looked for in vain, and what could not be searched."""
    if not os.path.exists(root):
        return f"because there is no folder {root}"
    closed: list[OSError] = []
    for _ in _walk(Path(root), closed.append):
        pass
    return f"under {root}" + (f" ({closed[0].filename} cannot be read)" if closed else "")


def index(root: str | Path, *, source: str) -> Index:
    """Find the image files anywhere under `root` by name."""
    found: Index = {}
    for path in pictures(root, source=source):
        found.setdefault(_key(path.name), []).append(path)
    return found


def picture(found: Index, name: str, where: str) -> Path:
    """Give the one picture of a name; `where` is the row that names it."""
    paths = found.get(_key(name), [])
    if len(paths) != 1:
        named = f"{len(paths)}: {paths[0]} and {paths[1]}" if paths else "none"
        raise DataError(f"{where}: expected one picture named {name!r}, found {named}")
    return paths[0]


def unpack(archive: Path, folder: str | Path | None) -> Path:
    """Unpack a zip into a new folder; one with files in it counts as unpacked already.

    Nothing is unpacked where a member climbs out of the folder or is a link, or where all of them
    together are declared larger than UNPACKED_LIMIT.
    """
    if not archive.is_file():
        raise DataError(f"no file {archive}; expected a zip")
    if folder is None:
        raise UsageError(f"{archive} is packed; unpack it, or name a new folder: unpack=FOLDER")
    folder = Path(folder)
    if folder.is_dir() and any(folder.iterdir()):
        return folder
    try:
        with new_folder(folder) as part, ZipFile(archive) as opened:
            _check_members(archive, opened.infolist())
            opened.extractall(part)
            if folder.is_dir():
                folder.rmdir()
    except (OSError, EOFError, BadZipFile, zlib.error, RuntimeError, ValueError) as error:
        raise DataError(f"cannot unpack {archive} into {folder}: {error}") from error
    return folder


def read_lines(path: Path) -> Iterator[tuple[int, str]]:
    """Yield line numbers and lines, spaces around them removed; empty ones are passed over."""
    try:
        with path.open(encoding="utf-8-sig") as file:
            for number, line in enumerate(file, start=1):
                if line.strip():
                    yield number, line.strip()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read {path}: {error}; fetch the file again") from error


def read_csv(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Yield line numbers and values, spaces around them removed; empty lines are passed over."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            for row in reader:
                if row:
                    yield reader.line_num, [value.strip() for value in row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise DataError(f"cannot read {path}: {error}; fetch the file again") from error


def rows(
    path: Path,
    names: tuple[str, ...],
    *,
    also: re.Pattern[str] | None = None,
    header: tuple[str, ...] | None = None,
    read: Callable[[Path], Iterator[tuple[int, list[str]]]] | None = None,
) -> Iterator[tuple[str, list[str]]]:
    """Yield where each row of a table stands, and its values in the named columns.

    The first column that `also` matches comes after them. A file whose first row does not begin
    as `header` does has that header. `read` is read_csv unless given.
    """
    table = (read or read_csv)(path)
    first = next(table, (0, []))
    if header and first[1] and first[1][0].casefold() != header[0].casefold():
        table, first = chain([first], table), (0, list(header))
    places = columns(path, first[1], names)
    places += [place for place, name in enumerate(first[1]) if also and also.fullmatch(name)][:1]
    for line, row in table:
        where = f"{path}, line {line}"
        if len(row) != len(first[1]):
            raise DataError(f"{where}: expected {len(first[1])} values, found {len(row)}")
        yield where, [row[place] for place in places]


def columns(path: Path, header: list[str], names: tuple[str, ...]) -> list[int]:
    """Give the positions of the named columns in a header, whatever its case and spaces."""
    places = {name.strip().casefold(): place for place, name in enumerate(header)}
    missing = [name for name in names if name.casefold() not in places]
    if missing:
        raise DataError(
            f"{path} has no column {', '.join(missing)}; expected {', '.join(names)},"
            f" found {', '.join(header)[:200]!r}"
        )
    return [places[name.casefold()] for name in names]


def _named(root: Path, names: tuple[str, ...], folder: str) -> Iterator[Path]:
    """Yield matching files, the deepest first, so that the one nearest to the root wins."""
    wanted = {name.casefold() for name in names}
    found = (folder / name for folder, inside in _walk(root) for name in inside)
    matching = [
        path
        for path in ([root] if os.path.isfile(root) else found)
        if path.name.casefold() in wanted
        and (not folder or path.parent.name.casefold() == folder.casefold())
    ]
    yield from sorted(matching, key=lambda path: (len(path.parts), str(path)), reverse=True)


def _walk(
    root: Path, closed: Callable[[OSError], object] | None = None
) -> Iterator[tuple[Path, list[str]]]:
    """Yield each folder from the root on, the nearest first, and the names of the files in it.

    `closed` gets the error of a folder that cannot be read.
    """
    level, seen = [root], set[tuple[int, int]]()
    while level:
        deeper = []
        for folder in level:
            try:
                place = os.stat(folder)
                if (place.st_dev, place.st_ino) in seen:
                    yield folder, []  # another name of it
                    continue
                seen.add((place.st_dev, place.st_ino))
                with os.scandir(folder) as inside:
                    found = [one for one in inside if not _passed_over(one.name)]
            except OSError as error:
                if closed is not None:
                    closed(error)
                continue
            inner = {one.name for one in found if _is_folder(one)}
            deeper += [folder / name for name in inner]
            yield folder, [one.name for one in found if one.name not in inner]
        level = sorted(deeper)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    return os.path.isdir(entry.path) if entry.is_symlink() else entry.is_dir()


def _unreadable(error: OSError) -> DataError:
    return DataError(
        f"cannot read {error.filename}: {error.strerror}; allow it, or name another folder"
    )


def _passed_over(name: str) -> bool:
    return name.startswith(".") or name in ("__MACOSX", "lost+found")


def _key(name: str) -> str:
    path = Path(normalize("NFC", name).casefold())
    return path.stem if path.suffix in SUFFIXES else path.name


def _check_members(archive: Path, members: list[ZipInfo]) -> None:
    for member in members:
        parts = member.filename.replace("\\", "/").split("/")
        if ".." in parts or parts[0] == "" or re.match("[A-Za-z]:", parts[0]):
            raise DataError(f"{archive} has {member.filename!r}, which climbs out of its folder")
        if stat.S_ISLNK(member.external_attr >> 16):
            raise DataError(f"{archive} has the link {member.filename!r}; expected only files")
    size = sum(member.file_size for member in members)
    if size > UNPACKED_LIMIT:
        raise DataError(
            f"{archive} unpacks to {size / 2**30:.1f} GB, more than {UNPACKED_LIMIT >> 30}; if it"
            " is what it should be, unpack it by other means and name the folder"
        )
