"""Realistic objects drawn in advance and laid on faces by their points, for speed.

A look of an object is drawn once on the mean face, seen from three sides, and bent to each face it
is put on. Made for crops that a face fills: larger pictures would show how coarse the textures are.
"""

import zlib
from dataclasses import dataclass
from functools import cache, lru_cache

import numpy as np
from numpy.typing import NDArray

from mien import geometry
from mien.errors import UsageError, unknown_name
from mien.occlusion.frames import MEAN_FACE
from mien.occlusion.head import GOOD, Head, Light
from mien.occlusion.kinds import Draw, Image, Mask, Points
from mien.occlusion.painting import LUMA, Floats, layer
from mien.occlusion.realistic import REALISTIC

LOOKS = 24
TURNS = (-0.55, 0.0, 0.55)  # in radians
SCALE, MARGIN, SIDE = 1.5, 18.5, 128  # of the textures: pixels for one of a 48x48 crop
LEAST = 0.02  # of a pixel: what covers less of it is left out
KNOTS = [0, 2, 4, 6, 8, 10, 12, 14, 16, 19, 24, 27, 30, 33, 36, 39, 42, 45, 48, 51, 54, 57]
_STIFF, _CELLS = 0.06, 8

Texture = NDArray[np.uint8]
Singles = NDArray[np.float32]


@dataclass(frozen=True)
class _View:
    """The mean face seen from one side, on the canvas of the textures."""

    points: Points
    turn: float


def banked(name: str, *, severity: float = 1.0, seed: int = 0) -> Draw:
    """Draw one of LOOKS looks of a realistic object; the seed says which looks there are."""
    if name not in REALISTIC:
        raise UsageError(unknown_name("realistic occluder", name, REALISTIC))
    if not 0 <= severity <= 1:
        raise UsageError(f"severity must be from 0 (nothing drawn) to 1, got {severity}")
    tone_of = REALISTIC[name].tone

    def draw(image: Image, points_xy: Points, rng: np.random.Generator) -> tuple[Image, Mask]:
        look = int(rng.integers(LOOKS))
        if severity == 0:
            return image.copy(), np.zeros(image.shape[:2], dtype=bool)
        head = Head.of(points_xy)
        side = int(np.argmin([abs(head.turn - view.turn) for view in _views()]))
        texture = _texture(name, severity, seed, look, side, image.ndim == 2)
        sampled = _sampled(texture, _bent(head, side, image.shape[:2]))
        gain = _gain(tone_of, Light.on(image, points_xy), head, image.shape)
        return _laid(image, sampled, gain)

    return draw


@cache
def _views() -> tuple[_View, ...]:
    """Turn the mean face as if it lay on a cylinder from which the nose stands out."""
    x = MEAN_FACE[:, 0] - MEAN_FACE[27, 0]
    depth = np.sqrt(np.maximum(18.5**2 - x**2, 0))
    depth[geometry.NOSE] += np.array([0, 2, 4, 7, 2, 3, 4, 3, 2])
    views = []
    for angle in TURNS:
        turned = MEAN_FACE.copy()
        turned[:, 0] = MEAN_FACE[27, 0] + x * np.cos(angle) + (depth - depth[27]) * np.sin(angle)
        points = (turned + MARGIN) * SCALE
        views.append(_View(points, Head.of(points).turn))
    return tuple(views)


@lru_cache(maxsize=4096)
def _texture(
    name: str, severity: float, seed: int, look: int, side: int, grey: bool
) -> tuple[Texture, ...]:
    """Draw a look in good light; give its channels, each (SIDE * SIDE,), the last the opacity."""
    if grey:
        *colours, opacity = _texture(name, severity, seed, look, side, False)
        luma = np.rint(LUMA @ np.stack(colours)).astype(np.uint8)
        return luma, opacity
    rng = np.random.default_rng([seed, zlib.crc32(name.encode()), look])
    box, seen = REALISTIC[name].plan(_views()[side].points, GOOD, rng, severity)
    painted = layer((SIDE, SIDE), box, seen) * (1, 1, 1, 255)
    channels = np.rint(painted.clip(0, 255)).astype(np.uint8).reshape(-1, 4).T
    return tuple(np.ascontiguousarray(channel) for channel in channels)


