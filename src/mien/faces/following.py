"""Faces of a moving picture: found by the detector now and then, followed by their points between.

The detector takes most of the time that a face costs, and from one frame to the next a face is
nearly where it was: there the landmark network finds its points, and judges whether it is a face.
"""

import math
import time

import numpy as np

from mien import geometry
from mien.faces.finding import FaceFinder
from mien.images import Image
from mien.records import Face

LOOK_S = 0.2

# Followed faces have a faceness of 0.98 and more, also with a part hidden; what a face left behind
# has up to 0.92.
_SURE = 0.95
# A face that moved by more, in sides of its box, or changed its size by more than that factor, or
# one that overlaps another by more, is for the detector to judge.
_MOVED, _GROWN, _OVERLAP = 0.35, 1.3, 0.3


class FollowingFinder(FaceFinder):
    """Find the faces of pictures that follow one another, each image the next of one view.

    The detector looks at the first image that comes LOOK_S after its last look, where a new face is
    found; and at once where a face is lost, jumps, or meets another, or where there was none. The
    score of a face is that of the last look.
    """

    def __init__(self, finder: FaceFinder) -> None:
        """Find with the models of another finder."""
        self._detector, self._landmarker = finder._detector, finder._landmarker
        self.whole, self._least_side = finder.whole, finder._least_side
        self._faces: tuple[Face, ...] = ()
        self._looked_s = -math.inf
        self._shape: tuple[int, ...] = ()

    def find(self, image: Image) -> list[Face]:
        """Find all faces, largest first, with their points."""
        since_s = time.perf_counter() - self._looked_s
        alike, self._shape = image.shape == self._shape, image.shape
        faces = self._followed(image) if alike and since_s < LOOK_S else None
        if faces is None:
            faces, self._looked_s = super().find(image), time.perf_counter()
        self._faces = tuple(faces)
        return faces

    def _followed(self, image: Image) -> list[Face] | None:
        """Find the faces of the image before near where they were; None if that is in doubt."""
        if self._landmarker is None or self.whole or not self._faces:
            return None
        located = self._landmarker.locate(image, self._faces)
        if any(face.faceness is None or face.faceness < _SURE for face in located):
            return None
        moved = [_moved(old, new) for old, new in zip(self._faces, located, strict=True)]
        faces = [face for face in moved if face is not None]
        if len(faces) < len(moved) or _overlapping(faces):
            return None
        return sorted(faces, key=lambda face: -face.area)


def _moved(old: Face, new: Face) -> Face | None:
    """Move the box of a face as its points moved; None if they jumped."""
    if old.points_xy is None or new.points_xy is None:
        return None
    matrix = geometry.similarity(old.points_xy, new.points_xy)
    growth = math.hypot(matrix[0, 0], matrix[1, 0])
    corners = np.reshape(old.box_xyxy, (2, 2))
    middle, half = corners.mean(axis=0), (corners[1] - corners[0]) / 2
    there = geometry.apply(matrix, middle[None])[0]
    if np.abs(there - middle).max() > _MOVED * 2 * half.max():
        return None
    if not 1 / _GROWN < growth < _GROWN:
        return None
    (x0, y0), (x1, y1) = (there - growth * half).tolist(), (there + growth * half).tolist()
    return Face((x0, y0, x1, y1), new.score, new.points_xy, new.faceness)


def _overlapping(faces: list[Face]) -> bool:
    boxes = [face.box_xyxy for face in faces]
    return bool((np.triu(geometry.box_iou(boxes, boxes), 1) > _OVERLAP).any())
