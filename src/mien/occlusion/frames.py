"""Where a face lies and how large it is, told by points that no expression moves."""

import numpy as np

from mien import geometry
from mien.geometry import Floats

# The mean of FER-2013's training faces laid on one another, made symmetric, in pixels of a 48x48
# crop: 36 px large.
MEAN_FACE: Floats = np.array(
    (
        "5.4 13.7 5.4 21.0 5.6 24.8 7.3 33.3 9.0 37.0 10.8 39.8 15.3 43.9 20.1 46.5 23.5 46.9 "
        "26.9 46.5 31.7 43.9 36.2 39.8 38.0 37.0 39.7 33.3 41.4 24.8 41.6 21.0 41.6 13.7 7.2 12.1 "
        "10.0 11.8 12.5 11.2 15.7 11.5 19.5 12.1 27.5 12.1 31.3 11.5 34.5 11.2 37.0 11.8 39.8 12.1 "
        "23.5 16.9 23.5 21.2 23.5 25.0 23.5 27.3 19.9 29.3 21.3 30.2 23.5 30.3 25.7 30.2 27.1 29.3 "
        "11.5 17.4 13.2 16.6 15.9 16.5 18.7 18.0 16.4 18.5 13.7 18.5 28.3 18.0 31.1 16.5 33.8 16.6 "
        "35.5 17.4 33.3 18.5 30.6 18.5 16.7 36.2 19.4 34.3 21.4 33.8 23.5 34.1 25.6 33.8 27.6 34.3 "
        "30.3 36.2 27.5 39.2 25.7 39.9 23.5 40.1 21.3 39.9 19.5 39.2 17.3 36.2 21.8 35.5 23.5 35.6 "
        "25.2 35.5 29.7 36.2 25.3 37.7 23.5 37.9 21.7 37.7"
    ).split(),
    dtype=np.float64,
).reshape(68, 2)
SIZE = 36.0  # the square root of the area of its points' box
# The ends of the jaw, the ridge and foot of the nose, the corners of the eyes.
STILL = [0, 16, 27, 28, 29, 30, 33, 36, 39, 42, 45]


def frames(points_xy: Floats) -> Floats:
    """Lay the mean face on faces (N, 68, 2) by the points that keep still: matrices (N, 2, 3)."""
    return geometry.similarity(MEAN_FACE[STILL], points_xy[:, STILL])


def mean_faces(points_xy: Floats) -> Floats:
    """Give the points (N, 68, 2) that the mean face would have where these faces are."""
    return geometry.apply(frames(points_xy), MEAN_FACE)


def sizes(points_xy: Floats) -> Floats:
    """Measure faces (N,): the square root of the area of the box of the mean face's points."""
    matrix = frames(points_xy)
    size: Floats = np.hypot(matrix[:, 0, 0], matrix[:, 1, 0]) * SIZE
    return size
