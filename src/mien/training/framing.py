"""How the faces of a run are cut, and how its model file says that others are to be."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mien import geometry
from mien.data.picked import Picked
from mien.data.points import with_points
from mien.data.statistics import fitted
from mien.data.summaries import recorded
from mien.data.table import POINTS, FaceTable
from mien.networks import registry
from mien.preparation import Preparation
from mien.preparation.presets import preset
from mien.training.settings import Recipe

AVERAGED = 256  # faces whose points are found for a template where a set brings none


def steps_of(recipe: Recipe, table: Path | None) -> Preparation:
    """Give the preparation in the recipe's size and colour; its statistics are still to be fitted.

    Without a name it is the one by which a table was cut, or the whole face with the normalisation
    of the network's source. Pretrained networks normalise levels of 0 to 1 themselves.
    """
    name, size = recipe.network.name, (recipe.side, recipe.side)
    whole = Preparation(
        size, crop="whole", normalize="unit" if ":" in name else registry.network(name).normalize
    )
    found = preset(recipe.data.preparation) if recipe.data.preparation else None
    steps = found or (table and recorded(table)) or whole
    pretrained = "unit" if recipe.network.pretrained else ""
    template = steps.template_xy
    if template is not None:
        template = _tupled(geometry.apply(geometry.scaling(steps.size_hw, size), template))
    return replace(
        steps,
        size_hw=size,
        colour="rgb" if recipe.network.channels == 3 else "grey",
        normalize=recipe.data.normalize or pretrained or steps.normalize,
        template_xy=template,
        mean=None,
        std=None,
    )


def cut(faces: FaceTable, steps: Preparation) -> FaceTable:
    """Take every image as the one face it is, as evaluation does.

    Where nothing is equalised, small faces stay small and grey ones grey: `finished` is the rest.
    """
    if steps.equalize == "none":
        found = (faces.images.shape[1], faces.images.shape[2])
        small = all(here <= goal for here, goal in zip(found, steps.size_hw, strict=True))
        grey = faces.images.ndim == 3 or steps.colour == "grey"
        kept = found if small else steps.size_hw
        steps = replace(steps, size_hw=kept, colour="grey" if grey else "rgb")
    return _whole(faces, steps)


def finished(faces: FaceTable, steps: Preparation) -> FaceTable:
    """Give cut faces the size and the colour that the network takes."""
    return _whole(faces, replace(steps, equalize="none"))


def _whole(faces: FaceTable, steps: Preparation) -> FaceTable:
    shape = (*steps.size_hw, *((3,) if steps.colour == "rgb" else ()))
    if faces.images.shape[1:] == shape and steps.equalize == "none":
        return faces
    images: Any = faces.images
    if isinstance(images, Picked):
        images = images.through(steps.whole, shape)
    else:
        images = np.empty((len(faces), *shape), np.uint8)
        for row, image in enumerate(faces.images):
            images[row] = steps.whole(image)
    points = faces.points_xy
    if points is not None:
        frame = geometry.scaling(faces.images.shape[1:3], steps.size_hw)
        points = geometry.apply(frame, points).astype(np.float32)
    return replace(faces, images=images, points_xy=points)


def enlarging(steps: Preparation, faces: FaceTable) -> Preparation:
    """State how views enlarge faces, where they do."""
    as_large = faces.images.shape[1:3] == steps.size_hw
    return steps if as_large else replace(steps, interpolation="bilinear")


def with_statistics(steps: Preparation, train: FaceTable) -> Preparation:
    """Fit mean and deviation on training faces, if the normalisation wants them."""
    if steps.normalize != "data-set":
        return steps
    grey = train.images.ndim == 3
    size = (train.images.shape[1], train.images.shape[2])
    own = replace(steps, size_hw=size, colour="grey" if grey else "rgb", template_xy=None)
    own = fitted(replace(own, align="none", crop="whole"), train, np.ones(len(train), bool))
    channels = 3 if grey and steps.colour == "rgb" else 1
    return replace(steps, mean=(own.mean or ()) * channels, std=(own.std or ()) * channels)


def as_given(steps: Preparation, recipe: Recipe, table: Path | None) -> bool:
    """Tell whether the faces came cut by nobody knows what, so that a file must say how."""
    if recipe.data.preparation or steps.crop != "whole":
        return False
    if table is not None:
        return recorded(table) is None
    from mien.data.readers import READERS

    return READERS[recipe.data.dataset].kind == "faces"


def framed(steps: Preparation, train: FaceTable) -> Preparation:
    """State the framing of faces that came cut: where their points lie on average."""
    points, known = known_points(train)
    if not known.any():
        some = np.linspace(0, len(train) - 1, min(AVERAGED, len(train))).astype(np.int64)
        points, known = known_points(with_points(train[some])[0])
    mean = points[known].mean(axis=0, dtype=np.float64)
    mean = geometry.apply(geometry.scaling(train.images.shape[1:3], steps.size_hw), mean)
    return replace(steps, align="similarity-68", crop="template", template_xy=_tupled(mean))


def known_points(faces: FaceTable) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.bool_]]:
    """Give the points (N, 68, 2) and where they are known (N,)."""
    points = faces.points_xy
    if points is None:
        points = np.zeros((len(faces), POINTS, 2), np.float32)
    return np.asarray(points, np.float32), faces.has_points


def _tupled(points_xy: npt.NDArray[Any]) -> tuple[tuple[float, float], ...]:
    return tuple((round(float(x), 3), round(float(y), 3)) for x, y in points_xy)
