"""Find and read the files of a data set."""

import csv
import os
from collections.abc import Iterator
from pathlib import Path

from mien.errors import DataError


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
        place = "under" if Path(root).exists() else "because there is no folder"
        raise DataError(f"no {wanted} {place} {root}; expected {source}")
    return path


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
    found = [root] if root.is_file() else _walk(root)
    matching = [
        path
        for path in found
        if path.name.casefold() in wanted
        and (not folder or path.parent.name.casefold() == folder.casefold())
    ]
    yield from sorted(matching, key=lambda path: (len(path.parts), str(path)), reverse=True)


def _walk(root: Path) -> Iterator[Path]:
    for place, folders, files in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith(".")]
        yield from (Path(place, name) for name in files)
