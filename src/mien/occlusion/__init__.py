"""Occluders: things that hide part of a face, by name.

An occluder takes an image, its 68 points and a generator, and gives a copy with something drawn on
it and the mask of the pixels that it covers, whatever tone they had before. Points outside the
image are no mistake: what is drawn there is cut off.
"""

import inspect
from functools import partial
from typing import Any

import numpy as np

from mien.errors import DataError, UsageError, unknown_name
from mien.occlusion import bank
from mien.occlusion.areas import AREAS
from mien.occlusion.flat import Flat, silhouette
from mien.occlusion.kinds import STYLES, Image, Mask, Points
from mien.occlusion.kinds import Draw as Draw
from mien.occlusion.kinds import Kind as Kind
from mien.occlusion.realistic import REALISTIC

NONE = "none"

OCCLUDERS: dict[str, Kind] = {
    **{name: Kind(partial(Flat, area=area), "flat", area.doc) for name, area in AREAS.items()},
    **REALISTIC,
}


def names(style: str | None = None) -> tuple[str, ...]:
    """List the occluders, or those whose own style is the one named."""
    return tuple(name for name, kind in OCCLUDERS.items() if style in (None, kind.style))


def occluder(
    spec: str,
    *,
    style: str | None = None,
    severity: float = 1.0,
    pad_px: float | None = None,
    pad_share: float | None = None,
    tone: Any = None,
    fixed_size: bool | tuple[int, int] = False,
    photograph: bool = False,
    banked: bool = False,
) -> Draw:
    """Make an occluder from names joined by `+`, drawn in that order; `none` draws nothing.

    Each is drawn in its own style unless told. Flat, a realistic one leaves its silhouette in one
    tone; flat ones have no other style. The other options are those of `mien.occlusion.flat.Flat`;
    `eyes` and `mouth` reach 3 px beyond their points for 48 px of the image's shorter side, which
    fits an image that one face fills; say if it is a `photograph` of more. `banked` takes realistic
    ones from the bank of drawn looks: fast, and fit for such images only.
    """
    asked = {"pad_px": pad_px, "pad_share": pad_share, "tone": tone}
    asked |= {"fixed_size": fixed_size, "photograph": photograph}
    draws = _draws(spec, style, severity, banked, asked)

    def drawn(image: Image, points_xy: Points, rng: np.random.Generator) -> tuple[Image, Mask]:
        _check(image[None], points_xy[None])
        painted, hidden = image.copy(), np.zeros(image.shape[:2], dtype=bool)
        for draw in draws:
            painted, more = draw(painted, points_xy, rng)
            hidden |= more
        return painted, hidden

    return drawn


def batch(
    spec: str,
    images_nhw: Image,
    points_xy: Points,
    seed: int,
    first: int = 0,
    *,
    style: str | None = None,
    severity: float = 1.0,
    banked: bool = False,
    **options: Any,
) -> tuple[Image, Mask]:
    """Draw on copies of images (N, H, W) or (N, H, W, 3); give them and the masks (N, H, W).

    Each comes out as `occluder` draws it with `np.random.default_rng([seed, first + row])`; flat
    ones are drawn all at once.
    """
    draws = _draws(spec, style, severity, banked, options)
    _check(images_nhw, points_xy)
    painted, hidden = np.array(images_nhw), np.zeros(images_nhw.shape[:3], dtype=bool)
    rngs: list[np.random.Generator] = []
    for draw in draws:
        if isinstance(draw, Flat):
            painted, more = draw.many(painted, points_xy)
            hidden |= more
            continue
        rngs = rngs or [np.random.default_rng([seed, first + row]) for row in range(len(painted))]
        for row, rng in enumerate(rngs):
            painted[row], one = draw(painted[row], points_xy[row], rng)
            hidden[row] |= one
    return painted, hidden


def parts(spec: str) -> tuple[str, ...]:
    """Give the names that a spec joins, each checked; none of them for `none`."""
    found = tuple(part.strip() for part in spec.split("+"))
    for name in found:
        if name not in OCCLUDERS and name != NONE:
            raise UsageError(unknown_name("occluder", name, (*names(), NONE)))
    return tuple(name for name in found if name != NONE)


def _draws(
    spec: str, style: str | None, severity: float, banked: bool, options: dict[str, Any]
) -> list[Draw]:
    if style is not None and style not in STYLES:
        raise UsageError(unknown_name("style", style, STYLES))
    if not 0 <= severity <= 1:
        raise UsageError(f"severity must lie between 0 and 1, got {severity}")
    given = {
        name: value for name, value in options.items() if value is not None and value is not False
    }
    draws = [_draw(name, style, banked, {**given, "severity": severity}) for name in parts(spec)]
    return draws if severity else []


def _draw(name: str, style: str | None, banked: bool, options: dict[str, Any]) -> Draw:
    kind = OCCLUDERS[name]
    if style not in (None, kind.style) and kind.style == "flat":
        realistic = ", ".join(names("realistic"))
        raise UsageError(f"the occluder {name!r} is flat; realistic are {realistic}")
    flattened = style not in (None, kind.style)
    tone = options.pop("tone", None) if flattened else None
    taken = inspect.signature(kind.make).parameters
    if "photograph" not in taken:  # what is realistic goes by the face in any image
        options.pop("photograph", None)
    unknown = [option for option in options if option not in taken]
    if unknown:
        raise UsageError(f"the occluder {name!r} does not take {', '.join(unknown)}; leave it out")
    draw = bank.banked(name, **options) if banked and name in REALISTIC else kind.make(**options)
    return silhouette(draw, tone) if flattened else draw


def _check(images_nhw: Image, points_xy: Points) -> None:
    colours = images_nhw.shape[3:]
    if images_nhw.dtype != np.uint8 or images_nhw.ndim < 3 or colours not in ((), (3,)):
        raise DataError(
            f"an image must be uint8 (H, W) or (H, W, 3), got {images_nhw.dtype}"
            f" {images_nhw.shape[1:]}"
        )
    expected = (len(images_nhw), 68, 2)
    if points_xy.shape != expected:
        raise DataError(f"an occluder needs points of shape {expected}, got {points_xy.shape}")
    broken = np.flatnonzero(~np.isfinite(points_xy).all(axis=(1, 2)))
    if len(broken):
        raise DataError(
            f"an occluder needs 68 points that are numbers; those of {len(broken)} of"
            f" {len(points_xy)} faces are not, row {broken[0]} first: find them, or fill them with"
            " mean points, first"
        )
