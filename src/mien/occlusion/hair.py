"""Hair that falls over forehead and eyes."""

from dataclasses import dataclass

import numpy as np

from mien.occlusion.head import Head, Light, drawn
from mien.occlusion.kinds import Draw, Points
from mien.occlusion.painting import Box, Floats, Look, Places, box_around
from mien.occlusion.patterns import Noise, noise

COLOURS = (
    (34, 28, 26),
    (62, 42, 30),
    (104, 70, 44),
    (168, 124, 72),
    (206, 172, 116),
    (132, 62, 36),
    (150, 148, 146),
)
CROWN, TIPS = -1.5, 0.26
# How a fringe falls: how far locks sweep to one side, how far apart a parting throws them, how
# uneven their tips are.
FALLS = ((0.06, 0.0, 0.1), (0.5, 0.0, 0.2), (0.08, 0.3, 0.22), (0.18, 0.1, 0.32))


@dataclass(frozen=True)
class _Lock:
    """A bundle of strands from its root to a tip `bend` aside and `length` below."""

    root: Floats
    length: float
    bend: float
    half: float
    tone: float


def hair(*, severity: float = 1.0) -> Draw:
    """Let locks of hair fall over forehead and eyes; a lower severity shortens them."""
    return drawn(plan, severity)


def plan(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    head = Head.of(points_xy)
    colour = np.array(COLOURS[rng.integers(len(COLOURS))]) * light.level * rng.uniform(0.85, 1.15)
    locks = _locks(head, rng, severity)
    fine, shine = noise(rng), rng.uniform(0.15, 0.5)

    def look(places: Places) -> tuple[Floats, Floats]:
        x, y = head.at(places)
        opacity, shade = np.zeros(x.shape), np.zeros(x.shape)
        for number, lock in enumerate(locks):
            alpha, tone = _strands(lock, x, y, number, fine, shine)
            shade = np.where(alpha, tone, shade)
            opacity = np.maximum(opacity, alpha)
        tone = light.shade(head.facing(x)) * shade
        return opacity, tone[..., None] * colour

    ends = [lock.root + np.array([[0, 0], [lock.bend, lock.length]]) for lock in locks]
    tips = np.concatenate(ends)
    return box_around(head.in_image(tips), 0.2 * head.unit), look


def _locks(head: Head, rng: np.random.Generator, severity: float) -> list[_Lock]:
    """Spread locks from the crown over the width of the forehead."""
    sweep, parting, uneven = FALLS[rng.integers(len(FALLS))]
    sweep *= rng.choice([-1, 1])
    count = int(rng.integers(26, 34))
    across = rng.permutation(np.linspace(-1, 1, count)) + rng.normal(0, 0.03, count)
    right, left = head.sides
    brow = head.points[27, 0]
    locks = []
    for at in across:
        reach = np.sin(1.35 * at) * (left if at > 0 else right)
        root = np.array([brow + 0.42 * reach, CROWN + 0.3 * at**2 + rng.normal(0, 0.06)])
        tip = TIPS + 0.2 * abs(at) + uneven * rng.normal()
        bend = 0.56 * reach + sweep * (1.0 - 0.3 * at * np.sign(sweep)) + parting * np.sign(at)
        locks.append(
            _Lock(
                root=root,
                length=max(float(tip - root[1]), 0.5) * severity,
                bend=float(bend + rng.normal(0, 0.06)) * severity,
                half=rng.uniform(0.11, 0.17),
                tone=rng.uniform(0.78, 1.12),
            )
        )
    return locks


def _strands(
    lock: _Lock, x: Floats, y: Floats, number: int, fine: Noise, shine: float
) -> tuple[Floats, Floats]:
    """Say where a lock lies and how light its strands are; it frays towards the tip."""
    part = (y - lock.root[1]) / lock.length
    inside = np.clip(part, 0, 1)
    half = lock.half * (1 - 0.88 * inside**2.2) * (0.4 + 0.6 * np.minimum(1, 3 * inside))
    aside = (x - lock.root[0] - lock.bend * inside**1.3) / half
    strand = fine(6.0 * aside + 11 * number, 1.6 * inside + 5 * number)
    lies = (part > 0.04 + 0.04 * strand) & (np.abs(aside) < 1) & (part < 1 + 0.12 * strand)
    light = 0.72 + 0.26 * strand + shine * np.exp(-(((part - 0.42 - 0.05 * strand) / 0.12) ** 2))
    return lies, lock.tone * np.maximum(light - 0.3 * np.abs(aside) ** 3, 0.12)
