"""Occluders drawn at random on training faces, and which regions they hide.

Shapes, colours, textures and edges vary widely, so that a network meets masks, hands and
glasses it has never seen with the habit of looking elsewhere. Sunglasses and pleated
surgical masks are never drawn here: they are kept to judge the habit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from mien import occlusion
from mien.errors import UsageError
from mien.occlusion.flat import MASK_CORNERS, MASK_GREY
from mien.occlusion.regions import HIDDEN_FROM, VISIBLE_TO, covered_shares
from mien.occlusion.shapes import box_mask, polygon_mask

Points = npt.NDArray[np.float32]
Pixels = npt.NDArray[np.uint8]
Cover = npt.NDArray[np.bool_]
Shape = Callable[[Points, int, np.random.Generator], Cover]

KINDS = ("flat", "realistic")
TINT = 25.0  # how far the colours of a fill lie from grey


@dataclass(frozen=True)
class Hiding:
    """How often training faces lose a part; the shares are probabilities a face.

    occluders: of `mien occluders`, joined by + where several hide one face; a share `flat` of the
    faces gets one of the flat ones, a share `realistic` one of the realistic ones.
    """

    flat_mask: float = 0.0
    mask: float = 0.0
    eyes: float = 0.0
    mouth: float = 0.0
    half: float = 0.0
    blocks: float = 0.0
    glasses: float = 0.0
    hand: float = 0.0
    occluders: tuple[str, ...] = ()
    flat: float = 0.0
    realistic: float = 0.0

    def __post_init__(self) -> None:
        for share in (*SHAPES, *KINDS):
            if not 0 <= getattr(self, share) <= 1:
                found = getattr(self, share)
                raise UsageError(f"hiding.{share} must be a share from 0 to 1, got {found}")
        for kind in KINDS:
            if getattr(self, kind) and not self.named(kind):
                raise UsageError(
                    f"hiding.{kind} is a share of faces, but hiding.occluders names none that is"
                    f" {kind}; known: {', '.join(occlusion.names(kind))}"
                )
        if self.occluders and not any(getattr(self, kind) for kind in KINDS):
            raise UsageError("hiding.occluders needs a share of faces: hiding.flat or .realistic")

    def named(self, kind: str) -> tuple[str, ...]:
        """Give the occluders of a kind; one joined of several is realistic if any of them is."""
        realistic = occlusion.names("realistic")
        found = {spec: "flat" for spec in self.occluders}
        for spec in found:
            if any(part in realistic for part in occlusion.parts(spec)):
                found[spec] = "realistic"
        return tuple(spec for spec, its in found.items() if its == kind)

    @property
    def nothing(self) -> bool:
        """Whether no face loses anything."""
        return not any(getattr(self, share) for share in (*SHAPES, *KINDS))


def _box(points: Points, pads: npt.NDArray[np.floating], side: int) -> Cover:
    (left, top), (right, bottom) = points.min(0) - pads[:2], points.max(0) + pads[2:]
    return box_mask((float(left), float(top), float(right), float(bottom)), (side, side))


def _ellipse(centre: Points, radii: Points, angle: float, side: int) -> Cover:
    y, x = np.mgrid[:side, :side].astype(np.float32)
    dx, dy = x - centre[0], y - centre[1]
    c, s = np.cos(angle), np.sin(angle)
    inside: Cover = ((c * dx + s * dy) / radii[0]) ** 2 + ((c * dy - s * dx) / radii[1]) ** 2 <= 1
    return inside


def _flat_mask(points: Points, side: int, rng: np.random.Generator) -> Cover:
    """Follow the jaw as `mask-polygon` does: its outline shows how far a mouth is open."""
    return polygon_mask(points[MASK_CORNERS], (side, side))


def _mask(points: Points, side: int, rng: np.random.Generator) -> Cover:
    first = int(rng.integers(1, 4))
    top = points[int(rng.integers(27, 31))] + rng.normal(0, 1, 2)
    jaw = points[first : 17 - first] + rng.normal(0, 1, 2)
    middle = points[27:36].mean(0)
    jaw = middle + (jaw - middle) * rng.uniform(0.95, 1.15)
    if rng.random() < 0.35:
        nose_sides = (points[[40, 47]] + points[[31, 35]]) / 2
        jaw = np.vstack([nose_sides[:1], jaw, nose_sides[1:]])
    return polygon_mask(np.vstack([jaw, top[None]]), (side, side))


def _scarf(points: Points, side: int, rng: np.random.Generator) -> Cover:
    top = points[30] + (points[51] - points[30]) * rng.uniform(-0.6, 0.6)
    slope = np.float32(rng.normal(0, 0.12))
    rows, columns = np.ogrid[:side, :side]
    cover: Cover = rows >= top[1] + slope * (columns - top[0])
    return cover


def _lower(points: Points, side: int, rng: np.random.Generator) -> Cover:
    return (_scarf if rng.random() < 0.3 else _mask)(points, side, rng)


def _eye_bar(points: Points, side: int, rng: np.random.Generator) -> Cover:
    pads = rng.uniform(0.5, 5.0, 4) * side / 48
    chosen = points[36:48] if rng.random() < 0.7 else points[17:48]
    return _box(chosen, pads, side)


def _mouth_box(points: Points, side: int, rng: np.random.Generator) -> Cover:
    pads = rng.uniform(0.5, 5.0, 4) * side / 48
    if rng.random() < 0.6:
        return _box(points[48:], pads, side)
    lips = points[48:]
    radii = (lips.max(0) - lips.min(0)) / 2 + pads[:2] + 2
    return _ellipse(lips.mean(0), radii, rng.normal(0, 0.2), side)


def _half(points: Points, side: int, rng: np.random.Generator) -> Cover:
    rows, columns = np.ogrid[:side, :side]
    which = rng.integers(3)
    bridge = points[28]
    if which == 0:
        upper: Cover = (rows <= bridge[1] + rng.uniform(0, 6)) & (columns >= 0)
        return upper
    line = columns - bridge[0] + rng.normal(0, 0.15) * (rows - bridge[1])
    left: Cover = line < 0 if which == 1 else line > 0
    return left


def _blocks(points: Points, side: int, rng: np.random.Generator) -> Cover:
    cover = np.zeros((side, side), dtype=bool)
    for _ in range(rng.integers(1, 4)):
        height, width = rng.uniform(0.1, 0.42, 2) * side
        y, x = rng.uniform(-0.1, 1.0, 2) * side
        rows, columns = np.ogrid[:side, :side]
        cover |= (rows >= y) & (rows < y + height) & (columns >= x) & (columns < x + width)
    return cover


def _hand(points: Points, side: int, rng: np.random.Generator) -> Cover:
    """Lay a palm and some fingers from a random direction over a random place of the face."""
    centre = points[rng.integers(17, 68)] + rng.normal(0, 3, 2)
    angle = rng.uniform(0, np.pi)
    size = rng.uniform(0.12, 0.24) * side
    cover = _ellipse(centre, np.array([size, size * 0.8], np.float32), angle, side)
    along = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-along[1], along[0]])
    for finger in range(rng.integers(0, 5)):
        at = centre + along * size * 1.4 + across * size * (finger - 1.5) * 0.45
        radii = np.array([size * 0.95, size * 0.22], np.float32)
        cover |= _ellipse(at.astype(np.float32), radii, angle + rng.normal(0, 0.08), side)
    return cover


def _frames(points: Points, side: int, rng: np.random.Generator) -> Cover:
    """Draw the rims and bridge of clear glasses: the eyes stay visible."""
    width = rng.uniform(0.8, 2.0) * side / 48
    pad = rng.uniform(2.0, 4.0) * side / 48
    rim = _oval if rng.random() < 0.5 else _box
    cover = _bridge(points[39], points[42], width, side)
    for eye in (points[36:42], points[42:48]):
        cover |= rim(eye, np.full(4, pad), side) & ~rim(eye, np.full(4, pad - width), side)
    return cover


def _oval(points: Points, pads: npt.NDArray[np.floating], side: int) -> Cover:
    low, high = points.min(0) - pads[:2], points.max(0) + pads[2:]
    return _ellipse((low + high) / 2, (high - low) / 2, 0.0, side)


def _bridge(start: Points, end: Points, width: float, side: int) -> Cover:
    along = end - start
    across = np.array([-along[1], along[0]]) / max(float(np.hypot(*along)), 1e-6) * width / 2
    corners = np.stack([start - across, end - across, end + across, start + across])
    return polygon_mask(corners, (side, side))


SHAPES: dict[str, Shape] = {
    "flat_mask": _flat_mask,
    "mask": _lower,
    "eyes": _eye_bar,
    "mouth": _mouth_box,
    "half": _half,
    "blocks": _blocks,
    "glasses": _frames,
    "hand": _hand,
}


def _texture(image: Pixels, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """Fill with a flat tone, a shading, stripes, grain or the face's own skin tone."""
    side = len(image)
    tone = np.float32(rng.uniform(0, 255) if rng.random() < 0.75 else np.median(image))
    fill = np.full((side, side), tone, dtype=np.float32)
    if rng.random() < 0.4:
        return fill
    kind = rng.random()
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    if kind < 0.45:
        slope = rng.normal(0, 0.8, 2)
        fill += (columns - side / 2) * slope[0] + (rows - side / 2) * slope[1]
    elif kind < 0.60:
        wave = rng.uniform(0.15, 1.2, 2) * rng.choice([-1, 1], 2)
        fill += rng.uniform(8, 60) * np.sin(columns * wave[0] + rows * wave[1])
    if rng.random() < 0.35:
        fill += rng.normal(0, rng.uniform(2, 30), (side, side)).astype(np.float32)
    return np.clip(fill, 0, 255)


