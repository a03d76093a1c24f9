"""A headset for virtual reality, worn before the eyes."""

from dataclasses import dataclass

import numpy as np

from mien.occlusion.head import NOSE_TIP, Head, Light, drawn
from mien.occlusion.kinds import Draw, Mask, Points
from mien.occlusion.painting import Box, Floats, Look, Places, box_around, layered
from mien.occlusion.patterns import noise

SHELLS = ((226, 228, 230), (30, 31, 34), (58, 60, 66), (196, 198, 204))
STRAPS = ((60, 62, 66), (24, 24, 26), (150, 152, 156))
LENS = (10, 10, 12)
DEEP = 9  # layers between the face and the front


@dataclass(frozen=True)
class _Shell:
    """A box before the eyes in the face's frame."""

    middle: Floats
    half: Floats
    forward: Floats  # from its back at the face to its front, as the picture shows it
    square: float

    def within(self, x: Floats, y: Floats, part: float) -> tuple[Floats, Floats, Floats]:
        """Give across, down and distance with the outline at 1, a part of the way forward."""
        across, down = self.middle + part * self.forward
        size = self.half * (0.96 + 0.04 * part)
        across, down = (x - across) / size[0], (y - down) / size[1]
        distance = (np.abs(across) ** self.square + np.abs(down) ** self.square) ** (
            1 / self.square
        )
        return across, down, distance


def headset(*, severity: float = 1.0) -> Draw:
    """Put on a headset: a deep shell over eyes and brows, straps round and over the head.

    A lower severity makes it flatter.
    """
    return drawn(plan, severity)


def plan(
    points_xy: Points, light: Light, rng: np.random.Generator, severity: float
) -> tuple[Box, Look]:
    head = Head.of(points_xy)
    shell_tone = np.array(SHELLS[rng.integers(len(SHELLS))]) * light.level
    strap_tone = np.array(STRAPS[rng.integers(len(STRAPS))]) * light.level
    glossy, cameras = rng.random() < 0.4, int(rng.choice([2, 4]))
    sizes = rng.uniform((0.86, 0.44), (0.98, 0.54)), rng.uniform(3.2, 6.0)
    grain, crown = noise(rng), rng.random() < 0.7
    shell = _shell(head, *sizes, severity)
    notch = head.points[NOSE_TIP] - (0, 0.02)

    def look(places: Places) -> tuple[Floats, Floats]:
        x, y = head.at(places)
        lit = light.shade(head.facing(x))
        body, front = np.zeros(lit.shape, dtype=bool), shell.within(x, y, 1.0)
        for part in np.linspace(0, 1, DEEP):
            body |= shell.within(x, y, float(part))[2] <= 1
        # The nose reaches into the lower edge.
        nose = np.hypot((x - notch[0]) / 0.24, (y - notch[1]) / 0.34) < 1
        across, down, distance = front
        side_shade = lit * (0.62 - 0.2 * np.clip(down, -1, 1))
        tone = _front(across, down, glossy) * lit + 0.02 * grain(30 * x, 30 * y)
        face = tone[..., None] * shell_tone
        rim = (0.5 * lit)[..., None] * shell_tone
        face = np.where((distance > 0.94)[..., None], rim, face)
        for at, height in _cameras(cameras):
            hole = np.hypot((across - at) * shell.half[0], (down - height) * shell.half[1])
            face = np.where((hole < 0.075 * severity)[..., None], LENS, face)
            face = np.where((hole < 0.025 * severity)[..., None], np.multiply(LENS, 9), face)
        cover = (body & ~nose).astype(float)
        band, band_tone = _straps(head, shell, x, y, crown, severity)
        return layered(
            (band.astype(float), (lit * band_tone)[..., None] * strap_tone),
            (cover, side_shade[..., None] * shell_tone),
            (cover * (distance <= 1), face),
        )

    right, left = head.sides
    reach = np.array([max(right, left) + 0.6, 1.9])
    corners = shell.middle + np.array([[-1, -1], [1, -1], [1, 0.6], [-1, 0.6]]) * reach
    return box_around(head.in_image(corners), 0.1 * head.unit), look


def _shell(head: Head, half: Floats, square: float, severity: float) -> _Shell:
    """Span the face at the eyes, nearer on the side that a head turns away."""
    right, left = head.sides
    bridge = head.points[27, 0]
    ends = bridge - 0.92 * right, bridge + 0.92 * left
    width = max((ends[1] - ends[0]) / 2, 0.45) * half[0]
    middle = np.array([(ends[0] + ends[1]) / 2, -0.06])
    return _Shell(
        middle=middle,
        half=np.array([width, half[1] * severity]),
        forward=np.array([0.5 * head.turn, 0.03 * severity]),
        square=square,
    )


def _front(across: Floats, down: Floats, glossy: bool) -> Floats:
    """Round the front off; on a glossy one the sky is reflected."""
    shade = 1.0 - 0.16 * across**2 - 0.2 * down
    if glossy:
        sheen = np.exp(-(((down + 0.45 + 0.25 * across) / 0.16) ** 2))
        return np.asarray(0.62 * shade + 0.5 * sheen)
    return np.asarray(shade - 0.1 * (np.abs(down - 0.02) < 0.025) * (np.abs(across) < 0.55))


def _cameras(count: int) -> list[tuple[float, float]]:
    return [(aside, down) for aside in (-0.74, 0.74) for down in (-0.55, 0.5)[: count // 2]]


def _straps(
    head: Head, shell: _Shell, x: Floats, y: Floats, crown: bool, severity: float
) -> tuple[Mask, Floats]:
    """Lead a band round the head to the ears, and one over the crown."""
    right, left = head.sides
    nose = head.points[NOSE_TIP, 0]
    aside = x - shell.middle[0]
    wide = np.where(aside < 0, shell.middle[0] - nose + right, nose + left - shell.middle[0])
    reach = np.abs(aside) / np.maximum(wide, 0.2)
    height = y - shell.middle[1] - 0.03 - 0.06 * reach
    band = (np.abs(height) < 0.15 * severity) & (reach < 1.05)
    shade = 1 - 0.5 * (height / 0.2) ** 2
    if crown:
        top = y - shell.middle[1] + shell.half[1]
        narrow = 0.17 * severity * (1 + 0.25 * np.clip(top, -2, 0))
        over = (np.abs(aside - 0.25 * head.turn) < narrow) & (top < 0.1) & (top > -1.15)
        shade = np.where(over, 1 - 0.35 * (aside / 0.2) ** 2 + 0.3 * top, shade)
        band |= over
    return band, np.clip(shade, 0.25, 1.1)
