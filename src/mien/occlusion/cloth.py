"""What is sewn and lies over mouth and nose: cloth masks and scarves."""

from dataclasses import dataclass

import numpy as np

from mien.occlusion.head import BRIDGE, CHIN, NOSE_BASE, NOSE_TIP, Head, Light, drawn
from mien.occlusion.kinds import Draw, Points
from mien.occlusion.painting import (
    Box,
    Floats,
    Look,
    Places,
    box_around,
    directions,
    height_at,
    layered,
    rounded,
)
from mien.occlusion.patterns import WOVEN, Noise, Pattern, noise, pattern

# Ground, print and accents of cloths.
CLOTHS = (
    ((36, 42, 58), (228, 228, 222), (180, 60, 52)),
    ((150, 32, 40), (240, 232, 220), (30, 30, 34)),
    ((60, 92, 74), (216, 204, 168), (230, 228, 220)),
    ((226, 218, 204), (70, 96, 140), (196, 92, 70)),
    ((206, 168, 176), (246, 240, 238), (120, 60, 84)),
    ((28, 28, 30), (84, 84, 88), (200, 200, 200)),
    ((94, 126, 168), (236, 238, 240), (40, 52, 84)),
    ((104, 98, 66), (62, 70, 46), (154, 142, 104)),
)
SCARVES = (
    ((128, 28, 36), (222, 210, 192), (40, 36, 44)),
    ((70, 74, 82), (168, 172, 178), (34, 36, 40)),
    ((196, 178, 148), (120, 86, 60), (238, 230, 214)),
    ((40, 62, 96), (200, 206, 214), (150, 44, 48)),
    ((36, 84, 70), (214, 196, 96), (24, 44, 40)),
)
BAND = 0.045  # width of an ear loop


@dataclass(frozen=True)
class _Cloth:
    """Cloth with folds: each fold runs from a start to an end (K, 2, 2) and is so wide (K,)."""

    pattern: Pattern
    crumple: Noise
    folds: Floats
    widths: Floats
    depth: float
    seam: float

    def relief(self, x: Floats, y: Floats) -> Floats:
        """Say how much lighter or darker folds make a place."""
        light = 0.35 * self.crumple(3.1 * x, 4.3 * y)
        for (start, end), width in zip(self.folds, self.widths, strict=True):
            way = end - start
            length = max(float(np.hypot(*way)), 1e-6)
            forward = ((x - start[0]) * way[0] + (y - start[1]) * way[1]) / length**2
            aside = ((y - start[1]) * way[0] - (x - start[0]) * way[1]) / (length * width)
            ends = np.clip(4 * forward, 0, 1) * np.clip(3 * (1 - forward), 0, 1)
            light = light - 1.65 * ends * aside * np.exp(-(aside**2))
        return np.asarray(self.depth * light)


def cloth(*, severity: float = 1.0) -> Draw:
    """Put on a sewn mask: printed cloth, folds, hems, ear loops.

    A lower severity pulls it down to the chin.
    """
    return drawn(plan_mask, severity)


def scarf(*, severity: float = 1.0) -> Draw:
    """Wind a scarf round neck and mouth; a lower severity lets it slip down to the neck."""
    return drawn(plan_scarf, severity)


