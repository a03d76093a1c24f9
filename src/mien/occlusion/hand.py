"""A hand held over the mouth, seen from its back."""

import numpy as np

from mien import geometry
from mien.occlusion.head import Head, Light, drawn
from mien.occlusion.kinds import Draw, Points
from mien.occlusion.limbs import finger, rod, roundness
from mien.occlusion.painting import Box, Floats, Look, Places, box_around, layered
from mien.occlusion.patterns import noise

# In the hand's own frame the wrist is (0, 0), the middle finger points along x, and the index lies
# above it; one unit is the distance between the eyes. Knuckle, length and way of each finger, from
# little finger to index, so that each lies over the one before.
FINGERS = (
    ((1.40, 0.50), 0.84, 11.0),
    ((1.54, 0.18), 1.08, 4.0),
    ((1.60, -0.15), 1.18, -1.0),
    ((1.50, -0.48), 1.06, -6.0),
)
THICK = (0.2, 0.178, 0.162, 0.13)  # of a finger from its knuckle to its tip
JOINTS = np.array([0.0, 0.46, 0.76, 1.0])  # of its length
THUMB = ((0.42, -0.42), (0.98, -0.86), (1.28, -0.98), (1.56, -1.02))
SLEEVES = ((40, 44, 56), (120, 30, 36), (200, 200, 198), (72, 86, 70), (28, 28, 30))
ARM = 3.2
AT_MOUTH = np.array([1.5, 0.02])  # the part of the hand that lies on the mouth


def hand(*, severity: float = 1.0) -> Draw:
    """Hold a hand over the mouth, in the colour of the face's skin.

    A lower severity draws it back along the arm.
    """
    return drawn(plan, severity)


def plan(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    head = Head.of(points_xy)
    from_left, angle = rng.random() < 0.5, np.radians(rng.uniform(12, 62))
    size, spread = rng.uniform(0.8, 0.98), rng.uniform(0.45, 1.25)
    bend = rng.normal(0, 2, len(FINGERS))
    skin = light.skin * rng.uniform(0.9, 1.08)
    sleeve = np.array(SLEEVES[rng.integers(len(SLEEVES))]) * light.level
    cuff, grain = rng.uniform(-0.6, -0.1), noise(rng)
    fingers = [_joints(*one, spread, turn) for one, turn in zip(FINGERS, bend, strict=True)]
    thumb = np.array(THUMB) * (1, rng.uniform(0.85, 1.1))
    mouth = head.points[geometry.MOUTH].mean(0) + rng.normal(0, 0.06, 2)
    back = AT_MOUTH + np.array([(1 - severity) * 2.4, 0])

    def look(places: Places) -> tuple[Floats, Floats]:
        x, y = head.at(places)
        lit = light.shade(head.facing(x))
        u, v = _in_hand(x - mouth[0], y - mouth[1], angle, from_left)
        u, v = u / size + back[0], v / size + back[1]
        layers = [_arm(u, v)]
        layers += [finger(joints, np.array(THICK), u, v) for joints in fingers]
        layers.insert(1, finger(thumb, np.array([0.21, 0.18, 0.16, 0.12]), u, v))
        layers.append(_palm(u, v))
        skins = lit * (1 + 0.025 * grain(22 * u, 22 * v) + 0.03 * grain(5 * u, 5 * v))
        opacity, shade = layered(
            (np.zeros(u.shape), np.zeros((*u.shape, 1))),
            *((alpha, tone[..., None]) for alpha, tone in layers),
        )
        cloth = (u < cuff) & (np.abs(v) < 0.62) & (u > -ARM)
        folds = 0.85 - 0.5 * (v / 0.62) ** 2 + 0.12 * grain(3 * u, 6 * v) - 0.2 * (u > cuff - 0.05)
        return layered(
            (opacity, shade * skins[..., None] * skin),
            (cloth.astype(float), (lit * folds)[..., None] * sleeve),
        )

    corners = np.array([[-ARM, -1.3], [3.0, -1.3], [3.0, 0.9], [-ARM, 0.9]])
    corners = _in_face((corners - back) * size, angle, from_left) + mouth
    return box_around(head.in_image(corners), 0.1 * head.unit), look


def _in_hand(dx: Floats, dy: Floats, angle: float, from_left: bool) -> tuple[Floats, Floats]:
    """Turn from the face's frame to the hand's, whose fingers point up and across the face."""
    dx = dx if from_left else -dx
    cos, sin = np.cos(angle), np.sin(angle)
    return cos * dx - sin * dy, sin * dx + cos * dy


def _in_face(points: Floats, angle: float, from_left: bool) -> Floats:
    turned = geometry.apply(geometry.rotation(-angle, (0, 0)), points)
    return turned if from_left else turned * (-1, 1)


def _joints(
    knuckle: tuple[float, float], length: float, way: float, spread: float, turn: float
) -> Floats:
    """Bend a finger a little at each joint."""
    ways = np.radians(way * spread + turn * np.array([0.0, 0.6, 1.0]))
    steps = np.diff(JOINTS)[:, None] * length * np.stack([np.cos(ways), np.sin(ways)], 1)
    return np.concatenate([[knuckle], knuckle + np.cumsum(steps, 0)])


def _arm(u: Floats, v: Floats) -> tuple[Floats, Floats]:
    _, aside, distance = rod((0.2, 0), (-ARM, 0), 0.4, 0.56).measure(u, v)
    return (distance <= 1).astype(float), 0.55 + 0.45 * roundness(distance) - 0.08 * aside


def _palm(u: Floats, v: Floats) -> tuple[Floats, Floats]:
    """Join the back of the hand from rods to each knuckle; tendons and knuckles stand out."""
    opacity, height = np.zeros(u.shape), np.zeros(u.shape)
    relief = np.zeros(u.shape)
    for (x, y), _, _ in FINGERS:
        forward, aside, distance = rod((0.12, 0.5 * y), (x, y), 0.36, 0.2).measure(u, v)
        opacity = np.maximum(opacity, distance <= 1)
        height = np.maximum(height, roundness(distance))
        relief += 0.05 * np.exp(-((aside / 0.3) ** 2)) * np.clip(forward, 0, 1) * (forward < 1.1)
        near = np.hypot((u - x) / 0.15, (v - y) / 0.13)
        relief += 0.09 * np.exp(-(near**2)) - 0.1 * np.exp(-(((near - 1.25) / 0.3) ** 2)) * (u > x)
    _, _, web = rod((0.3, -0.3), (0.8, -0.66), 0.3, 0.2).measure(u, v)
    opacity = np.maximum(opacity, web <= 1)
    height = np.maximum(height, roundness(web))
    return opacity.astype(float), 0.75 + 0.23 * height**0.6 + relief - 0.06 * v
