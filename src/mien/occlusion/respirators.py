"""Stiff masks that stand off the face."""

import numpy as np

from mien import geometry
from mien.occlusion.head import BRIDGE, CHIN, NOSE_BASE, NOSE_TIP, Head, Light, drawn
from mien.occlusion.kinds import Draw, Points
from mien.occlusion.painting import Box, Floats, Look, Places, box_around, layered
from mien.occlusion.patterns import noise

FABRICS = ((238, 238, 234), (228, 232, 236), (238, 234, 222), (64, 66, 70), (176, 200, 216))
STRAPS = ((226, 200, 90), (236, 236, 232), (70, 110, 180), (236, 236, 232))
CLIP = (168, 170, 174)
STRAP = 0.07
_RIM = 40
# How the cup is made: pressed to one piece, folded along the nose, or sewn of three panels.
MAKES = ("pressed", "folded", "panels")


def n95(*, severity: float = 1.0) -> Draw:
    """Put on a respirator: a cup with a nose clip and straps, perhaps a valve.

    A lower severity pulls it down to the chin.
    """
    return drawn(plan, severity)


def plan(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    head = Head.of(points_xy)
    make = MAKES[rng.integers(len(MAKES))]
    fabric = np.array(FABRICS[rng.integers(len(FABRICS))]) * light.level
    strap = np.array(STRAPS[rng.integers(len(STRAPS))]) * light.level
    valve = make != "folded" and rng.random() < 0.35
    valve_at = np.array([rng.choice([-0.22, 0.0, 0.22]), rng.uniform(0.1, 0.25)])
    grain, height = noise(rng), rng.uniform(0.0, 0.5)
    outline, apex = _outline(head, height, severity)
    straps = _straps(head, outline, make)

    def look(places: Places) -> tuple[Floats, Floats]:
        x, y = head.at(places)
        facing = head.facing(x)
        dx, dy = x - apex[0], y - apex[1]
        out = _out(dx, dy, outline - apex)
        side = out * dx / np.maximum(np.hypot(dx, dy), 1e-6)
        drop = out * dy / np.maximum(np.hypot(dx, dy), 1e-6)
        # A cup is round: its rim turns away, its lower half from the light above.
        shade = 0.98 - 0.2 * out**2 - 0.14 * out**6 - 0.16 * drop + 1.3 * light.side * side
        shade += _made(make, out, side, drop) + 0.015 * grain(40 * x, 40 * y)
        shade -= 0.16 * (np.abs(out - 0.93) < 0.012)
        colour = shade[..., None] * fabric
        clip = (np.abs(out - 0.82) < 0.05) & (drop < -0.62) & (make != "folded")
        layers = [((out <= 1).astype(float), colour)]
        gleam = np.clip(light.level * (1.1 - 15 * np.abs(out - 0.8)), 0.4, 1)[..., None] * CLIP
        layers.append((0.85 * clip, gleam))
        if valve:
            layers.append(_valve(dx - valve_at[0], dy - valve_at[1] * severity, fabric))
        band = np.zeros(facing.shape, dtype=bool)
        for start, end in straps:
            line = head.in_image(np.stack([start, end]))
            band |= places.near(line[0], line[1], (STRAP * head.unit, STRAP * head.unit))
        under = (0.9 * light.shade(facing) * (1 - 0.15 * facing**2))[..., None] * strap
        return layered((band.astype(float), under), *layers)

    ends = np.stack([end for _, end in straps])
    return box_around(head.in_image(np.concatenate([outline, ends])), 0.1 * head.unit), look


def _outline(head: Head, height: float, severity: float) -> tuple[Floats, Floats]:
    """Find the rim (K, 2) and the most forward place of the cup."""
    face, mirror = head.points, geometry.MIRROR
    nose = face[BRIDGE] + (0.25 + height * 0.5) * (face[NOSE_TIP] - face[BRIDGE])
    half = []
    for jaw, inner, part in ((2, 31, 0.42), (3, 48, 0.26), (5, 48, 0.12), (6, 57, 0.06), (7, 8, 0)):
        pair = np.array([[jaw, inner], [mirror[jaw], mirror[inner]]])
        half.append(face[pair[:, 0]] + part * (face[pair[:, 1]] - face[pair[:, 0]]))
    right, left = np.stack(half, 1)
    wing = np.array([0.12, 0.08])
    corners = np.concatenate(
        [
            [nose, nose + wing],
            left,
            [face[CHIN] + (0, 0.07)],
            right[::-1],
            [nose + (-1, 1) * wing],
        ]
    )
    apex = face[NOSE_BASE] + (0.18 * head.turn, 0.12)
    # What stands off the face hides the far cheek of a turned head.
    down = (corners[:, 1] - nose[1]) / max(face[CHIN, 1] - nose[1], 0.2)
    corners[:, 0] += 0.16 * head.turn * np.sin(np.pi * np.clip(down, 0, 1))
    foot = face[CHIN, 1] + 0.07
    rim = _closed(corners)
    rim[:, 1] = foot + severity * (rim[:, 1] - foot)
    apex[1] = foot + severity * (apex[1] - foot)
    return rim, rim.mean(0) + 0.6 * (apex - rim.mean(0))


def _closed(corners: Floats, times: int = 3) -> Floats:
    """Cut the corners of a closed line."""
    for _ in range(times):
        after = np.roll(corners, -1, 0)
        corners = np.stack([0.75 * corners + 0.25 * after, 0.25 * corners + 0.75 * after], 1)
        corners = corners.reshape(-1, 2)
    return corners


def _out(dx: Floats, dy: Floats, rim: Floats) -> Floats:
    """Say how far out a place lies: 0 at the apex, 1 at the rim."""
    at = np.linspace(-np.pi, np.pi, _RIM, endpoint=False)
    reach = np.interp(at, np.arctan2(rim[:, 1], rim[:, 0]), np.hypot(*rim.T), period=2 * np.pi)
    # The rim of a head seen from the side folds over itself; what is drawn is smooth.
    for _ in range(3):
        reach = (np.roll(reach, 1) + 2 * reach + np.roll(reach, -1)) / 4
    reach = np.interp(np.arctan2(dy, dx), at, reach, period=2 * np.pi)
    return np.asarray(np.hypot(dx, dy) / np.maximum(reach, 1e-6))


def _made(make: str, out: Floats, side: Floats, drop: Floats) -> Floats:
    """Shade what the make adds: pressed grooves, a fold along the nose, or panels."""
    if make == "folded":
        return np.asarray(
            -0.1 * np.tanh(side / 0.1)
            + 0.16 * np.exp(-((side / 0.02) ** 2))
            - 0.1 * (np.abs(np.abs(side) - 0.62) < 0.012)
        )
    if make == "panels":
        return np.asarray(
            0.1 * (drop < -0.34) * (1 + drop)
            - 0.13 * (drop > 0.36)
            - 0.25 * np.exp(-(((drop + 0.34) / 0.022) ** 2))
            - 0.25 * np.exp(-(((drop - 0.36) / 0.022) ** 2))
        )
    grooves = [(out - at) / 0.022 for at in (0.52, 0.7)]
    return np.asarray(sum(-0.14 * groove * np.exp(-(groove**2)) * 2 for groove in grooves))


def _valve(dx: Floats, dy: Floats, fabric: Floats) -> tuple[Floats, Floats]:
    """Draw an exhalation valve: a round box with slits."""
    radius = np.hypot(dx, dy) / 0.17
    shade = 0.95 - 0.3 * (radius > 0.82) - 0.25 * ((dy * 26) % 1 < 0.3) * (radius < 0.75)
    shade += 0.12 * (dx + dy < -0.05)
    return (radius <= 1).astype(float), shade[..., None] * (0.6 * fabric + 70)


def _straps(head: Head, rim: Floats, make: str) -> list[tuple[Floats, Floats]]:
    """Lead two straps a side: to the ear, or past it round the head."""
    face, straps = head.points, []
    for outward, ear in ((-1, 0), (1, 16)):
        reach = outward * rim[:, 0]
        low = rim[np.argmax(reach - 0.45 * rim[:, 1])], rim[np.argmax(reach + 0.3 * rim[:, 1])]
        ends = ((0.05, 0.08), (0.03, 0.42)) if make == "folded" else ((0.05, 0.0), (0.0, 0.56))
        for start, (aside, down) in zip(low, ends, strict=True):
            straps.append((start, face[ear] + np.array([outward * aside, down])))
    return straps
