"""Listing: the photographs of a data set before any pixel is read."""

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data.columns import Columns, Shapes
from mien.images import Image


@dataclass(frozen=True, eq=False, kw_only=True)
class Listing(Columns):
    """Hold N photographs by their paths.

    box_xyxy: (N, 4), the face meant among others. points_xy: (N, 68, 2). Both in pixels of the
    photograph as the set gives them, NaN where a row has none. notes: what else the set says of a
    photograph, as `name=value` with spaces between. passed_over: how many pictures were found whose
    names are not the set's.
    """

    paths: NDArray[np.str_]
    box_xyxy: NDArray[np.floating[Any]] | None = None
    points_xy: NDArray[np.floating[Any]] | None = None
    notes: NDArray[np.str_] | None = None
    passed_over: int = 0

    shapes: ClassVar[Shapes] = {
        **Columns.shapes,
        "paths": ("U", ()),
        "box_xyxy": ("f", (4,)),
        "points_xy": ("f", (68, 2)),
        "notes": ("U", ()),
    }
    optional: ClassVar[tuple[str, ...]] = (*Columns.optional, "box_xyxy", "points_xy", "notes")

    def read(self, row: int, *, least_side: int | None = None) -> Image:
        """Read a photograph, cut to the box of the face where the set gives one.

        Without a box a large one may come smaller, as `images.read` gives it.
        """
        path = str(self.paths[row])
        if self.box_xyxy is None or not np.isfinite(self.box_xyxy[row]).all():
            return images.read(path, least_side=least_side)
        return images.within(images.read(path), self.box_xyxy[row])[0]
