"""From a face in an image to the input of a network: the one copy, for training and prediction."""

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
_OPTIONS: dict[str, tuple[str, ...]] = {
    "align": ("none", "eyes", "similarity-68"),
    "crop": ("box", "eyes-chin", "template"),
    "colour": ("grey", "rgb"),
    "equalize": tuple(_EQUALIZE),
    "normalize": tuple(_NORMALIZE),
}


@dataclass(frozen=True, slots=True)
class Preparation:
    """The steps from a face to a network's input, as data that travels with the network.

    `template_xy` holds 68 points in pixels of `size_hw`; `mean` and `std` a level (0..255) each
    channel.
    """

    size_hw: tuple[int, int]
    align: str = "none"
    crop: str = "box"
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

    def cut(
        self, image: Image, points_xy: Points | None = None, box_xyxy: Box | None = None
    ) -> Image:
        """Align, crop and equalise the face in an image: uint8 (H, W) or (H, W, 3) of `size_hw`."""
        return self.warped(image, self.matrix(points_xy, box_xyxy))

    def warped(self, image: Image, matrix: Floats) -> Image:
        """Cut by a matrix found otherwise, with every step but the alignment."""
        return self._coloured(images.warp(image, matrix, self.size_hw))

    def whole(self, image: Image) -> Image:
        """Take an image that already is one face: change its size, equalise it."""
        return self._coloured(images.resize(image, self.size_hw))

    def normalized(self, images_nhw: Image) -> Inputs:
        """Turn uint8 faces (N, H, W) or (N, H, W, 3) into float32 inputs (N, C, H, W)."""
        inputs = images_nhw.astype(np.float32)
        inputs = inputs[:, None] if inputs.ndim == 3 else inputs.transpose(0, 3, 1, 2)
        return np.ascontiguousarray(_NORMALIZE[self.normalize](inputs, self))

    def matrix(self, points_xy: Points | None = None, box_xyxy: Box | None = None) -> Floats:
        """Find the map (2, 3) from points of the image to points of the crop."""
        if self.crop == "template":
            return geometry.similarity(_needed("points", points_xy), self.template_xy or ())
        turn = np.eye(2, 3)
        if self.align == "eyes":
            turn = _level_eyes(_needed("points", points_xy))
        box = self._box(turn, points_xy, box_xyxy)
        return geometry.compose(turn, geometry.box_to_image(box, self.size_hw))

    def _box(self, turn: Floats, points_xy: Points | None, box_xyxy: Box | None) -> Box:
        if self.crop == "eyes-chin":
            return _eyes_to_chin(geometry.apply(turn, _needed("points", points_xy)))
        x0, y0, x1, y1 = _needed("box", box_xyxy)
        centre = geometry.apply(turn, [[(x0 + x1) / 2, (y0 + y1) / 2]])[0]
        return _widened(centre, x1 - x0, y1 - y0, self.size_hw)

    def _coloured(self, face: Image) -> Image:
        if self.colour == "grey":
            return _EQUALIZE[self.equalize](images.to_grey(face))
        return images.to_rgb(face)

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

    def _check_levels(self) -> None:
        channels = 1 if self.colour == "grey" else 3
        if self.equalize != "none" and channels != 1:
            raise UsageError(f"equalize {self.equalize!r} needs colour 'grey', got 'rgb'")
        given = (len(self.mean or ()), len(self.std or ()))
        if self.normalize == "data-set" and given != (channels, channels):
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


def _widened(centre_xy: Floats, width: float, height: float, size_hw: tuple[int, int]) -> Box:
    """Make the smallest box of that shape that holds width and height, so nothing is stretched."""
    scale = max(height / size_hw[0], width / size_hw[1]) / 2
    x, y = map(float, centre_xy)
    across, down = scale * size_hw[1], scale * size_hw[0]
    return (x - across, y - down, x + across, y + down)


def _needed(what: str, given: Given | None) -> Given:
    if given is None:
        raise UsageError(f"this preparation needs the {what} of the face, got none")
    return given


def _tupled(value: Any) -> Any:
    return tuple(map(_tupled, value)) if isinstance(value, list | tuple) else value