def plan_mask(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    head = Head.of(points_xy)
    height, close = rng.uniform(0.0, 0.6), rng.uniform(0.06, 0.2)
    tones = np.array(CLOTHS[rng.integers(len(CLOTHS))]) * light.level * rng.uniform(0.85, 1.1)
    binding = tones[rng.integers(3)] * 0.9
    worn = _cloth(head, rng, tones)
    top, bottom = _edges(head, height, close, severity)
    jaw = head.points
    loops = [
        (top[0], jaw[0] + (-0.04, 0.1)),
        (bottom[0], jaw[1] + (-0.04, 0.1)),
        (top[-1], jaw[16] + (0.04, 0.1)),
        (bottom[-1], jaw[15] + (0.04, 0.1)),
    ]
    outline = np.concatenate([top, bottom[::-1]])

    def look(places: Places) -> tuple[Floats, Floats]:
        x, y = head.at(places)
        facing = head.facing(x)
        below = _between(x, y, top, bottom)
        shade = light.shade(facing) * (1 - 0.24 * facing**2 - 0.14 * below)
        shade += worn.relief(x, y) + worn.seam * _ridge(head.around(x, y) / 0.02)
        edge = (np.abs(below - 0.5) > 0.5 - 0.035 / np.maximum(severity, 0.2))[..., None]
        shade -= 0.22 * _hem(below)
        colour = np.where(edge, binding, worn.pattern(1.15 * np.arcsin(_round(head, x, y)), y))
        loop = np.zeros(facing.shape, dtype=bool)
        for start, end in loops:
            first, last = head.in_image(np.stack([start, end]))
            loop |= places.near(first, last, (BAND * head.unit, BAND * head.unit))
        strap = (0.85 * light.shade(facing))[..., None] * binding
        body = places.inside(head.in_image(outline)).astype(float)
        return layered((loop.astype(float), strap), (body, shade[..., None] * colour))

    ends = np.stack([end for _, end in loops])
    return box_around(head.in_image(np.concatenate([outline, ends])), 0.1 * head.unit), look


def _edges(head: Head, height: float, close: float, severity: float) -> tuple[Floats, Floats]:
    """Find the upper and the lower edge of a mask, both from -x to +x."""
    face = head.points
    nose = face[BRIDGE] + (0.35 + height * 0.4) * (face[NOSE_TIP] - face[BRIDGE])
    jaw = face[4:13] + 0.05 * directions(face[4:13] - nose)
    sides = [face[k] + close * (face[NOSE_BASE] - face[k]) for k in (2, 14)]
    cheeks = [(side + nose) / 2 + (0, 0.05) for side in sides]
    wing = np.array([0.13, 0.03])
    top = np.stack([sides[0], cheeks[0], nose + (-1, 1) * wing, nose + wing, cheeks[1], sides[1]])
    lower = [face[k] + 0.6 * close * (face[NOSE_BASE] - face[k]) for k in (4, 12)]
    bottom = rounded(np.concatenate([lower[:1], jaw[1:-1], lower[1:]]))
    top = rounded(top)
    least = height_at(bottom, top[:, 0])
    top[:, 1] = least + severity * (top[:, 1] - least)
    return top, bottom


def _cloth(head: Head, rng: np.random.Generator, tones: Floats) -> _Cloth:
    """Let folds fan out from the loops towards nose and mouth, and hang under the nose."""
    face, folds = head.points, []
    for corner, aim in ((3, 31), (13, 35)):
        for at in np.linspace(-0.1, 0.75, int(rng.integers(3, 5))):
            start = face[corner] + 0.15 * (face[aim] - face[corner]) + (0, 0.1 * at)
            end = face[aim] + (0, at) + rng.normal(0, 0.06, 2)
            folds.append([start, start + rng.uniform(0.5, 1.0) * (end - start)])
    return _Cloth(
        pattern=pattern(rng, [tuple(tone) for tone in tones]),
        crumple=noise(rng),
        folds=np.array(folds),
        widths=rng.uniform(0.04, 0.09, len(folds)),
        depth=rng.uniform(0.14, 0.26),
        seam=float(rng.choice([0.0, -0.3])),
    )


def plan_scarf(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    head = Head.of(points_xy)
    tones = np.array(SCARVES[rng.integers(len(SCARVES))]) * light.level * rng.uniform(0.85, 1.1)
    printed = pattern(rng, [tuple(tone) for tone in tones], kinds=WOVEN)
    knit, crumple, wool = rng.uniform(9, 16), noise(rng), noise(rng)
    tilt, sag = rng.normal(0, 0.08), rng.uniform(0.1, 0.3)
    wraps = rng.uniform(0.36, 0.5) + 0.1 * rng.random(6)
    nose, chin = head.points[NOSE_TIP], head.points[CHIN]
    full = rng.uniform(-0.25, 0.1)  # where the upper edge lies from the tip of the nose
    top = chin[1] + 0.1 + severity * (nose[1] + full - chin[1] - 0.1)
    foot = chin[1] + 1.3
    right, left = head.sides
    edges = np.cumsum(wraps)

    def look(places: Places) -> tuple[Floats, Floats]:
        x, y = head.at(places)
        facing = head.facing(x)
        # Each wrap hangs in a bow, and the lower ones hang deeper.
        hang = y - top - tilt * (x - nose[0]) + 0.06 * crumple(1.3 * x, 0.2 * y + 7)
        down = hang + sag * (facing**2 * (0.75 - 0.8 * np.clip(hang, 0, 1.2)))
        which = np.searchsorted(edges, down)
        start = np.where(which > 0, edges[np.maximum(which - 1, 0)], 0.0)
        part = np.clip((down - start) / wraps[np.minimum(which, len(wraps) - 1)], 0, 1)
        # Each bulges at the sides, and the whole widens towards the shoulders.
        wide = np.where(x < nose[0], right, left) + 0.02 + 0.3 * np.clip(y - 0.9, 0, 1) ** 2
        wide *= 0.84 + 0.16 * np.clip(down / 0.35, 0, 1)
        wide += 0.1 * np.sqrt(np.clip(1 - (2 * part - 1) ** 2, 0, 1))
        body = (down > 0) & (np.abs(x - nose[0]) < wide) & (y < foot - 0.5 * facing**2)
        shade = 0.55 + 0.55 * np.sin(np.pi * (0.12 + 0.8 * part)) - 0.22 * (part < 0.08)
        shade += 0.2 * crumple(2.2 * x + 3 * which, 5.0 * down) - 0.2 * np.clip(facing, -1, 1) ** 2
        # Stitches lie in columns and point down in the middle of each.
        column = knit * (x + 0.07 * which)
        stitch = np.sin(2 * np.pi * (1.6 * knit * down + np.abs(column % 1 - 0.5)))
        shade += 0.06 * stitch * np.minimum(1, 30 / knit) + 0.08 * wool(30 * x, 30 * y)
        colour = printed(0.6 * x + 0.1 * which, 0.6 * down)
        shade = light.shade(facing) * np.clip(shade, 0.12, 1.3)
        return body.astype(float), shade[..., None] * colour

    sides = nose[0] - right - 0.9, nose[0] + left + 0.9
    box = [[x, y] for x in sides for y in (top - 0.5, foot + 0.1)]
    return box_around(head.in_image(np.array(box)), 0.05 * head.unit), look


def _between(x: Floats, y: Floats, top: Floats, bottom: Floats) -> Floats:
    """Say where a place lies between an upper (0) and a lower edge (1)."""
    above, under = height_at(top, x), height_at(bottom, x)
    return np.asarray(np.clip((y - above) / np.maximum(under - above, 1e-3), 0, 1))


def _round(head: Head, x: Floats, y: Floats) -> Floats:
    return np.clip(0.95 * head.around(x, y), -0.99, 0.99)


def _ridge(x: Floats) -> Floats:
    """Draw a seam: dark in the middle, light beside it."""
    return np.asarray((1 - 0.7 * x**2) * np.exp(-(x**2) / 2))


def _hem(below: Floats) -> Floats:
    return np.asarray(sum(np.exp(-(((below - at) / 0.012) ** 2)) for at in (0.07, 0.93)))
