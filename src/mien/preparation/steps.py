"""The steps from a face in an image to the input of a network, and their settings."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien import geometry, images
from mien.errors import InputError, UsageError, unknown_name
from mien.geometry import Box, Floats
from mien.images import Image, equalize

Points = NDArray[Any]
Inputs = NDArray[np.float32]
Given = TypeVar("Given")

# How far above the eyes the crop `eyes-chin` begins, in distances between the eyes.
_BROW_ROOM = 0.6
_CHIN, _JAW_RIGHT, _JAW_LEFT = 8, 0, 16
_CUT_BY_POINTS = ("eyes-chin", "template")

_EQUALIZE: dict[str, Callable[[Image], Image]] = {
    "none": lambda image: image,
    "histogram": equalize.histogram,
    "clahe": equalize.clahe,
}
_NORMALIZE: dict[str, Callable[[Inputs, "Preparation"], Inputs]] = {
    "none": lambda inputs, _: inputs,
    "unit": lambda inputs, _: inputs / np.float32(255),
    "symmetric": lambda inputs, _: inputs / np.float32(127.5) - 1,
    "per-image": lambda inputs, _: _per_image(inputs),
    "data-set": lambda inputs, own: (inputs - _levels(own.mean)) / _levels(own.std),
}
NORMALIZATIONS = tuple(_NORMALIZE)
_OPTIONS: dict[str, tuple[str, ...]] = {
    "align": ("none", "eyes", "similarity-68"),
    "crop": ("box", "whole", "eyes-chin", "template"),
    "centre": ("none", "points"),
    "interpolation": images.INTERPOLATIONS,
    "colour": ("grey", "rgb"),
    "equalize": tuple(_EQUALIZE),
    "normalize": NORMALIZATIONS,
}


@dataclass(frozen=True, slots=True)
class Preparation:
    """The steps from a face to a network's input, as data that travels with the network.

    crop `box` is the detector's, widened to the shape of `size_hw`; `whole` the image; `eyes-chin`
    from 0.6 eye distances above the eyes to the chin; `template` what `template_xy` fits. centre
    `points` moves a box so that the points' middle is its own. align `eyes` turns the face until
    they are level, and the crop is taken from the turned image.
    `template_xy` holds 68 points in pixels of `size_hw`; `mean` and `std` a level (0..255) each
    channel, None until they are fitted on the training faces.
    """

    size_hw: tuple[int, int]
    align: str = "none"
    crop: str = "box"
    centre: str = "none"
    interpolation: str = "auto"
    colour: str = "grey"
    equalize: str = "none"
    normalize: str = "none"
    template_xy: tuple[tuple[float, float], ...] | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        for step, known in _OPTIONS.items():
            if getattr(self, step) not in known:
                raise UsageError(unknown_name(step, str(getattr(self, step)), known))
        self._check_size()
        self._check_template()
        self._check_levels()

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> "Preparation":
        """Make one from what `to_json` gave; sequences may be lists."""
        known = [field.name for field in fields(cls)]
        for name in values:
            if name not in known:
                raise UsageError(unknown_name("step of preparation", name, known))
        if "size_hw" not in values:
            raise UsageError("a preparation needs size_hw, found none")
        return cls(**{name: _tupled(value) for name, value in values.items()})

    def to_json(self) -> dict[str, Any]:
        """Give plain values."""
        return asdict(self)

    @property
    def needs_points(self) -> bool:
        """Tell whether a face can be cut only by its 68 points."""
        return (self.align, self.centre) != ("none", "none") or self.crop in _CUT_BY_POINTS

    @property
    def needs_box(self) -> bool:
        """Tell whether a face can be cut only by the box that a detector found."""
        return self.crop == "box"

    @property
    def is_fitted(self) -> bool:
        """Tell whether nothing of the data set is missing."""
        return self.normalize != "data-set" or bool(self.mean)

    def cut(
        self, image: Image, points_xy: Points | None = None, box_xyxy: Box | None = None
    ) -> Image:
        """Align, crop and equalise the face in an image: uint8 (H, W) or (H, W, 3) of `size_hw`."""
        if self.crop == "whole" and not self.needs_points:
            return self.whole(image)
        return self.warped(image, self.matrix(points_xy, box_xyxy, image.shape[:2]))

    def warped(self, image: Image, matrix: Floats) -> Image:
        """Cut by a matrix found otherwise, with every step but the alignment."""
        how = self.interpolation
        return self._finished(
            images.warp(self._greyed(image), matrix, self.size_hw, interpolation=how)
        )

    def whole(self, image: Image, points_xy: Points | None = None) -> Image:
        """Take an image that already is one face: change its size, equalise it.

        Points, where they are known, level its eyes, centre it and cut it to `eyes-chin`; the
        framing of `template` it is taken to have.
        """
        if self._goes_by(points_xy):
            return self.warped(image, self.whole_matrix(image.shape[:2], points_xy))
        how = self.interpolation
        return self._finished(images.resize(self._greyed(image), self.size_hw, interpolation=how))

    def whole_matrix(self, image_hw: tuple[int, int], points_xy: Points | None = None) -> Floats:
        """Find the map (2, 3) from points of an image taken whole to points of the crop."""
        if not self._goes_by(points_xy):
            return geometry.scaling(image_hw, self.size_hw)
        return self.matrix(points_xy, _edges(image_hw), image_hw)

    def normalized(self, images_nhw: Image) -> Inputs:
        """Turn uint8 faces (N, H, W) or (N, H, W, 3) into float32 inputs (N, C, H, W)."""
        if not self.is_fitted:
            raise UsageError("normalize 'data-set' needs mean and std; fit them on training faces")
        inputs = images_nhw.astype(np.float32)
        inputs = inputs[:, None] if inputs.ndim == 3 else inputs.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(_NORMALIZE[self.normalize](inputs, self))

    def matrix(
        self,
        points_xy: Points | None = None,
        box_xyxy: Box | None = None,
        image_hw: tuple[int, int] | None = None,
    ) -> Floats:
        """Find the map (2, 3) from points of the image to points of the crop.

        Crop `whole` needs the size of the image in place of a box.
        """
        if self.crop == "template":
            return geometry.similarity(_needed("points", points_xy), self.template_xy or ())
        turn = np.eye(2, 3)
        if self.align == "eyes":
            turn = _level_eyes(_needed("points", points_xy))
        if self.crop == "whole":
            box_xyxy = _edges(_needed("size", image_hw))
        box = self._box(turn, points_xy, box_xyxy)
        return geometry.compose(turn, geometry.box_to_image(box, self.size_hw))

    def _box(self, turn: Floats, points_xy: Points | None, box_xyxy: Box | None) -> Box:
        if self.crop == "eyes-chin":
            return _eyes_to_chin(geometry.apply(turn, _needed("points", points_xy)))
        box = _needed("box", box_xyxy)
        centre = geometry.apply(turn, [_middle(box)])[0]
        if self.centre == "points":
            turned = geometry.apply(turn, _needed("points", points_xy))
            centre = np.array(_middle(geometry.bounding_box(turned)))
        height, width = box[3] - box[1], box[2] - box[0]
        if self.crop == "box":
            height, width = _widened(height, width, self.size_hw)
        x, y = map(float, centre)
        return (x - width / 2, y - height / 2, x + width / 2, y + height / 2)

    def _goes_by(self, points_xy: Points | None) -> bool:
        return points_xy is not None and self.needs_points and self.crop != "template"

    def _greyed(self, image: Image) -> Image:
        """Take the colour away first: then grey photographs and coloured ones come out alike."""
        return images.to_grey(image) if self.colour == "grey" else image

    def _finished(self, face: Image) -> Image:
        return images.to_rgb(face) if self.colour == "rgb" else _EQUALIZE[self.equalize](face)

    def _check_size(self) -> None:
        height, width = self.size_hw
        if min(height, width) < 1:
            raise UsageError(f"size_hw must be two sides of at least 1, got {self.size_hw}")

    def _check_template(self) -> None:
        if (self.align == "similarity-68") != (self.crop == "template"):
            raise UsageError(
                f"align 'similarity-68' and crop 'template' go together, got align {self.align!r}"
                f" and crop {self.crop!r}"
            )
        if self.crop == "template" and np.shape(self.template_xy or ()) != (68, 2):
            shape = np.shape(self.template_xy or ())
            raise UsageError(f"crop 'template' needs template_xy of shape (68, 2), got {shape}")
        if self.centre != "none" and self.crop in _CUT_BY_POINTS:
            raise UsageError(
                f"centre {self.centre!r} needs crop 'box' or 'whole', got {self.crop!r}"
            )

    def _check_levels(self) -> None:
        channels = 1 if self.colour == "grey" else 3
        if self.equalize != "none" and channels != 1:
            raise UsageError(f"equalize {self.equalize!r} needs colour 'grey', got 'rgb'")
        given = (len(self.mean or ()), len(self.std or ()))
        if self.normalize == "data-set" and given not in ((0, 0), (channels, channels)):
            raise UsageError(
                f"normalize 'data-set' needs mean and std of {channels} level(s) each, got {given}"
            )


def _per_image(inputs: Inputs) -> Inputs:
    """Bring each image to mean 0 and deviation 1; a flat one is not blown up."""
    axes = (1, 2, 3)
    deviation = inputs.std(axis=axes, keepdims=True)
    scaled: Inputs = (inputs - inputs.mean(axis=axes, keepdims=True)) / np.maximum(deviation, 1)
    return scaled


def _levels(values: tuple[float, ...] | None) -> Inputs:
    return np.array(values, np.float32)[:, None, None]


def _level_eyes(points_xy: Points) -> Floats:
    """Turn about the middle between the eyes until they are level."""
    right, left = _eyes(points_xy)
    across, down = left - right
    return geometry.rotation(-float(np.arctan2(down, across)), (right + left) / 2)


def _eyes_to_chin(points_xy: Points) -> Box:
    right, left = _eyes(points_xy)
    top = (right[1] + left[1]) / 2 - _BROW_ROOM * np.hypot(*(left - right))
    box = (points_xy[_JAW_RIGHT, 0], top, points_xy[_JAW_LEFT, 0], points_xy[_CHIN, 1])
    if box[0] >= box[2] or box[1] >= box[3]:
        raise InputError("the face is turned too far for crop 'eyes-chin'; use another crop")
    x0, y0, x1, y1 = map(float, box)
    return (x0, y0, x1, y1)


def _eyes(points_xy: Points) -> tuple[Floats, Floats]:
    points = np.asarray(points_xy, np.float64)
    return points[geometry.RIGHT_EYE].mean(axis=0), points[geometry.LEFT_EYE].mean(axis=0)


def _edges(image_hw: tuple[int, int]) -> Box:
    return (-0.5, -0.5, image_hw[1] - 0.5, image_hw[0] - 0.5)


def _middle(box_xyxy: Box) -> tuple[float, float]:
    x0, y0, x1, y1 = box_xyxy
    return ((x0 + x1) / 2, (y0 + y1) / 2)


def _widened(height: float, width: float, size_hw: tuple[int, int]) -> tuple[float, float]:
    """Make the smallest box of that shape that holds height and width: nothing is stretched."""
    scale = max(height / size_hw[0], width / size_hw[1])
    return scale * size_hw[0], scale * size_hw[1]


def _needed(what: str, given: Given | None) -> Given:
    if given is None:
        owner = "image" if what == "size" else "face"
        raise UsageError(f"this preparation needs the {what} of the {owner}, got none")
    return given


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list | tuple) else value
