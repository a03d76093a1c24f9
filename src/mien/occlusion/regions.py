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
    shares = covered(hidden[None], points_xy[None])[0].tolist()
    return dict(zip(REGIONS, shares, strict=True))


def covered(
    hidden_nhw: NDArray[np.bool_], points_xy: NDArray[np.floating[Any]]
) -> NDArray[np.float64]:
    """Give the shares (N, R) of many faces in the order of REGIONS."""
    faces, height, width = hidden_nhw.shape
    x, y = np.moveaxis(np.rint(points_xy).astype(np.intp), 2, 0)
    rows, columns = np.clip(y, 0, height - 1), np.clip(x, 0, width - 1)
    at_point = hidden_nhw[np.arange(faces)[:, None], rows, columns]
    return np.stack([at_point[:, group].mean(axis=1) for group in REGIONS.values()], axis=1)
