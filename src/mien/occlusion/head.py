"""How a head lies in a picture, and in what light: what drawn objects follow."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mien import geometry
from mien.errors import UsageError
from mien.occlusion.kinds import Draw, Image, Mask, Points
from mien.occlusion.painting import LUMA, Box, Floats, Look, Places, exposure, paint

MIDLINE = [27, 28, 29, 30, 33, 51, 57, 8]
BRIDGE, NOSE_TIP, NOSE_BASE, CHIN, UPPER_LIP = 27, 30, 33, 8, 51
# On a usual face the eyes are as far apart as they lie above the upper lip; a turn brings them
# nearer, and then the lip says how large the face is.
_LIP = 0.92
# Cheeks lie between these points: from a jaw's point towards one of nose, eye or mouth.
_CHEEK = [(1, 31), (2, 31), (3, 31), (2, 41), (3, 48)]
_PARTS = np.array([0.35, 0.5, 0.65])
_SIDE_MOST = 0.3


@dataclass(frozen=True)
class Head:
    """A face in its own frame: the middle of the eyes is (0, 0), x along them, y down.

    One unit is the distance between the eyes of the same face seen from the front.
    """

    to_face: Floats  # (2, 3), from pixels
    points: Floats  # (68, 2)
    unit: float  # pixels

    @classmethod
    def of(cls, points_xy: Points) -> "Head":
        """Find the frame of 68 points; it never degenerates."""
        points = points_xy.astype(np.float64)
        right, left = points[geometry.RIGHT_EYE].mean(0), points[geometry.LEFT_EYE].mean(0)
        middle, apart = (right + left) / 2, left - right
        down = points[geometry.MOUTH].mean(0) - middle
        # The line of the eyes says little about the tilt of a head seen from the side.
        axis = apart + 0.3 * np.array([down[1], -down[0]])
        length = float(np.hypot(*axis))
        axis = axis / length if length > 1e-6 else np.array([1.0, 0.0])
        across = np.array([-axis[1], axis[0]])
        lip = _LIP * float((points[UPPER_LIP] - middle) @ across)
        unit = max(float(np.hypot(*apart)), lip, 1e-3)
        linear = np.stack([axis, across]) / unit
        to_face = np.column_stack([linear, -linear @ middle])
        return cls(to_face, geometry.apply(to_face, points), unit)

    def in_image(self, points: Floats) -> Floats:
        return geometry.apply(geometry.invert(self.to_face), points)

    def at(self, places: Places) -> tuple[Floats, Floats]:
        """Give (H, W) the places in the face's frame."""
        (a, b, c), (d, e, f) = self.to_face
        return a * places.x + b * places.y + c, d * places.x + e * places.y + f

    @property
    def turn(self) -> float:
        """How far the nose lies towards +x, about -1 to 1 from profile to profile."""
        right, left = self.sides
        return float(np.clip((right - left) / (right + left), -1, 1))

    @property
    def sides(self) -> tuple[float, float]:
        """How far the jaw lies from the nose towards -x and +x."""
        x = self.points[:, 0]
        reach = x[NOSE_TIP] - min(x[1:4]), max(x[13:16]) - x[NOSE_TIP]
        return max(float(reach[0]), 0.25), max(float(reach[1]), 0.25)

    def middle(self, y: Floats) -> Floats:
        """Follow the line from the bridge of the nose to the chin."""
        line = self.points[MIDLINE]
        return np.asarray(np.interp(y, np.maximum.accumulate(line[:, 1]), line[:, 0]))

    def around(self, x: Floats, y: Floats) -> Floats:
        """Say how far round the head a place lies: -1 at one ear, 0 at the nose, 1 at the other."""
        aside = x - self.middle(y)
        right, left = self.sides
        return np.asarray(np.clip(np.where(aside < 0, aside / right, aside / left), -1.3, 1.3))

    def facing(self, x: Floats) -> Floats:
        """Say how far a place lies between the outlines of the head, -1 and 1."""
        right, left = self.sides
        nose = self.points[NOSE_TIP, 0]
        return np.asarray(np.clip((2 * (x - nose) + right - left) / (right + left), -1.3, 1.3))


@dataclass(frozen=True)
class Light:
    """The light on a face: its level, 1 when good, and how much more of it comes from +x."""

    level: float
    side: float
    skin: Floats  # the mean colour of the cheeks, RGB

    @classmethod
    def on(cls, image: Image, points_xy: Points) -> "Light":
        """Read the light off the cheeks; a face outside the image has good light."""
        cheeks = np.stack([_cheek(points_xy, False), _cheek(points_xy, True)])
        x, y = np.moveaxis(np.rint(np.clip(cheeks, -9, 1e6)).astype(np.intp), -1, 0)
        seen = (x >= 0) & (y >= 0) & (x < image.shape[1]) & (y < image.shape[0])
        level = exposure(image, points_xy)
        if not seen.any(axis=1).all():
            return cls(level, 0.0, GOOD.skin * level)
        tones = image[np.where(seen, y, 0), np.where(seen, x, 0)].astype(np.float64)
        tones = tones if image.ndim == 3 else np.repeat(tones[..., None], 3, -1)
        share = seen / seen.sum(axis=1, keepdims=True)
        right, left = (tones * share[..., None]).sum(axis=1)
        difference = float((left - right) @ LUMA / max((left + right) @ LUMA, 1.0))
        return cls(level, float(np.clip(difference, -_SIDE_MOST, _SIDE_MOST)), (right + left) / 2)

    def shade(self, facing: Floats) -> Floats:
        """Lighten what faces the light."""
        return np.asarray(1 + 1.6 * self.side * np.clip(facing, -1, 1))


GOOD = Light(1.0, 0.0, np.array([200.0, 152.0, 128.0]))


def _cheek(points_xy: Points, left: bool) -> Floats:
    """Pick places (15, 2) on one cheek."""
    pairs = np.array(_CHEEK)
    pairs = geometry.MIRROR[pairs] if left else pairs
    start, end = points_xy[pairs[:, 0], None], points_xy[pairs[:, 1], None]
    return np.asarray((start + _PARTS[:, None] * (end - start)).reshape(-1, 2), np.float64)


# From points, light, a generator and a severity of more than 0 to where an object lies and how it
# looks there. What is drawn at random does not depend on the severity.
Plan = Callable[[Points, Light, np.random.Generator, float], tuple[Box, Look]]


def drawn(plan: Plan, severity: float) -> Draw:
    """Draw what is planned, or nothing at severity 0."""
    if not 0 <= severity <= 1:
        raise UsageError(f"severity must be from 0 (nothing drawn) to 1, got {severity}")

    def draw(image: Image, points_xy: Points, rng: np.random.Generator) -> tuple[Image, Mask]:
        if severity == 0:
            return image.copy(), np.zeros(image.shape[:2], dtype=bool)
        return paint(image, *plan(points_xy, Light.on(image, points_xy), rng, severity))

    return draw
