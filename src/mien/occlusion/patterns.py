"""Textures without end: noise, and the patterns of printed cloth."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from mien.occlusion.painting import Floats

# From places to values (H, W) of -1 to 1, and to colours (H, W, 3).
Noise = Callable[[Floats, Floats], Floats]
Pattern = Callable[[Floats, Floats], Floats]
Tone = Sequence[float]

_TABLE = 64


def noise(rng: np.random.Generator) -> Noise:
    """Draw smooth random values whose hills are about one unit wide."""
    table = rng.uniform(-1, 1, (_TABLE, _TABLE))

    def at(x: Floats, y: Floats) -> Floats:
        column, row = np.floor(x), np.floor(y)
        right, below = _eased(x - column), _eased(y - row)
        i, j = column.astype(np.intp) % _TABLE, row.astype(np.intp) % _TABLE
        k, m = (i + 1) % _TABLE, (j + 1) % _TABLE
        above = table[j, i] + right * (table[j, k] - table[j, i])
        under = table[m, i] + right * (table[m, k] - table[m, i])
        return np.asarray(above + below * (under - above))

    return at


def pattern(
    rng: np.random.Generator, tones: Sequence[Tone], *, kinds: Sequence[str] = ()
) -> Pattern:
    """Draw a print of three tones at random, of one of the KINDS."""
    ground, first, second = (np.array(tone, np.float64) for tone in tones)
    kinds = kinds or tuple(KINDS)
    kind = KINDS[kinds[int(rng.integers(len(kinds)))]]
    size, angle = rng.uniform(0.16, 0.34), rng.choice([0.0, np.pi / 2, np.pi / 4])
    ink = kind(rng)
    cos, sin = np.cos(angle), np.sin(angle)

    def at(x: Floats, y: Floats) -> Floats:
        shares = ink((cos * x + sin * y) / size, (cos * y - sin * x) / size)
        colour = ground + shares[0][..., None] * (first - ground)
        return np.asarray(colour + shares[1][..., None] * (second - colour))

    return at


# What prints the second and the third tone: from places in pattern sizes to shares of 0 to 1.
_Ink = Callable[[Floats, Floats], tuple[Any, Any]]


def _plain(rng: np.random.Generator) -> _Ink:
    return lambda x, y: (np.zeros(x.shape), np.zeros(x.shape))


def _stripes(rng: np.random.Generator) -> _Ink:
    width = rng.uniform(0.3, 0.55)
    return lambda x, y: (_part(x) < width, abs(_part(x) - 0.75) < 0.06)


def _checks(rng: np.random.Generator) -> _Ink:
    return lambda x, y: (
        0.5 * ((_part(x) < 0.5).astype(float) + (_part(y) < 0.5)),
        np.zeros(x.shape),
    )


def _dots(rng: np.random.Generator) -> _Ink:
    radius = rng.uniform(0.22, 0.36)

    def ink(x: Floats, y: Floats) -> tuple[Any, Any]:
        shifted = x + 0.5 * (np.floor(y) % 2)
        return np.hypot(_part(shifted) - 0.5, _part(y) - 0.5) < radius, np.zeros(x.shape)

    return ink


def _flowers(rng: np.random.Generator) -> _Ink:
    petals, turns = int(rng.integers(5, 7)), rng.uniform(0, 6, _TABLE)

    def ink(x: Floats, y: Floats) -> tuple[Any, Any]:
        x, y = x / 1.6, y / 1.6
        row = np.floor(y)
        shifted = x + 0.5 * (row % 2)
        dx, dy = _part(shifted) - 0.5, _part(y) - 0.5
        which = (np.floor(shifted) * 7 + row * 13).astype(np.intp) % _TABLE
        radius = np.hypot(dx, dy)
        leaf = np.cos(petals * np.arctan2(dy, dx) + turns[which])
        return radius < 0.3 + 0.13 * leaf, radius < 0.12

    return ink


def _patches(rng: np.random.Generator) -> _Ink:
    one, other = noise(rng), noise(rng)

    def ink(x: Floats, y: Floats) -> tuple[Any, Any]:
        x, y = x / 1.5, y / 1.1
        return one(x, y) > 0.1, other(x * 1.2, y * 1.2) > 0.3

    return ink


KINDS: dict[str, Callable[[np.random.Generator], _Ink]] = {
    "plain": _plain,
    "stripes": _stripes,
    "checks": _checks,
    "dots": _dots,
    "flowers": _flowers,
    "patches": _patches,
}
WOVEN = ("plain", "stripes", "checks")


def _part(x: Floats) -> Floats:
    return np.asarray(x - np.floor(x))


def _eased(x: Floats) -> Floats:
    return np.asarray(x * x * (3 - 2 * x))
