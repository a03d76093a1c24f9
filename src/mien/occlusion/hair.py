"""Hair that falls over forehead and eyes."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
FRAYED = 0.12  # of a lock's length
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
        opacity, shade = np.zeros(x.size), np.zeros(x.size)
        left, left_x, left_y = np.arange(x.size), x.ravel(), y.ravel()
        # From the uppermost lock down: of those below only what it leaves open is drawn.
        for number, lock in reversed(list(enumerate(locks))):
            rows, tone = _strands(lock, left_x, left_y, number, fine, shine)
            found = left[rows]
            opacity[found], shade[found] = 1, tone
            left = np.delete(left, rows)
            left_x, left_y = np.delete(left_x, rows), np.delete(left_y, rows)
        lit = light.shade(head.facing(x)) * shade.reshape(x.shape)
        return opacity.reshape(x.shape), lit[..., None] * colour

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
) -> tuple[NDArray[np.intp], Floats]:
    """Say which of places (N,) a lock covers, and how light its strands are; the tip is frayed."""
    start, end = sorted((0.0, lock.bend))
    right, down = x - lock.root[0], y - lock.root[1]
    near = (right > start - lock.half) & (right < end + lock.half)
    rows = np.flatnonzero(near & (down > 0) & (down < (1 + FRAYED) * lock.length))
    part = down[rows] / lock.length
    inside = np.clip(part, 0, 1)
    half = lock.half * (1 - 0.88 * inside**2.2) * (0.4 + 0.6 * np.minimum(1, 3 * inside))
    aside = (right[rows] - lock.bend * inside**1.3) / half
    slim = np.abs(aside) < 1
    rows, part, inside, aside = rows[slim], part[slim], inside[slim], aside[slim]
    strand = fine(6.0 * aside + 11 * number, 1.6 * inside + 5 * number)
    lies = (part > 0.04 + 0.04 * strand) & (part < 1 + FRAYED * strand)
    light = 0.72 + 0.26 * strand + shine * np.exp(-(((part - 0.42 - 0.05 * strand) / 0.12) ** 2))
    tone = lock.tone * np.maximum(light - 0.3 * np.abs(aside) ** 3, 0.12)
    return rows[lies], tone[lies]
