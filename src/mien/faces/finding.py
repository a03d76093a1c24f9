"""Find the faces of photographs with their points: the one way, for training and prediction."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien import images
from mien.errors import InputError, UsageError
from mien.faces import detectors
from mien.faces.landmarks import Landmarker
from mien.faces.whole import WholeFace
from mien.images import Image, Source
from mien.records import Face

# A photograph may be decoded smaller as long as the smallest face wanted keeps this many pixels.
_ENOUGH_FACE = 96
_REFERENCE_SIDE = 480
# How sure the landmark network must be of a face that the detector doubts.
_NO_DOUBT = 0.95


class Landmarks(Protocol):
    """What finds the 68 points of faces, and says from which faceness on it is sure of one."""

    threshold: float

    def locate(self, image: Image, faces: Sequence[Face]) -> list[Face]: ...

    def from_whole(self, images_nhw: Image) -> tuple[NDArray[np.float32], NDArray[np.float64]]: ...


class FaceFinder:
    """Find faces; the landmark network judges where the detector doubts.

    With the detector `whole` each image is one face, whose points are found when `points` asks.
    `landmarks` is a landmark model, the shipped one by default, or `dlib` for dlib's points.
    """

    def __init__(
        self,
        detector: str = "centerface",
        *,
        min_face: int = 32,
        points: bool = False,
        landmarks: str | Path | None = None,
        provider: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self._detector = detectors.detector(
            detector, min_face=min_face, provider=provider, threads=threads
        )
        self.whole = isinstance(self._detector, WholeFace)
        self._landmarker: Landmarks | None = None
        if points or not self.whole:
            self._landmarker = _landmarker(landmarks, provider, threads)
        least_side = _REFERENCE_SIDE * _ENOUGH_FACE // max(1, min_face)
        self._least_side = None if self.whole else least_side

    @property
    def points(self) -> bool:
        """Say whether faces come with their points."""
        return self._landmarker is not None

    def read(self, source: Source) -> tuple[Image, float]:
        """Read an image, a large one smaller; how many times larger the original is."""
        return images.read_scaled(source, least_side=self._least_side)

    def find(self, image: Image) -> list[Face]:
        """Find all faces, largest first, with their points but for faces taken whole."""
        if self._landmarker is None:
            return self._detector.detect(image)
        if self.whole:
            (face,) = self._detector.detect(image)
            points, faceness = self._landmarker.from_whole(image[None])
            return [replace(face, points_xy=points[0], faceness=float(faceness[0]))]
        located = self._landmarker.locate(image, self._detector.candidates(image))
        return [face for face in located if self._is_face(face, self._landmarker.threshold)]

    def at(self, image: Image, boxes_xyxy: ArrayLike) -> list[Face]:
        """Give the faces at boxes (N, 4), in their order, with their points."""
        boxes = np.array(boxes_xyxy, np.float64)
        if self.whole or self._landmarker is None:
            raise UsageError("faces at boxes are none that fill the image: leave out 'whole'")
        if not boxes.size:
            return []
        if boxes.shape != (len(boxes), 4):
            raise UsageError(f"boxes_xyxy must be of shape (N, 4), got {boxes.shape}")
        faces = [Face((x0, y0, x1, y1), 1.0) for x0, y0, x1, y1 in boxes.tolist()]
        height, width = image.shape[:2]
        for x0, y0, x1, y1 in (face.box_xyxy for face in faces):
            if min(x1, y1) <= -0.5 or x0 >= width - 0.5 or y0 >= height - 0.5:
                raise InputError(
                    f"the box {x0:g}, {y0:g}, {x1:g}, {y1:g} lies outside the image of {width} x"
                    f" {height} pixels; give left, top, right, bottom in pixels of the upright one"
                )
        return self._landmarker.locate(image, faces)

    def _is_face(self, face: Face, threshold: float) -> bool:
        convinced = face.score >= detectors.CONVINCING
        if face.faceness is None:  # nobody judged it but the detector
            return convinced
        return face.faceness >= (threshold if convinced else max(threshold, _NO_DOUBT))


def _landmarker(model: str | Path | None, provider: str, threads: int | None) -> Landmarks:
    if model == "dlib":
        from mien.faces.dlib import DlibLandmarker

        return DlibLandmarker()
    return Landmarker(model, provider=provider, threads=threads)
