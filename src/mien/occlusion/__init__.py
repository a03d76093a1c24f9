"""Occluders: things that hide part of a face, by name.

An occluder takes an image, its 68 points and a generator, and gives a copy with something drawn on
it and the mask of the pixels that it covers, whatever tone they had before.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from mien.errors import DataError, UsageError, unknown_name
from mien.occlusion import eyewear, flat, masks
from mien.occlusion.kinds import Draw as Draw
from mien.occlusion.kinds import Image, Mask, Points

_OCCLUDERS: dict[str, Callable[..., Draw]] = {
    "mask-polygon": flat.mask_polygon,
    "eyes": flat.eyes,
    "mouth": flat.mouth,
    "sunglasses": eyewear.sunglasses,
    "surgical": masks.surgical,
}


def names() -> tuple[str, ...]:
    """List the occluders."""
    return tuple(_OCCLUDERS)


def occluder(name: str, **options: Any) -> Draw:
    """Make an occluder; `eyes` and `mouth` take `pad_px`, how far their box exceeds the points.

    Without it that is 3 px for 48 px of the image's shorter side, which fits an image that one face
    fills; on a photograph give it.
    """
    if name not in _OCCLUDERS:
        raise UsageError(unknown_name("occluder", name, names()))
    draw = _make(name, options)

    def checked(image: Image, points_xy: Points, rng: np.random.Generator) -> tuple[Image, Mask]:
        _check(image, points_xy)
        return draw(image, points_xy, rng)

    return checked


def _make(name: str, options: dict[str, Any]) -> Draw:
    try:
        return _OCCLUDERS[name](**options)
    except TypeError as error:
        found = ", ".join(options)
        raise UsageError(f"the occluder {name!r} does not take {found}: {error}") from error


def _check(image: Image, points_xy: Points) -> None:
    if image.dtype != np.uint8 or image.ndim not in (2, 3):
        raise DataError(
            f"an image must be uint8 (H, W) or (H, W, 3), got {image.dtype} {image.shape}"
        )
    if points_xy.shape != (68, 2) or not np.isfinite(points_xy).all():
        raise DataError(
            f"an occluder needs 68 points that are numbers, got {points_xy.shape}"
            f" with {int(np.isnan(points_xy).sum())} missing; fill them with mean points first"
        )
