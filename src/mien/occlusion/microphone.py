"""A microphone held before the mouth."""

import numpy as np

from mien import geometry
from mien.occlusion.head import Head, Light, drawn
from mien.occlusion.kinds import Draw, Points
from mien.occlusion.limbs import finger, rod, roundness
from mien.occlusion.painting import Box, Floats, Look, Places, box_around, layered
from mien.occlusion.patterns import noise

FOAMS = ((30, 30, 32), (160, 32, 36), (36, 60, 130), (210, 150, 40), (52, 54, 58))
GRILLE, HANDLE, RING = (176, 178, 182), (36, 37, 40), (120, 122, 126)
LENGTH, HELD = 2.7, 1.75  # of the handle, and where a fist holds it, from the middle of the ball
TRAVEL = 1.3  # from before the mouth to below the chin


def microphone(*, severity: float = 1.0) -> Draw:
    """Hold a microphone before the mouth: a grille or foam, a handle, a fist.

    A lower severity lowers it.
    """
    return drawn(plan, severity)


def plan(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    head = Head.of(points_xy)
    lean, radius = np.radians(rng.uniform(-32, 32)), rng.uniform(0.42, 0.54)
    foam = FOAMS[rng.integers(len(FOAMS))] if rng.random() < 0.4 else None
    skin, grain = light.skin * rng.uniform(0.92, 1.05), noise(rng)
    mouth = head.points[geometry.MOUTH].mean(0) + rng.normal(0, 0.05, 2) + (0, 0.03)
    down = np.array([np.sin(lean), np.cos(lean)])
    ball = mouth + (1 - severity) * TRAVEL * down
    fist = [_curled(row, radius) for row in range(4)]

    def look(places: Places) -> tuple[Floats, Floats]:
        x, y = head.at(places)
        lit = light.shade(head.facing(x))
        # Along the handle, and aside of it.
        u = (x - ball[0]) * down[0] + (y - ball[1]) * down[1]
        v = (x - ball[0]) * down[1] - (y - ball[1]) * down[0]
        distance = np.hypot(u, v) / radius
        layers = [_handle(u, v, radius, light.level)]
        for joints in fist:
            alpha, shade = finger(joints, np.array([0.17, 0.17, 0.14]), v, u)
            layers.append((alpha, shade[..., None] * skin))
        bulge = roundness(distance)
        glow = 0.42 + 0.5 * bulge + 0.25 * np.exp(-((np.hypot(u + 0.4 * radius, v) / 0.22) ** 2))
        if foam is None:
            across = np.arcsin(np.clip(v / radius, -1, 1)) / 0.11
            along = np.arcsin(np.clip(u / radius, -1, 1)) / 0.11
            wires = np.maximum(np.cos(np.pi * (across + along)), np.cos(np.pi * (across - along)))
            tone = (glow * (0.45 + 0.55 * np.clip(wires + 0.2, 0, 1)))[..., None] * np.array(GRILLE)
            band = np.abs(u - 0.08) < 0.05
            tone = np.where(band[..., None], glow[..., None] * np.multiply(RING, 1.2), tone)
        else:
            rough = glow + 0.16 * grain(24 * u, 24 * v)
            tone = rough[..., None] * np.array(foam)
        layers.append(((distance <= 1).astype(float), tone * light.level))
        opacity, colour = layered((np.zeros(u.shape), np.zeros((*u.shape, 3))), *layers)
        return opacity, lit[..., None] * colour

    ends = ball + np.array([[-1, -1], [1, -1], [-1, 0], [1, 0]]) * 0.8
    foot = ball + LENGTH * down + np.array([[-0.9, 0.3], [0.9, 0.3]])
    return box_around(head.in_image(np.concatenate([ends, foot])), 0.1 * head.unit), look


def _handle(u: Floats, v: Floats, radius: float, light: float) -> tuple[Floats, Floats]:
    """Draw the tapered handle and the ring under the ball."""
    _, aside, distance = rod((0.5 * radius, 0), (LENGTH, 0), 0.62 * radius, 0.34 * radius).measure(
        u, v
    )
    shade = 0.4 + 0.75 * roundness(distance) + 0.5 * np.exp(-(((aside - 0.35) / 0.12) ** 2))
    ring = (u < 1.22 * radius)[..., None]
    tone = np.where(ring, np.array(RING), np.array(HANDLE))
    return (distance <= 1).astype(float), light * shade[..., None] * tone


def _curled(row: int, radius: float) -> Floats:
    """Lay the visible joints of a finger round the handle, aside and along it."""
    at = HELD + 0.27 * (row - 1.5)
    reach = 0.42 - 0.03 * abs(row - 1)
    return np.array([[-reach, at + 0.05], [0.05, at - 0.02], [reach * 0.8, at + 0.03]])
