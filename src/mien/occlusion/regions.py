"""Which regions of a face an occluder hides."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import geometry

REGIONS = {"eyes": geometry.EYES, "mouth": geometry.MOUTH}

# A region counts as hidden from the upper share of its points covered, as visible up to the lower;
# between the two nobody could say, and a face neither teaches nor tests anything about it.
HIDDEN_FROM, VISIBLE_TO = 0.75, 0.30


def covered_shares(
    hidden: NDArray[np.bool_], points_xy: NDArray[np.floating[Any]]
) -> dict[str, float]:
    """Give for each region the share of its points whose pixel is covered.

    A point outside the image counts at the nearest pixel of the border.
    """
    height, width = hidden.shape
    x, y = np.rint(points_xy).astype(np.intp).T
    at_point = hidden[np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)]
    return {name: float(at_point[group].mean()) for name, group in REGIONS.items()}
