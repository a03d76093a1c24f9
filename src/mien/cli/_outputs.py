"""What `mien predict` writes; whether that would destroy what is read, before the work."""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from mien.errors import OutputError, UsageError
from mien.images.obscuring import Faces


@dataclass(frozen=True)
class Output:
    """Where and how rows are written; `table` is for people and lists a video's events alone."""

    format: str  # table, jsonl, csv or parquet
    out: Path | None
    draw: Path | None
    points: bool
    quiet: bool
    faces: Faces = Faces.shown  # in what is drawn

    @property
    def watched(self) -> bool:
        """Say whether a video's rows appear before the user's eyes, where a bar would disturb."""
        return self.out is None and self.format != "table" and sys.stdout.isatty()


def check(sources: Iterable[str | Path], outputs: Mapping[str, Path | None]) -> None:
    """Refuse outputs, by option, that are a source or one file; and folders that are not there.

    Links are followed. Sources that are no files, such as addresses, are none that can be lost.
    """
    named: dict[Path, str] = {}
    for option, path in outputs.items():
        if path is None:
            continue
        where = path.resolve()
        if where in named:
            raise UsageError(f"{named[where]} and {option} are both {path}; name two files")
        named[where] = option
        if not where.parent.is_dir():
            raise OutputError(f"cannot write {path}: there is no folder {path.parent}; make it")
    there = {_same(path): path for path in named if path.is_file()}
    if not there:
        return
    for source in sources:
        found = there.get(_same(source))
        if found is not None:
            raise UsageError(f"{named[found]} would overwrite what is read, {source}; name another")


def _same(path: str | Path) -> tuple[int, int]:
    """Tell files apart, whatever their names."""
    try:
        found = Path(path).stat()
    except (OSError, ValueError):
        return (-1, -1)
    return (found.st_dev, found.st_ino)