def _fill(image: Pixels, shape: str, rng: np.random.Generator) -> npt.NDArray[np.float32]:
    if shape != "flat_mask":
        return _texture(image, rng)
    tone = np.clip(rng.normal(MASK_GREY, 40), 0, 255)
    return np.full(image.shape[:2], tone, dtype=np.float32)


def hide(
    image: Pixels, points: Points, shape: str, rng: np.random.Generator
) -> tuple[Pixels, Cover]:
    """Draw one random occluder of the named shape on a face (H, H) or (H, H, 3).

    It lets nothing through: a network would learn to read what shines through.
    """
    cover = SHAPES[shape](points, len(image), rng)
    fill = _fill(image, shape, rng)
    if image.ndim == 2:
        return np.where(cover, fill, image).astype(np.uint8), cover
    tinted = np.clip(fill[:, :, None] + rng.normal(0, TINT, 3), 0, 255)
    return np.where(cover[:, :, None], tinted, image).astype(np.uint8), cover


def region_states(cover: Cover, points: Points) -> npt.NDArray[np.float32]:
    """Say for eyes and mouth: 1 hidden, 0 visible, nan in between."""
    shares = np.array(list(covered_shares(cover, points).values()))
    return np.where(shares >= HIDDEN_FROM, 1.0, np.where(shares <= VISIBLE_TO, 0.0, np.nan)).astype(
        np.float32
    )


def hide_at_random(
    image: Pixels, points: Points, settings: Hiding, rng: np.random.Generator
) -> tuple[Pixels, npt.NDArray[np.float32]]:
    """Draw each kind of occluder with its share; return the face and its region states."""
    total = np.zeros(image.shape[:2], dtype=bool)
    for shape in SHAPES:
        if rng.random() < getattr(settings, shape):
            image, cover = hide(image, points, shape, rng)
            # Rims lie on the lids without hiding the eyes.
            total |= cover if shape != "glasses" else False
    for kind in KINDS:
        if getattr(settings, kind) and rng.random() < getattr(settings, kind):
            specs = settings.named(kind)
            spec = specs[rng.integers(len(specs))]
            image, cover = _drawn(spec)(image, points, rng)
            total |= cover if spec != "glasses" else False
    return image, region_states(total, points)


@lru_cache(maxsize=256)
def _drawn(spec: str) -> occlusion.Draw:
    return occlusion.occluder(spec, banked=True)
