"""The face detector CenterFace: a first look at the whole picture, a second at what is unsure.

The network gives, for every 4x4 pixels, the probability that a face has its centre there, and the
face's size and exact place. It sees faces well from about 32 pixels on; at 26 it still notices
nearly all, with low scores. So the first look is taken at a size where the smallest face wanted
has 26 pixels, and what scores low there is judged by a second look at a closer view.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from mien import geometry, images, weights
from mien.errors import UsageError
from mien.faces.views import view_hw
from mien.images import Image
from mien.records import Face
from mien.session import open_model

Boxes = NDArray[np.float64]
Found = tuple[Boxes, NDArray[np.float64]]

LEAST_MIN_FACE = 10

_STRIDE = 4
_MULTIPLE = 32
_NOTICED_FACE = 26
# No face shows in a strip as narrow as this, which would be filled up to many times its size.
_STRIP = 6
_VIEW, _VIEW_FACE = 128, 64
_VIEWS_AT_ONCE = 16

# Measured with faces of 20 and 32 pixels on drawn scenes, and on 300 pictures without faces: the
# two scores of a face added up to 0.85 and more, those of anything else to 0.72 at most. One in six
# of the faces of FER-2013, cut close and of low resolution, stays between 0.1 and 0.75.
_NOTICED, _SURE, _TOGETHER, _DOUBTFUL = 0.03, 0.6, 0.75, 0.1
_SAME_FACE = 0.3
# What is doubtful and overlaps a face by this much is a part of it.
_PART_OF_FACE = 0.1
# Hair and chin reach this far from a face's centre, in sides of its box.
_HEAD = 0.75

# Scores from here on speak for themselves; below, something else must say that this is a face.
CONVINCING = _TOGETHER / 2


class CenterFace:
    """Find the faces of a photograph.

    `min_face` is the longer side in pixels of the smallest face to find in a picture of 640x480
    pixels or fewer; in a larger one that face grows with the square root of the pixels.
    """

    def __init__(
        self, *, min_face: int = 32, provider: str = "cpu", threads: int | None = None
    ) -> None:
        if min_face < LEAST_MIN_FACE:
            raise UsageError(f"min_face must be at least {LEAST_MIN_FACE} pixels, got {min_face}")
        name = weights.default("detector")
        self._model = open_model(name, kind="detector", provider=provider, threads=threads)
        self._min_face = min_face

    def detect(self, image: Image) -> list[Face]:
        """Find all faces, largest first; boxes may reach beyond the image."""
        return [face for face in self.candidates(image) if face.score >= CONVINCING]

    def candidates(self, image: Image) -> list[Face]:
        """Find all faces and what may be one; the latter score below CONVINCING."""
        image = images.to_rgb(image)
        boxes, scores = self._first_look(image)
        sure = scores >= _SURE
        again, again_scores = self._second_look(image, boxes[~sure], scores[~sure])
        boxes = np.concatenate([boxes[sure], again])
        scores = np.concatenate([scores[sure], again_scores])
        kept = geometry.nms(boxes, scores, _SAME_FACE)
        kept = kept[~_parts(boxes[kept], scores[kept])]
        largest_first = kept[np.argsort(-geometry.box_area(boxes[kept]), kind="stable")]
        return [_face(boxes[i], scores[i]) for i in largest_first]

    def _first_look(self, image: Image) -> Found:
        size_hw = view_hw(image, self._min_face, _NOTICED_FACE)
        if min(size_hw) <= _STRIP:
            return np.empty((0, 4)), np.empty(0)
        padded_hw = (math.ceil(side / _MULTIPLE) * _MULTIPLE for side in size_hw)
        canvas = np.zeros((1, 3, *padded_hw), np.float32)
        canvas[0, :, : size_hw[0], : size_hw[1]] = images.resize(image, size_hw).transpose(2, 0, 1)
        boxes, scores = self._look(canvas, _NOTICED)[0]
        return _mapped(boxes, geometry.scaling(size_hw, image.shape[:2])), scores

    def _second_look(self, image: Image, boxes: Boxes, scores: NDArray[np.float64]) -> Found:
        """Look closer at each box; keep the better look where both together see a face."""
        boxes, scores, kept = boxes.copy(), scores.copy(), np.zeros(len(boxes), bool)
        for row, (seen, again) in enumerate(self._closer_looks(image, boxes)):
            again = np.where(geometry.box_iou(boxes[row], seen)[0] > _SAME_FACE, again, 0)
            best = int(again.argmax()) if len(again) else None
            together = scores[row] + (0.0 if best is None else again[best])
            kept[row] = together >= _DOUBTFUL
            if best is not None and again[best] > scores[row]:
                boxes[row], scores[row] = seen[best], again[best]
            if together < _TOGETHER:
                scores[row] = together / 2
        return boxes[kept], scores[kept]

    def _closer_looks(self, image: Image, boxes: Boxes) -> Iterator[Found]:
        """Yield what is seen in a view of each box, in pixels of the image."""
        for start in range(0, len(boxes), _VIEWS_AT_ONCE):
            matrices = [_view(box) for box in boxes[start : start + _VIEWS_AT_ONCE]]
            views = [images.warp(image, matrix, (_VIEW, _VIEW)) for matrix in matrices]
            stack = np.stack(views).transpose(0, 3, 1, 2).astype(np.float32)
            found = self._look(stack, _NOTICED)
            for matrix, (seen, scores) in zip(matrices, found, strict=True):
                yield _mapped(seen, geometry.invert(matrix)), scores

    def _look(self, inputs: NDArray[np.float32], threshold: float) -> list[Found]:
        """Find boxes and scores in inputs (N, 3, H, W) of sides that 32 divides."""
        outputs = self._model.run(np.ascontiguousarray(inputs))
        maps = [outputs[name] for name in ("heatmap", "scale", "offset")]
        return [_decoded(*each, threshold=threshold) for each in zip(*maps, strict=True)]


def _decoded(
    heatmap: NDArray[np.float32],
    scale: NDArray[np.float32],
    offset: NDArray[np.float32],
    *,
    threshold: float,
) -> Found:
    """Read boxes off the maps (1 or 2, H, W) of one picture, in its pixels, one a face."""
    rows, columns = np.nonzero(heatmap[0] >= threshold)
    scores = heatmap[0, rows, columns].astype(np.float64)
    half_yx = np.exp(scale[:, rows, columns].astype(np.float64)) * _STRIDE / 2
    cells_yx = np.stack([rows, columns]) + offset[:, rows, columns] + 0.5
    centre_yx = cells_yx * _STRIDE - 0.5
    boxes = np.concatenate([(centre_yx - half_yx)[::-1], (centre_yx + half_yx)[::-1]]).T
    kept = geometry.nms(boxes, scores, _SAME_FACE)
    return boxes[kept], scores[kept]


def _parts(boxes: Boxes, scores: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Say which boxes are doubtful and lie on one that is not, or on the head around it."""
    convincing = scores >= CONVINCING
    sure = boxes[convincing]
    overlap = geometry.box_iou(boxes, sure).max(axis=1, initial=0.0)
    sides, faces = boxes[:, 2:] - boxes[:, :2], sure[:, 2:] - sure[:, :2]
    apart = np.abs(_centres(boxes)[:, None] - _centres(sure))
    on_head = ((apart <= _HEAD * faces).all(2) & (sides.max(1)[:, None] <= faces.max(1))).any(1)
    parts: NDArray[np.bool_] = ~convincing & ((overlap > _PART_OF_FACE) | on_head)
    return parts


def _centres(boxes: Boxes) -> Boxes:
    return (boxes[:, :2] + boxes[:, 2:]) / 2


def _view(box_xyxy: Boxes) -> geometry.Floats:
    """Map a box to the middle of a view in which its longer side has the right size."""
    half = _VIEW / _VIEW_FACE * float((box_xyxy[2:] - box_xyxy[:2]).max()) / 2
    x, y = ((box_xyxy[:2] + box_xyxy[2:]) / 2).tolist()
    return geometry.box_to_image((x - half, y - half, x + half, y + half), (_VIEW, _VIEW))


def _mapped(boxes: Boxes, matrix: geometry.Floats) -> Boxes:
    return geometry.apply(matrix, boxes.reshape(-1, 2, 2)).reshape(-1, 4)


def _face(box: Boxes, score: float) -> Face:
    x0, y0, x1, y1 = box.tolist()
    return Face((x0, y0, x1, y1), min(float(score), 1.0))
