"""Images that stay on disk, however many rows are picked of them: for tables larger than memory."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from math import inf, prod
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

AT_ONCE = 1024
LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container

Images = NDArray[np.uint8]


class Picked:
    """Rows of images uint8, read where an index asks for them; `pick` selects without reading.

    cut: what is done to each image as it is read; then it has the shape `one`.
    """

    dtype = np.dtype(np.uint8)

    def __init__(
        self,
        images: Any,
        rows: NDArray[np.intp] | None = None,
        cut: Callable[[Images], Images] | None = None,
        one: tuple[int, ...] | None = None,
    ) -> None:
        self._images, self._cut = images, cut
        self._rows = np.arange(len(images)) if rows is None else rows
        self.shape = (len(self._rows), *(one or images.shape[1:]))
        self.ndim, self.nbytes = len(self.shape), prod(self.shape)

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, index: Any) -> Images:
        """Read one image by its number, or several by a slice, a mask or numbers."""
        rows = self._rows[index]
        images: Images = np.asarray(self._images[np.atleast_1d(rows)])
        if self._cut is not None:
            made = [self._cut(image) for image in images]
            images = np.stack(made) if made else np.zeros((0, *self.shape[1:]), np.uint8)
        return images if np.ndim(rows) else np.asarray(images[0])

    def __iter__(self) -> Iterator[Images]:
        return (self[row] for row in range(len(self)))

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        read = np.empty(self.shape, np.uint8)
        for at in range(0, len(self), AT_ONCE):
            read[at : at + AT_ONCE] = self[at : at + AT_ONCE]
        return read if dtype is None else read.astype(dtype)

    def pick(self, index: Any) -> Self:
        """Select rows by a mask, an array of row numbers or a slice; nothing is read."""
        return type(self)(self._images, self._rows[index], self._cut, self.shape[1:])

    def through(self, cut: Callable[[Images], Images], one: tuple[int, ...]) -> Self:
        """Let each image be cut as it is read, to the shape `one`."""
        return type(self)(self, None, cut, one)


def picked(array: Any, index: Any) -> Any:
    """Select rows of an array; images that stay on disk are not read."""
    return array.pick(index) if isinstance(array, Picked) else array[index]


def memory_bytes() -> float:
    """Give the memory of the machine or of this container; without end where it is not told."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows
        return inf
    with suppress(OSError, ValueError):
        found = min(found, int(LIMIT.read_text()))
    return found
