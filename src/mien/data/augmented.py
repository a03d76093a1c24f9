"""Larger training sets made of mirrored and turned faces: the five sets A to E of system 4.

| set | turned by 10 and 20 degrees | then mirrored   | faces of a class become                  |
| --- | --------------------------- | --------------- | ---------------------------------------- |
| A   | none                        | none            | x1                                       |
| B   | none                        | disgust         | x2 disgust, x1 others                    |
| C   | none                        | all             | x2                                       |
| D   | disgust                     | all             | x6 disgust, x2 others                    |
| E   | all but happiness           | all             | x6, x2 happiness                         |

Faces turn anticlockwise; their mirror images show the turn the other way. Give the training part
alone: a face and its mirror image in two parts of a split are a leak. A face without a label stays
as it is.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from mien import geometry, images
from mien.data.columns import stacked
from mien.data.table import FaceTable
from mien.errors import UsageError, unknown_name
from mien.expressions import EXPRESSIONS

DEGREES = (10, 20)

# The expressions whose faces are turned, and those whose faces, turned or not, are mirrored.
SETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "A": ((), ()),
    "B": ((), ("disgust",)),
    "C": ((), EXPRESSIONS),
    "D": (("disgust",), EXPRESSIONS),
    "E": (tuple(name for name in EXPRESSIONS if name != "happiness"), EXPRESSIONS),
}
_DONE = re.compile(r"(\+(?:\d+|flip))+$")


def augmented(faces: FaceTable, name: str) -> FaceTable:
    """Make one of the SETS: the faces first, then the turned ones, then the mirror images."""
    if name not in SETS:
        raise UsageError(unknown_name("augmentation set", name, SETS))
    turning, mirroring = SETS[name]
    chosen = faces[_of(faces, turning)]
    upright_and_turned = stacked([faces, *(turned(chosen, angle) for angle in DEGREES)])
    mirror_images = mirrored(upright_and_turned[_of(upright_and_turned, mirroring)])
    return stacked([upright_and_turned, mirror_images])


def mirrored(faces: FaceTable) -> FaceTable:
    """Give the mirror images; `+flip` is added to their ids."""
    points = faces.points_xy
    if points is not None:
        points = geometry.mirror_points(points, faces.images.shape[2]).astype(np.float32)
    images_nhw = np.ascontiguousarray(faces.images[:, :, ::-1])
    return _changed(faces, images_nhw, points, "+flip")


def turned(faces: FaceTable, degrees: int) -> FaceTable:
    """Turn each image anticlockwise about its middle, its border repeated; `+10` says so."""
    height, width = faces.images.shape[1:3]
    middle = ((width - 1) / 2, (height - 1) / 2)
    matrix = geometry.rotation(-np.radians(degrees), middle)
    points = faces.points_xy
    if points is not None:
        points = geometry.apply(matrix, points).astype(np.float32)
    images_nhw = np.empty_like(faces.images)
    for row, image in enumerate(faces.images):
        images_nhw[row] = images.warp(image, matrix, (height, width))
    return _changed(faces, images_nhw, points, f"+{degrees}")


def original_ids(source_id: NDArray[np.str_]) -> NDArray[np.str_]:
    """Take from ids (N,) what `mirrored` and `turned` added: the ids to split by."""
    return np.array([_DONE.sub("", one) for one in source_id.tolist()], dtype=np.str_)


def _of(faces: FaceTable, expressions: Sequence[str]) -> NDArray[np.bool_]:
    wanted = [EXPRESSIONS.index(name) for name in expressions]
    return np.isin(faces.canonical_labels(), wanted)


def _changed(
    faces: FaceTable,
    images_nhw: NDArray[np.uint8],
    points_xy: NDArray[np.float32] | None,
    done: str,
) -> FaceTable:
    ids = np.char.add(faces.source_id, done)
    return replace(faces, images=images_nhw, points_xy=points_xy, source_id=ids)