def _bent(head: Head, side: int, size_hw: tuple[int, int]) -> tuple[Singles, Singles]:
    """Say for each pixel (H, W) where in the texture it lies, by a thin plate through the knots."""
    knots, goal = head.points[KNOTS], _views()[side].points[KNOTS]
    count = len(knots)
    system = np.zeros((count + 3, count + 3))
    system[:count, :count] = _plate(knots[:, None] - knots) + _STIFF * np.eye(count)
    system[:count, count] = system[count, :count] = 1
    system[:count, count + 1 :] = knots
    system[count + 1 :, :count] = knots.T
    system[count:, count:] = -1e-6 * np.eye(3)
    weights = np.linalg.solve(system, np.concatenate([goal, np.zeros((3, 2))]))
    rows, columns = (np.linspace(0, side - 1, _CELLS + 1) for side in size_hw)
    grid = np.stack(np.meshgrid(columns, rows), -1).reshape(-1, 2)
    grid = geometry.apply(head.to_face, grid)
    terms = np.concatenate([_plate(grid[:, None] - knots), np.ones((len(grid), 1)), grid], axis=1)
    nodes = (terms @ weights).T.reshape(2, _CELLS + 1, _CELLS + 1).astype(np.float32)
    down, across = (_between(side) for side in size_hw)
    return down @ nodes[0] @ across.T, down @ nodes[1] @ across.T


def _plate(ways: Floats) -> Floats:
    square = np.square(ways).sum(-1)
    return np.asarray(square * np.log(square + 1e-9))


@lru_cache(maxsize=64)
def _between(side: int) -> Singles:
    """Give the shares (side, nodes) by which a pixel lies between the nodes around it."""
    at = np.linspace(0, _CELLS, side)
    shares = np.maximum(0, 1 - np.abs(at[:, None] - np.arange(_CELLS + 1)))
    return np.asarray(shares, np.float32)


def _sampled(texture: tuple[Texture, ...], places: tuple[Singles, Singles]) -> list[Singles]:
    """Read each channel (H, W) between the texture's pixels; outside, its border."""
    x, y = (np.clip(place, 0, SIDE - 1.001) for place in places)
    left, top = x.astype(np.int32), y.astype(np.int32)
    x, y = x - left.astype(np.float32), y - top.astype(np.float32)
    corner = top * SIDE + left
    both = x * y
    shares = ((0, 1 - x - y + both), (1, x - both), (SIDE, y - both), (SIDE + 1, both))
    parts = [(corner + step, share) for step, share in shares]
    return [
        np.asarray(sum(channel.take(at) * share for at, share in parts), np.float32)
        for channel in texture
    ]


def _gain(tone_of: str, light: Light, head: Head, shape: tuple[int, ...]) -> Floats | float:
    """Say how much lighter each pixel is than the texture: (H, W), (H, W, 3) or one for all."""
    if tone_of == "none":
        return 1.0
    level: Floats | float = light.level
    if tone_of == "skin":
        skin, usual = light.skin, GOOD.skin
        level = float(skin @ LUMA / (usual @ LUMA)) if len(shape) == 2 else skin / usual
    (a, b, c), _ = head.to_face
    x = a * np.arange(shape[1]) + b * np.arange(shape[0])[:, None] + c
    shade = light.shade(head.facing(x))
    return shade * level if len(shape) == 2 else shade[..., None] * level


def _laid(image: Image, sampled: list[Singles], gain: Floats | float) -> tuple[Image, Mask]:
    """Lay what was read on a copy."""
    *tones, opacity = sampled
    share = opacity / np.float32(255)
    hidden = share >= LEAST
    grey = image.ndim == 2
    tone = tones[0] if grey else np.stack(tones, -1)
    rest = (1 - share) if grey else (1 - share)[..., None]
    mixed = np.rint(image * rest + tone * gain).clip(0, 255).astype(np.uint8)
    return np.where(hidden if grey else hidden[..., None], mixed, image), hidden
