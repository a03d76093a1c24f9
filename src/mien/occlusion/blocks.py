"""Blocks anywhere on the face."""

import numpy as np

from mien.occlusion.head import Head, Light, drawn
from mien.occlusion.kinds import Draw, Points
from mien.occlusion.painting import Box, Floats, Look, Places, box_around, layered
from mien.occlusion.patterns import noise, pattern


def blocks(*, severity: float = 1.0) -> Draw:
    """Put one to four boards of any colour, grain or print anywhere on the face.

    A lower severity makes them smaller.
    """
    return drawn(plan, severity)


def plan(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    head = Head.of(points_xy)
    low, high = head.points.min(0), head.points.max(0)
    count = int(rng.integers(1, 5))
    middles = low + rng.uniform(0.15, 0.85, (count, 2)) * (high - low)
    halves = rng.uniform(0.16, 0.55, (count, 2)) * severity
    angles = rng.choice([0.0, 1.0]) * rng.normal(0, 0.35, count)
    prints = [pattern(rng, rng.uniform(0, 255, (3, 3)).tolist()) for _ in range(count)]
    slopes, rough = rng.normal(0, 0.25, (count, 2)), rng.uniform(0, 0.3, count)
    grain = noise(rng)

    def look(places: Places) -> tuple[Floats, Floats]:
        x, y = head.at(places)
        layers = [(np.zeros(x.shape), np.zeros((*x.shape, 3)))]
        for at in range(count):
            dx, dy = x - middles[at, 0], y - middles[at, 1]
            cos, sin = np.cos(angles[at]), np.sin(angles[at])
            u, v = cos * dx + sin * dy, cos * dy - sin * dx
            body = (np.abs(u) < halves[at, 0]) & (np.abs(v) < halves[at, 1])
            shade = 1 + slopes[at, 0] * u + slopes[at, 1] * v + rough[at] * grain(16 * x, 16 * y)
            layers.append((body.astype(float), np.maximum(shade, 0)[..., None] * prints[at](u, v)))
        return layered(*layers)

    reach = np.hypot(*halves.T)[:, None]
    corners = np.concatenate([middles - reach, middles + reach])
    left, top = corners.min(0)
    right, foot = corners.max(0)
    box = np.array([[left, top], [right, top], [left, foot], [right, foot]])
    return box_around(head.in_image(box), 0.02 * head.unit), look
