"""Names of files for faces, by their ids."""

import re
from pathlib import Path

from mien.images import SUFFIXES


def stem(source_id: str) -> str:
    """Give an id without a picture's suffix."""
    suffix = Path(source_id).suffix
    return source_id.removesuffix(suffix) if suffix.lower() in SUFFIXES else source_id


def safe(text: str) -> str:
    """Keep what every file system takes in a name."""
    return re.sub(r"[^\w.+-]+", "_", text).strip("._")[:120]


def untaken(name: str, row: int, taken: set[str]) -> str:
    """Put the row's number behind a name that is taken, case aside; take it."""
    while name.casefold() in taken:
        name = f"{name}-{row}"
    taken.add(name.casefold())
    return name
