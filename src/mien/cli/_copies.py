"""Where annotated copies go: one folder, a name of its own for each photograph."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path

from mien.cli._streams import writing
from mien.errors import UsageError
from mien.media.folders import Named
from mien.media.shelf import Shelf

# The photographs that a copy can be written as; others become PNG.
KEPT = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def copies(
    folder: Path, sources: Iterable[Named], *, goes_on: bool = False
) -> Iterator[tuple[Path, str, Path]]:
    """Make the folder; yield each source, as it comes, with its copy, in order.

    A name is the photograph's own; where that is taken, `-2`, `-3` ... is put behind its stem. A
    photograph that a copy would replace is refused behind the last; where a work `goes_on`, what
    lies in the folder are its copies, which are left out.
    """
    with writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    there = folder.resolve()
    with Shelf() as taken, Shelf() as originals:
        for source, name in sources:
            real = source.resolve() if source.is_symlink() else _real(source.parent) / source.name
            if real.parent == there and goes_on:
                continue
            yield source, name, folder / _free_name(source, taken)
            if real.parent == there:
                originals.add(real.name)
        for name, _ in originals:
            if name.casefold() in taken:
                raise UsageError(
                    f"drawing would overwrite the photograph {folder / name}; name another folder"
                )


@lru_cache(maxsize=256)
def _real(folder: Path) -> Path:
    return folder.resolve()


def _free_name(source: Path, taken: Shelf) -> str:
    """Find a name that differs from those taken, also where letter case does not count."""
    suffix = source.suffix if source.suffix.lower() in KEPT else f"{source.suffix}.png"
    wanted = name = f"{source.stem}{suffix}"
    while not taken.add(name.casefold(), 1):
        number = taken.get(wanted.casefold()) + 1
        taken.put(wanted.casefold(), number)
        name = f"{source.stem}-{number}{suffix}"
    return name
