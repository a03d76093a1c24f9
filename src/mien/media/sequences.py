"""Image files as the frames of a video."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from mien import images
from mien.errors import InputError
from mien.images import Image

USUAL_FPS = 25.0  # where nobody tells

_NUMBERED = re.compile(r"%(0?\d*)d")
_DIGITS = re.compile(r"(\d+)")


@dataclass
class Info:
    """What is known of a video; `damaged` counts the frames so far that could not be decoded.

    `stream` says that it comes from an address and has no end that is known.
    """

    width: int
    height: int
    fps: float
    frames: int | None
    damaged: int = 0
    stream: bool = False


class Sequence:
    """Goes through image files at a rate; one that cannot be read is a damaged frame."""

    def __init__(self, paths: list[Path], fps: float) -> None:
        self._paths = paths
        height, width = self._first().shape[:2]
        self.info = Info(width, height, fps, len(paths))
        self.number, self.time_s = -1, 0.0

    def advance(self) -> bool:
        self.number += 1
        self.time_s = self.number / self.info.fps
        return self.number < len(self._paths)

    def image(self) -> Image | None:
        return _read(self._paths[self.number])

    def close(self) -> None:
        pass

    def _first(self) -> Image:
        found = next((image for image in map(_read, self._paths) if image is not None), None)
        if found is None:
            raise InputError(f"no image of the sequence from {self._paths[0]} on can be read")
        return found


def is_sequence(source: str | Path) -> bool:
    """Tell by its name whether something is a numbered pattern of images, like `img%04d.png`."""
    path = Path(source)
    return bool(_NUMBERED.search(path.name)) and path.suffix.lower() in images.SUFFIXES


def numbered(pattern: Path) -> list[Path]:
    """List the images of a folder or those of a pattern, the numbers in names taken as numbers."""
    if pattern.is_dir():
        found = [path for path in pattern.iterdir() if path.suffix.lower() in images.SUFFIXES]
    else:
        parts = _NUMBERED.split(pattern.name)
        wanted = re.compile(re.escape(parts[0]) + r"\d+" + re.escape(parts[-1]) + "$")
        found = [path for path in _listed(pattern.parent) if wanted.match(path.name)]
    if not found:
        raise InputError(f"no image fits {pattern}; expected files like frame0001.png")
    return sorted(found, key=_natural)


def _natural(path: Path) -> tuple[list[str | int], str]:
    parts = _DIGITS.split(path.name)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)], path.name


def _listed(folder: Path) -> Iterable[Path]:
    return folder.iterdir() if folder.is_dir() else ()


def _read(path: Path) -> Image | None:
    try:
        return images.to_rgb(images.read(path))
    except InputError:
        return None
