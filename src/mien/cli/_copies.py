"""Where annotated copies go: one folder, a name of its own for each photograph."""

from collections.abc import Sequence
from pathlib import Path

from mien.cli._streams import writing
from mien.errors import UsageError

# The photographs that a copy can be written as; others become PNG.
KEPT = {".jpg", ".jpeg", ".png", ".webp", ".bmp", ".tif", ".tiff"}


def copies(folder: Path, sources: Sequence[Path]) -> list[Path]:
    """Make the folder and name a copy for each source, in order.

    A name is the photograph's own; where that is taken, `-2`, `-3` ... is put behind its stem.
    """
    with writing(str(folder)):
        folder.mkdir(parents=True, exist_ok=True)
    originals = {source.resolve() for source in sources}
    taken: dict[str, int] = {}
    named = [folder / _free_name(source, taken) for source in sources]
    for path in named:
        if path.resolve() in originals:
            raise UsageError(f"drawing would overwrite the photograph {path}; name another folder")
    return named


def _free_name(source: Path, taken: dict[str, int]) -> str:
    """Find a name that differs from those taken, also where letter case does not count."""
    suffix = source.suffix if source.suffix.lower() in KEPT else f"{source.suffix}.png"
    wanted = name = f"{source.stem}{suffix}"
    while name.casefold() in taken:
        taken[wanted.casefold()] += 1
        name = f"{source.stem}-{taken[wanted.casefold()]}{suffix}"
    taken[name.casefold()] = 1
    return name
