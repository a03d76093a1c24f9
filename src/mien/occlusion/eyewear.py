"""Sunglasses."""

from dataclasses import dataclass

import numpy as np

from mien import geometry
from mien.occlusion.kinds import Draw, Image, Mask, Points
from mien.occlusion.painting import Floats, Places, box_around, exposure, layered, paint

BRIDGE, TEMPLES = 27, (0, 16)
# Width and height of a lens in parts of the way from the bridge to the eye; how square its outline
# is (2 is an ellipse); how much wider it is above than below.
SHAPES = (
    (0.84, 0.70, 3.4, 0.12),
    (0.80, 0.80, 2.0, 0.00),
    (0.86, 0.86, 2.5, 0.20),
    (0.88, 0.60, 4.5, 0.04),
)
LENSES = ((16, 17, 20), (44, 29, 20), (27, 38, 31), (24, 31, 52), (78, 78, 84))
FRAMES = ((14, 14, 15), (62, 38, 22), (120, 102, 62), (60, 62, 66))
PALE = (172, 160, 146)  # what a graded lens tends to at its lower rim


@dataclass(frozen=True)
class Style:
    """What one pair looks like; `graded` is how far a lens fades below, `rim` parts of a lens."""

    width: float
    height: float
    power: float
    taper: float
    lens: Floats
    frame: Floats
    graded: float
    rim: float
    gleam: float


@dataclass(frozen=True)
class _Lens:
    centre: Floats
    outward: Floats
    down: Floats
    half_width: float
    half_height: float
    temple: Floats

    def rim_point(self, across: float, down: float) -> Floats:
        return (
            self.centre
            + self.outward * across * self.half_width
            + self.down * down * self.half_height
        )


def sunglasses() -> Draw:
    """Put on sunglasses of a random make: two opaque lenses, some graded, a bridge and temples."""

    def draw(image: Image, points_xy: Points, rng: np.random.Generator) -> tuple[Image, Mask]:
        style = _style(rng, exposure(image, points_xy))
        points = points_xy.astype(np.float64)
        lenses = [_lens(points, side, style) for side in (0, 1)]
        size = float(np.hypot(*(lenses[1].centre - lenses[0].centre)))
        corners = [
            lens.rim_point(across, down)
            for lens in lenses
            for across in (-1, 1)
            for down in (-1, 1)
        ]
        box = box_around([*corners, *(lens.temple for lens in lenses)], 0.25 * size)
        return paint(image, box, lambda places: _look(places, lenses, style, size))

    return draw


def _style(rng: np.random.Generator, light: float) -> Style:
    width, height, power, taper = SHAPES[rng.integers(len(SHAPES))]
    return Style(
        width=width * rng.uniform(0.95, 1.05),
        height=height * rng.uniform(0.92, 1.08),
        power=power,
        taper=taper,
        lens=np.array(LENSES[rng.integers(len(LENSES))]) * light,
        frame=np.array(FRAMES[rng.integers(len(FRAMES))]) * light,
        graded=float(rng.choice([0.0, 0.0, rng.uniform(0.15, 0.45)])),
        rim=rng.uniform(0.05, 0.16),
        gleam=rng.uniform(0.0, 55.0) * light,
    )


def _lens(points: Floats, side: int, style: Style) -> _Lens:
    """Place the lens before the eye that lies left (0) or right (1) in an upright picture."""
    eyes = [points[geometry.RIGHT_EYE].mean(0), points[geometry.LEFT_EYE].mean(0)]
    apart = max(float(np.hypot(*(eyes[1] - eyes[0]))), 1e-6)
    axis = (eyes[1] - eyes[0]) / apart
    outward = axis * (2 * side - 1)
    down = np.array([-axis[1], axis[0]])
    # On a turned head the eye behind the nose is nearer to the bridge, and its lens narrower.
    reach = max(float((eyes[side] - points[BRIDGE]) @ outward), 0.15 * apart)
    return _Lens(
        centre=eyes[side] + outward * 0.1 * reach + down * 0.06 * apart,
        outward=outward,
        down=down,
        half_width=style.width * reach,
        half_height=style.height * apart / 2,
        temple=points[TEMPLES[side]] - down * 0.06 * apart,
    )


def _look(places: Places, lenses: list[_Lens], style: Style, size: float) -> tuple[Floats, Floats]:
    frame = _bridge(places, lenses, size)
    for lens in lenses:
        frame |= places.near(lens.rim_point(0.9, -0.45), lens.temple, (0.09 * size, 0.05 * size))
    layers = [(frame.astype(float), style.frame)]
    for lens in lenses:
        across, below, radius = _within(places, lens, style)
        layers.append(((radius <= 1 + style.rim).astype(float), style.frame))
        layers.append(((radius <= 1).astype(float), _tint(across, below, style)))
    nothing = (np.zeros(frame.shape), np.zeros((*frame.shape, 3)))
    return layered(nothing, *layers)


def _bridge(places: Places, lenses: list[_Lens], size: float) -> Mask:
    """Arch from lens to lens over the nose."""
    right, left = (lens.rim_point(-0.92, -0.3) for lens in lenses)
    top = (right + left) / 2 - lenses[0].down * 0.05 * size
    width = (0.07 * size, 0.06 * size)
    return places.near(right, top, width) | places.near(left, top, width)


def _within(places: Places, lens: _Lens, style: Style) -> tuple[Floats, Floats, Floats]:
    """Give the place across and down the lens, its rim at 1, and the distance in that measure."""
    below = places.along(lens.down, lens.centre) / lens.half_height
    widening = 1 - style.taper * np.clip(below, -1.2, 1.2)
    across = places.along(lens.outward, lens.centre) / (lens.half_width * widening)
    radius = (np.abs(across) ** style.power + np.abs(below) ** style.power) ** (1 / style.power)
    return across, below, radius


def _tint(across: Floats, below: Floats, style: Style) -> Floats:
    """Fade the lens downwards and let a window gleam on it."""
    fade = style.graded * np.clip((below + 1) / 2, 0, 1)[..., None]
    tone = style.lens + fade * (np.array(PALE) - style.lens)
    band = np.exp(-(((0.7 * across + 0.7 * below + 0.45) / 0.22) ** 2))
    return np.asarray(tone + style.gleam * (band * (below < 0.35))[..., None])
