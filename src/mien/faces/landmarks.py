"""The 68 points of a face, and how much it is a face at all."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien import geometry, images, metrics, weights
from mien.errors import ModelError, UsageError
from mien.images import Image
from mien.preparation import Preparation
from mien.progress import track
from mien.records import Face
from mien.session import open_model

_AT_ONCE = 128
# Each pass aligns the crop of the next one; a second takes 3 % off the error of barred eyes.
_ALIGNING_PASSES = 2
# The last pass looks twice, from a little further off and a little nearer: 3 % less error.
_ZOOMS = (1 / 1.09, 1 / 0.91)


class Landmarker:
    """Find points in a square about the box, then in the crops that the points so far align.

    The last pass averages four views: the crop from two distances, and their mirror images.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        provider: str = "cpu",
        threads: int | None = None,
    ) -> None:
        name = weights.default("landmarks") if model is None else model
        self._model = open_model(name, kind="landmarks", provider=provider, threads=threads)
        metadata = self._model.metadata
        try:
            self._preparation = _aligning(Preparation.from_json(metadata.preparation))
            self._side = float(metadata.extra["box_side"])
            self._shift = (float(metadata.extra["box_dx"]), float(metadata.extra["box_dy"]))
            self._face = metadata.output("face")
            self.threshold = float(self._face.thresholds["face"])
        except (UsageError, KeyError, TypeError, ValueError) as error:
            raise ModelError(f"{self._model.path} is no landmark model of ours: {error}") from error

    @property
    def sha256(self) -> str:
        """The hash of the model's file."""
        return self._model.sha256

    def locate(self, image: Image, faces: Sequence[Face]) -> list[Face]:
        """Give the faces with their points, in pixels of the image, and their faceness (0..1)."""
        if not faces:
            return []
        image = self._coloured(image)
        starts = np.stack([self._frame(face) for face in faces])
        points, faceness = self._refined([image] * len(faces), starts)
        return [
            replace(face, points_xy=points[i], faceness=float(faceness[i]))
            for i, face in enumerate(faces)
        ]

    def from_whole(
        self, images_nhw: Image, *, quiet: bool = True
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        """Find the points (N, 68, 2) and faceness (N,) of images that each are one face."""
        start = geometry.scaling(images_nhw.shape[1:3], self._preparation.size_hw)
        starts = np.broadcast_to(start, (len(images_nhw), 2, 3))
        return self._refined(images_nhw, starts, quiet=quiet)

    def _coloured(self, image: Image) -> Image:
        """Convert once what would be converted for every crop."""
        return images.to_grey(image) if self._preparation.colour == "grey" else image

    def _frame(self, face: Face) -> geometry.Floats:
        """Map the square about a detector's box, moved as the model wants it, to the crop."""
        x0, y0, x1, y1 = face.box_xyxy
        dx, dy = self._shift[0] * (x1 - x0), self._shift[1] * (y1 - y0)
        moved = (x0 + dx, y0 + dy, x1 + dx, y1 + dy)
        square = geometry.square_box(moved, self._side)
        return geometry.box_to_image(square, self._preparation.size_hw)

    def _refined(
        self, faces: Sequence[Image] | Image, starts: geometry.Floats, *, quiet: bool = True
    ) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
        points, faceness = [np.empty((0, 68, 2), np.float32)], [np.empty(0)]
        parts = range(0, len(faces), _AT_ONCE)
        for first in track(parts, total=len(parts), description="finding points", quiet=quiet):
            some = [self._coloured(face) for face in faces[first : first + _AT_ONCE]]
            aligned = starts[first : first + _AT_ONCE]
            for _ in range(_ALIGNING_PASSES):
                rough, _ = self._pass(some, aligned)
                aligned = np.stack([self._preparation.matrix(found) for found in rough])
            views = [self._both_ways(some, self._zoomed(aligned, zoom)) for zoom in _ZOOMS]
            points.append(np.mean([view[0] for view in views], axis=0).astype(np.float32))
            faceness.append(np.mean([view[1] for view in views], axis=0))
        return np.concatenate(points), np.concatenate(faceness)

    def _pass(
        self, faces: Sequence[Image], matrices: geometry.Floats
    ) -> tuple[geometry.Floats, NDArray[np.float64]]:
        """Predict on the crops the matrices cut (N, 2, 3); points in pixels of the images."""
        points, logits = self._predict(self._inputs(faces, matrices))
        return geometry.apply(geometry.invert(matrices), points), metrics.sigmoid(logits)

    def _both_ways(
        self, faces: Sequence[Image], matrices: geometry.Floats
    ) -> tuple[geometry.Floats, NDArray[np.float64]]:
        """Predict on the crops and on their mirror images; average both."""
        inputs = self._inputs(faces, matrices)
        points, logits = self._predict(inputs)
        mirrored, again = self._predict(np.ascontiguousarray(inputs[..., ::-1]))
        points = (points + geometry.mirror_points(mirrored, inputs.shape[3])) / 2
        return geometry.apply(geometry.invert(matrices), points), metrics.sigmoid(
            (logits + again) / 2
        )

    def _zoomed(self, matrices: geometry.Floats, zoom: float) -> geometry.Floats:
        """Bring what the matrices (N, 2, 3) cut nearer, about the middle of the crop."""
        middle = [(side - 1) / 2 * (1 - zoom) for side in self._preparation.size_hw[::-1]]
        zoomed: geometry.Floats = matrices * zoom + [[0.0, 0.0, offset] for offset in middle]
        return zoomed

    def _inputs(self, faces: Sequence[Image], matrices: geometry.Floats) -> NDArray[np.float32]:
        crops = [
            self._preparation.warped(face, matrix)
            for face, matrix in zip(faces, matrices, strict=True)
        ]
        return self._preparation.normalized(np.stack(crops))

    def _predict(self, inputs: NDArray[np.float32]) -> tuple[geometry.Floats, geometry.Floats]:
        outputs = self._model.run(inputs)
        logits = outputs["face"][:, 0].astype(np.float64) / self._face.temperature
        return outputs["points"].astype(np.float64), logits


def _aligning(preparation: Preparation) -> Preparation:
    if preparation.crop != "template":
        raise UsageError(f"its preparation must crop 'template', got {preparation.crop!r}")
    return preparation
