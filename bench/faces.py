"""The real faces that accuracy is measured on: PublicTest of FER-2013, with a teacher's points."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.data import files
from mien.data.points import load_points
from mien.data.protocol import Protocol
from mien.data.readers.fer2013 import read_fer2013
from mien.data.table import FaceTable

POINTS_FILES = ("landmarks68.npz",)
POINTS_SOURCE = "68 points for each row of FER-2013: points_xy and found"


def points_file(data: Path) -> Path:
    """Find the teacher's points."""
    return files.require(data, POINTS_FILES, source=POINTS_SOURCE)


def public(data: Path) -> tuple[FaceTable, NDArray[np.bool_]]:
    """Read all faces of PublicTest, and which of them have points of their own (N,)."""
    path = points_file(data)
    table = read_fer2013(data, points_file=path)
    _, found = load_points(path, len(table))
    chosen = table.split == "public"
    return table[chosen], found[chosen]


def labelled(data: Path) -> FaceTable:
    """Read the faces of PublicTest that more than half of FER+'s voters agree on."""
    points = points_file(data)
    return Protocol(data_set="ferplus", split="public", points_file=points).select(data)


def sample(faces: FaceTable, count: int | None, rng: np.random.Generator) -> FaceTable:
    """Take some faces at random, in their order; all of them without a count."""
    if count is None or count >= len(faces):
        return faces
    return faces[np.sort(rng.choice(len(faces), count, replace=False))]
