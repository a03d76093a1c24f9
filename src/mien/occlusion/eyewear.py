"""Sunglasses and spectacles."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from mien import geometry
from mien.occlusion.head import Light, Plan, drawn
from mien.occlusion.kinds import Draw, Mask, Points
from mien.occlusion.painting import Box, Floats, Look, Places, box_around, layered

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
TINTS = ((60, 36, 18), (24, 26, 30), (24, 44, 34), (104, 48, 60), (124, 86, 20), (24, 42, 82))
# Sky, horizon and ground as a mirror shows them.
MIRRORS = (
    ((96, 132, 176), (226, 232, 236), (64, 62, 58)),
    ((206, 104, 40), (250, 214, 130), (90, 40, 36)),
    ((40, 90, 190), (150, 214, 236), (36, 40, 90)),
    ((150, 156, 162), (244, 246, 248), (52, 54, 58)),
    ((60, 130, 96), (222, 230, 140), (40, 60, 60)),
)
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
    opacity: float = 1.0
    mirror: Floats | None = None
    thin: float = 1.0  # of the usual width of bridge and temples

    def scaled(self, severity: float) -> "Style":
        """Make the lenses smaller and the frame thinner."""
        return replace(
            self,
            width=self.width * severity,
            height=self.height * severity,
            thin=self.thin * severity,
        )


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


def sunglasses(*, severity: float = 1.0) -> Draw:
    """Put on sunglasses of a random make: two opaque lenses, some graded, a bridge and temples.

    A lower severity makes the lenses smaller.
    """
    return drawn(plan, severity)


def sunglasses_tinted(*, severity: float = 1.0) -> Draw:
    """Put on sunglasses through which the eyes can be seen."""
    return drawn(plan_tinted, severity)


def sunglasses_reflecting(*, severity: float = 1.0) -> Draw:
    """Put on mirrored sunglasses that show sky and ground."""
    return drawn(plan_reflecting, severity)


def glasses(*, severity: float = 1.0) -> Draw:
    """Put on spectacles: thin rims, clear lenses on which at most a window gleams."""
    return drawn(plan_glasses, severity)


def _planned(style: Callable[[np.random.Generator, float], Style]) -> Plan:
    def plan(
        points_xy: Points, light: Light, rng: np.random.Generator, severity: float
    ) -> tuple[Box, Look]:
        made = style(rng, light.level).scaled(severity)
        points = points_xy.astype(np.float64)
        lenses = [_lens(points, side, made) for side in (0, 1)]
        size = float(np.hypot(*(lenses[1].centre - lenses[0].centre)))
        corners = [
            lens.rim_point(across, down)
            for lens in lenses
            for across in (-1, 1)
            for down in (-1, 1)
        ]
        box = box_around([*corners, *(lens.temple for lens in lenses)], 0.25 * size)
        return box, lambda places: _look(places, lenses, made, size * made.thin)

    return plan


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


def _tinted(rng: np.random.Generator, light: float) -> Style:
    style, tint = _style(rng, light), TINTS[rng.integers(len(TINTS))]
    return replace(
        style,
        lens=np.array(tint) * light,
        graded=style.graded * 0.6,
        opacity=rng.uniform(0.5, 0.72),
    )


def _reflecting(rng: np.random.Generator, light: float) -> Style:
    style, mirror = _style(rng, light), MIRRORS[rng.integers(len(MIRRORS))]
    return replace(style, mirror=np.array(mirror) * light, rim=0.6 * style.rim)


def _clear(rng: np.random.Generator, light: float) -> Style:
    style = _style(rng, light)
    return replace(
        style,
        width=0.9 * style.width,
        height=0.9 * style.height,
        lens=np.array([236.0, 242.0, 246.0]) * light,
        graded=0.0,
        rim=rng.uniform(0.06, 0.13),
        opacity=0.0,
        gleam=float(rng.choice([0.0, 0.2, 0.4])),
        thin=0.7,
    )


plan = _planned(_style)
plan_tinted = _planned(_tinted)
plan_reflecting = _planned(_reflecting)
plan_glasses = _planned(_clear)


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
        inside = radius <= 1
        if style.opacity < 1:
            # What is seen through a lens is the face, not the frame under it.
            layers = [(np.where(inside, 0.0, alpha), tone) for alpha, tone in layers]
            rim = (radius <= 1 + style.rim) & ~inside
        else:
            rim = radius <= 1 + style.rim
        layers.append((rim.astype(float), style.frame))
        layers.append((inside * _opacity(across, below, style), _tint(across, below, style)))
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


def _opacity(across: Floats, below: Floats, style: Style) -> Floats | float:
    """Let a lens hide what lies behind it; a clear one does so where a window gleams on it."""
    if style.opacity:
        return style.opacity
    return style.gleam * _window(across, below)


def _window(across: Floats, below: Floats) -> Floats:
    band = np.exp(-(((0.7 * across + 0.7 * below + 0.45) / 0.22) ** 2))
    return np.asarray(band * (below < 0.35))


def _tint(across: Floats, below: Floats, style: Style) -> Floats:
    """Fade the lens downwards and let a window gleam on it."""
    if style.mirror is not None:
        return _mirrored(across, below, style.mirror)
    fade = style.graded * np.clip((below + 1) / 2, 0, 1)[..., None]
    tone = style.lens + fade * (np.array(PALE) - style.lens)
    if not style.opacity:
        return np.broadcast_to(style.lens, (*across.shape, 3))
    return np.asarray(tone + style.gleam * _window(across, below)[..., None])


def _mirrored(across: Floats, below: Floats, mirror: Floats) -> Floats:
    """Reflect a bright sky that pales towards the horizon, the ground, and trees between."""
    sky, horizon, ground = mirror
    line = 0.22 + 0.12 * across**2 + 0.07 * np.sin(9 * across) + 0.05 * np.sin(23 * across + 1)
    pale = np.clip((below + 1) / (line + 1), 0, 1)[..., None] ** 2
    above = sky + pale * (horizon - sky)
    under = ground * (1 + 0.5 * np.clip(below - line, 0, 1))[..., None]
    tone = np.where((below < line)[..., None], above, under)
    return np.asarray(tone + 60 * _window(across + 0.3, below)[..., None])
