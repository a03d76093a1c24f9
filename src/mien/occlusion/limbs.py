"""Round limbs: tapered rods with a light and a dark side, from which hands are put together."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mien.occlusion.painting import Floats


@dataclass(frozen=True)
class Rod:
    """A rod in a frame of its own, its radius changing evenly from start to end."""

    start: Floats
    end: Floats
    radii: tuple[float, float]

    def measure(self, x: Floats, y: Floats) -> tuple[Floats, Floats, Floats]:
        """Give the part of the way along, and aside and distance from the middle in radii."""
        way = self.end - self.start
        length = max(float(np.hypot(*way)), 1e-6)
        dx, dy = x - self.start[0], y - self.start[1]
        forward = (dx * way[0] + dy * way[1]) / length**2
        part = np.clip(forward, 0, 1)
        radius = self.radii[0] + part * (self.radii[1] - self.radii[0])
        aside = (dy * way[0] - dx * way[1]) / length / radius
        beyond = (forward - part) * length / radius
        return forward, aside, np.hypot(aside, beyond)


def rod(start: ArrayLike, end: ArrayLike, *radii: float) -> Rod:
    """Make a rod of one radius, or of one at each end."""
    return Rod(np.asarray(start, np.float64), np.asarray(end, np.float64), (radii[0], radii[-1]))


def roundness(distance: Floats) -> Floats:
    """Give the height of a round surface: 1 in the middle, 0 at the outline."""
    return np.asarray(np.sqrt(np.clip(1 - distance**2, 0, 1)))


def finger(joints: Floats, radii: Floats, x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Draw a finger (K, 2) joint by joint: its opacity and how light its skin is (H, W).

    Skin creases at the joints; the last one bears a nail.
    """
    best = np.full(x.shape, np.inf)
    shade = np.zeros(x.shape)
    for place in range(len(joints) - 1):
        forward, aside, distance = rod(
            *joints[place : place + 2], *radii[place : place + 2]
        ).measure(x, y)
        light = 0.52 + 0.52 * roundness(distance) - 0.1 * aside
        crease = np.exp(-((forward / 0.05) ** 2)) + 0.6 * np.exp(-(((forward - 0.12) / 0.04) ** 2))
        light -= 0.1 * crease * (place > 0) * (np.abs(aside) < 0.75)
        if place == len(joints) - 2:
            nail = np.hypot((forward - 0.88) / 0.36, aside / 0.66)
            light += 0.16 * (nail < 1) - 0.12 * (np.abs(nail - 1.05) < 0.09)
        shade = np.where(distance < best, light, shade)
        best = np.minimum(best, distance)
    return (best <= 1).astype(float), shade
