"""Listing: the photographs of a data set before any pixel is read."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from mien.data.columns import Columns, Shapes


@dataclass(frozen=True, eq=False, kw_only=True)
class Listing(Columns):
    """Hold N photographs by their paths."""

    paths: NDArray[np.str_]

    shapes: ClassVar[Shapes] = {**Columns.shapes, "paths": ("U", ())}
