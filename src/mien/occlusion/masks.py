"""Face masks."""

from dataclasses import dataclass

import numpy as np

from mien import geometry
from mien.occlusion.head import Light, drawn
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

FABRICS = ((158, 199, 221), (226, 230, 232), (150, 199, 178), (52, 54, 58), (208, 178, 190))
RIBBON = (232, 232, 230)
BRIDGE, NOSE_TIP = 28, 30
EDGE = slice(2, 15)  # the points of the jaw that a mask reaches
BAND = 0.032  # width of an ear loop, in distances between the eyes


@dataclass(frozen=True)
class Style:
    """What one mask looks like; `pleats` are places of folds from top (0) to bottom (1)."""

    fabric: Floats
    ribbon: Floats
    height: float
    pleats: Floats
    depth: float


@dataclass(frozen=True)
class _Worn:
    """The edges of a mask (K, 2) in the face's own frame: x along the eyes, their distance 1."""

    to_face: Floats
    top: Floats
    bottom: Floats
    loops: tuple[Floats, ...]

    def in_image(self, points: Floats) -> Floats:
        return geometry.apply(geometry.invert(self.to_face), points)

    @property
    def scale(self) -> float:
        return 1 / float(np.hypot(*self.to_face[:, 0]))


def surgical(*, severity: float = 1.0) -> Draw:
    """Put on a surgical mask of a random colour: pleats, ear loops, shading.

    A lower severity pulls it down to the chin.
    """
    return drawn(plan, severity)


def plan(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    style = _style(rng, light.level)
    worn = _worn(points_xy.astype(np.float64), style, severity)
    around = worn.in_image(np.concatenate([worn.top, worn.bottom, *worn.loops]))
    box = box_around(around, BAND * worn.scale)
    return box, lambda places: _look(places, worn, style)


def _style(rng: np.random.Generator, light: float) -> Style:
    count = int(rng.integers(3, 5))
    return Style(
        fabric=np.array(FABRICS[rng.integers(len(FABRICS))]) * light,
        ribbon=np.array(RIBBON) * light,
        height=rng.uniform(-0.25, 0.35),
        pleats=np.linspace(0.28, 0.72, count) + rng.normal(0, 0.015, count),
        depth=rng.uniform(0.12, 0.26),
    )


def _worn(points: Floats, style: Style, severity: float) -> _Worn:
    eyes = [points[geometry.RIGHT_EYE].mean(0), points[geometry.LEFT_EYE].mean(0)]
    to_face = geometry.similarity(eyes, [[-0.5, 0.0], [0.5, 0.0]])
    face = geometry.apply(to_face, points)
    bridge = face[BRIDGE] + style.height * (face[NOSE_TIP] - face[BRIDGE])
    jaw = face[EDGE]
    # It stands off most below the chin and lies close at the ears.
    loose = 0.08 * np.sin(np.linspace(0, np.pi, len(jaw)))[:, None]
    bottom = jaw + loose * directions(jaw - bridge)
    sag = np.array([0.0, 0.07])
    cheeks = [(end + bridge) / 2 + sag for end in (bottom[0], bottom[-1])]
    nose = [bridge + 0.12 * directions(cheek - bridge) for cheek in cheeks]
    top = np.stack([bottom[0], cheeks[0], nose[0], nose[1], cheeks[1], bottom[-1]])
    upper, lower = rounded(top), rounded(bottom)
    if severity < 1:
        least = height_at(lower, upper[:, 0])
        upper[:, 1] = least + severity * (upper[:, 1] - least)
    return _Worn(to_face, upper, lower, _loops(face, bottom))


def _loops(face: Floats, bottom: Floats) -> tuple[Floats, ...]:
    """Lead two ribbons from each side of the mask to the ear beside the jaw's end."""
    out = np.array([0.07, 0.0])
    return (
        np.stack([bottom[0], (face[0] + face[1]) / 2 - out]),
        np.stack([bottom[2], (face[1] + face[2]) / 2 - out]),
        np.stack([bottom[-1], (face[16] + face[15]) / 2 + out]),
        np.stack([bottom[-3], (face[15] + face[14]) / 2 + out]),
    )


def _look(places: Places, worn: _Worn, style: Style) -> tuple[Floats, Floats]:
    ribbons = np.zeros((places.y.size, places.x.size), dtype=bool)
    for start, end in map(worn.in_image, worn.loops):
        ribbons |= places.near(start, end, (BAND * worn.scale, BAND * worn.scale))
    outline = worn.in_image(np.concatenate([worn.top, worn.bottom[::-1]]))
    fabric = (places.inside(outline).astype(float), _fabric(places, worn, style))
    return layered(
        (ribbons.astype(float), np.broadcast_to(style.ribbon, (*ribbons.shape, 3))), fabric
    )


def _fabric(places: Places, worn: _Worn, style: Style) -> Floats:
    """Colour the cloth: round like the face it lies on, folded, hemmed."""
    across, down = _on_face(places, worn)
    top, bottom = height_at(worn.top, across), height_at(worn.bottom, across)
    below = np.clip((down - top) / np.maximum(bottom - top, 1e-3), 0, 1)
    left, right = worn.bottom[0, 0], worn.bottom[-1, 0]
    aside = np.clip((2 * across - left - right) / max(right - left, 1e-3), -1.2, 1.2)
    shade = 1 - 0.28 * aside**2 - 0.16 * below
    shade += style.depth * _folds(below, style.pleats) - 0.5 * style.depth * _hem(below)
    return np.asarray(shade[..., None] * style.fabric)


def _folds(below: Floats, pleats: Floats) -> Floats:
    """Give each fold a light edge and a shadow under it."""
    relief = np.zeros_like(below)
    for pleat in pleats:
        under = below - pleat
        relief -= np.where(under >= 0, np.exp(-under / 0.05), 0)
        relief += 0.4 * np.where(under < 0, np.exp(under / 0.04), 0)
    return relief


def _hem(below: Floats) -> Floats:
    """Draw the seams along the upper and the lower edge."""
    return np.asarray(
        np.exp(-(((below - 0.08) / 0.015) ** 2)) + np.exp(-(((below - 0.93) / 0.015) ** 2))
    )


def _on_face(places: Places, worn: _Worn) -> tuple[Floats, Floats]:
    (a, b, c), (d, e, f) = worn.to_face
    return a * places.x + b * places.y + c, d * places.x + e * places.y + f
