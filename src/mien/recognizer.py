"""From an image to the expression of every face in it."""

import copy
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mien import geometry, images, metrics, weights
from mien.errors import ModelError, UsageError, unknown_name
from mien.faces.finding import FaceFinder
from mien.faces.following import FollowingFinder
from mien.geometry import Floats
from mien.images import Image, Source
from mien.preparation import Preparation
from mien.readings import Readings, certain_answers, hidden_regions
from mien.records import Face, Prediction
from mien.session import Metadata, Output, open_model

_AT_ONCE = 128

Seen = tuple[Face, Image]


class ExpressionReader:
    """Read expressions off faces that are cut already.

    `labels` names the output to answer with; by default it is the one of the data set whose faces
    are read, if the model has one of that name, or else its first. `mirror` averages
    what the model says of a face and of its mirror image: twice the work, more accurate; by default
    as the model was calibrated, which its metadata tell. `balanced` answers as if all expressions
    were equally frequent: rare ones are found more often, and more answers are wrong (logits less
    the logarithm of the prior, Menon et al., arXiv 2007.07314).
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        labels: str | None = None,
        data_set: str | None = None,
        mirror: bool | None = None,
        balanced: bool = False,
        provider: str = "cpu",
        threads: int | None = None,
    ) -> None:
        name = weights.default("expression") if model is None else model
        self._model = open_model(name, kind="expression", provider=provider, threads=threads)
        self.mirror = self.metadata.mirror if mirror is None else mirror
        self._output = _expression_output(self.metadata, labels, data_set)
        self.balanced = balanced
        if balanced and not self._output.prior:
            raise ModelError(
                f"balanced answers need the share of each expression in training, which the model"
                f" {self.metadata.name} does not tell; leave it out, or export the model again"
            )
        self._regions = next(iter(self.metadata.of_kind("regions").values()), None)
        try:
            self.preparation = Preparation.from_json(self.metadata.preparation)
        except (UsageError, TypeError, ValueError) as error:
            raise ModelError(f"the preparation of {self._model.path} is wrong: {error}") from error

    @property
    def metadata(self) -> Metadata:
        """What the model file says of itself."""
        return self._model.metadata

    @property
    def sha256(self) -> str:
        """The hash of the model's file."""
        return self._model.sha256

    @property
    def output(self) -> str:
        """The name of the output that answers."""
        return self._output.name

    @property
    def labels(self) -> tuple[str, ...]:
        """The expressions, in the order of the probabilities."""
        return self._output.labels

    @property
    def regions(self) -> tuple[str, ...]:
        """The regions of which the model says whether they are hidden, in the readings' order."""
        return self._regions.labels if self._regions else ()

    def read(self, crops: Image) -> Readings:
        """Read faces (N, H, W) or (N, H, W, 3) of the model's size."""
        found = self.outputs(crops)
        none = np.empty((len(crops), 0), np.float32)
        hidden = found[self._regions.name] if self._regions else none
        return self._readings(
            found[self._output.name].astype(np.float64), hidden.astype(np.float64)
        )

    def outputs(self, crops: Image) -> dict[str, NDArray[np.float32]]:
        """Give the model's own outputs (N, C) for faces of its size, by name, as logits."""
        names = self.metadata.outputs
        if not len(crops):
            return {output.name: np.empty((0, len(output.labels)), np.float32) for output in names}
        parts = [
            self._outputs(self.preparation.normalized(crops[start : start + _AT_ONCE]))
            for start in range(0, len(crops), _AT_ONCE)
        ]
        return {o.name: np.concatenate([part[o.name] for part in parts]) for o in names}

    def _outputs(self, inputs: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
        if not self.mirror:
            return self._model.run(inputs)
        both = self._model.run(np.concatenate([inputs, inputs[..., ::-1]]))
        count = len(inputs)
        return {
            name: (found[:count] + found[count:]) * np.float32(0.5) for name, found in both.items()
        }

    def _readings(self, logits: Floats, hidden_logits: Floats) -> Readings:
        scaled = logits / self._output.temperature
        probabilities = metrics.softmax(scaled)
        hidden_probability, hidden = hidden_regions(self._regions, hidden_logits)
        certain = certain_answers(self._output, probabilities, self.regions, hidden)
        if self.balanced:
            usual, prior = probabilities.argmax(axis=1), np.array(self._output.prior)
            scaled = scaled - np.log(prior)
            probabilities = metrics.softmax(scaled)
            # What makes an answer certain was measured on usual ones: both must say the same.
            certain &= probabilities.argmax(axis=1) == usual
        return Readings(
            logits=scaled,
            probabilities=probabilities,
            hidden_probability=hidden_probability,
            hidden=hidden,
            certain=certain,
        )


class Recognizer:
    """Find the faces of photographs and read their expressions.

    `detector="whole"` takes each image as one face; `points` then finds its 68 points all the same.
    `min_face` is the longer side in pixels of the smallest face to find in a picture of 640x480 or
    fewer; in a larger one that face grows with the square root of the pixels.
    `labels`, `mirror` and `balanced` are those of `ExpressionReader`.
    """

    def __init__(
        self,
        model: str | Path | None = None,
        *,
        detector: str = "centerface",
        labels: str | None = None,
        min_face: int = 32,
        points: bool = False,
        landmarks: str | Path | None = None,
        mirror: bool | None = None,
        balanced: bool = False,
        provider: str = "cpu",
        threads: int | None = None,
    ) -> None:
        self.reader = ExpressionReader(
            model,
            labels=labels,
            mirror=mirror,
            balanced=balanced,
            provider=provider,
            threads=threads,
        )
        steps = self.reader.preparation
        self._finder = FaceFinder(
            detector,
            min_face=min_face,
            points=points or (steps.needs_points and steps.crop != "template"),
            landmarks=landmarks,
            provider=provider,
            threads=threads,
        )

    def __call__(self, image: Source) -> list[Prediction]:
        """Read every face of one image, largest first; an empty list where there is none."""
        return next(self.many([image]))

    def at(self, image: Source, boxes_xyxy: ArrayLike) -> list[Prediction]:
        """Read the faces at boxes (N, 4) in pixels of the upright image, in the boxes' order.

        For faces that were found by other means: none is looked for and none left out. Their points
        are found as those of other faces; the score of each is 1.
        """
        pixels = images.read(image)
        return self._predictions(self._cut(pixels, self._finder.at(pixels, boxes_xyxy)))

    def following(self) -> Self:
        """Give a recognizer with the same models for pictures that follow one another.

        It follows the faces of one view from each image to the next, a third of the work; a face
        that comes is found when the detector looks next, after a fifth of a second.
        """
        made = copy.copy(self)
        made._finder = FollowingFinder(self._finder)
        return made

    def many(self, sources: Iterable[Source], batch_size: int = 32) -> Iterator[list[Prediction]]:
        """Yield one list of predictions an image, reading the faces of several images at once."""
        if isinstance(sources, str | bytes | os.PathLike):
            raise UsageError(
                f"many() takes several images, got one {type(sources).__name__}: call the"
                " recognizer with it, or give a list"
            )
        if batch_size < 1:
            raise UsageError(f"batch_size must be at least 1, got {batch_size}")
        remaining = iter(sources)
        while some := [self._seen(source) for source in islice(remaining, batch_size)]:
            predictions = iter(self._predictions([face for seen in some for face in seen]))
            yield from [list(islice(predictions, len(seen))) for seen in some]

    def _seen(self, source: Source) -> list[Seen]:
        """Find the faces of an image, in its own pixels, and cut each as the model wants it."""
        image, scale = self._finder.read(source)
        faces = self._finder.find(image)
        preparation = self.reader.preparation
        if self._finder.whole:
            return [(face, preparation.whole(image, face.points_xy)) for face in faces]
        return [(_enlarged(face, scale), crop) for face, crop in self._cut(image, faces)]

    def _cut(self, image: Image, faces: Sequence[Face]) -> list[Seen]:
        preparation = self.reader.preparation
        if preparation.colour == "grey":
            image = images.to_grey(image)
        return [(face, preparation.cut(image, face.points_xy, face.box_xyxy)) for face in faces]

    def _predictions(self, seen: Sequence[Seen]) -> list[Prediction]:
        if not seen:
            return []
        readings = self.reader.read(np.stack([crop for _, crop in seen]))
        return [self._prediction(face, readings, row) for row, (face, _) in enumerate(seen)]

    def _prediction(self, face: Face, readings: Readings, row: int) -> Prediction:
        shares = dict(zip(self.reader.labels, readings.probabilities[row].tolist(), strict=True))
        expression = max(shares, key=shares.__getitem__)
        regions = self.reader.regions
        hidden = zip(regions, readings.hidden[row], strict=True)
        return Prediction(
            face=face,
            expression=expression,
            probability=shares[expression],
            probabilities=shares,
            hidden=tuple(name for name, is_hidden in hidden if is_hidden) if regions else None,
            certain=bool(readings.certain[row]),
        )


def _expression_output(metadata: Metadata, labels: str | None, data_set: str | None) -> Output:
    known = metadata.of_kind("expression")
    if not known:
        raise ModelError(f"the model {metadata.name} must have an output of kind 'expression'")
    if labels is not None and labels not in known:
        raise UsageError(unknown_name("labels", labels, known))
    return known.get(labels or data_set or "") or next(iter(known.values()))


def _enlarged(face: Face, scale: float) -> Face:
    """Give a face found in a smaller copy in pixels of the original."""
    if scale == 1:
        return face
    shift = (scale - 1) / 2
    matrix = np.array([[scale, 0.0, shift], [0.0, scale, shift]])
    (x0, y0), (x1, y1) = geometry.apply(matrix, np.reshape(face.box_xyxy, (2, 2))).tolist()
    points = face.points_xy
    if points is not None:
        points = geometry.apply(matrix, points).astype(np.float32)
    return replace(face, box_xyxy=(x0, y0, x1, y1), points_xy=points)
