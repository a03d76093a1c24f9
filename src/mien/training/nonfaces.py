"""Pictures that are no faces, made from nothing or from pieces of faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from mien import images
from mien.occlusion.shapes import box_mask, polygon_mask

Pixels = npt.NDArray[np.uint8]
Cover = npt.NDArray[np.bool_]


def _stretched(values: npt.NDArray[np.floating], rng: np.random.Generator) -> Pixels:
    low, high = np.sort(rng.uniform(0, 255, 2))
    span = np.ptp(values) or 1.0
    scaled = (values - values.min()) / span * max(high - low, 20.0) + low
    stretched: Pixels = np.clip(scaled, 0, 255).astype(np.uint8)
    return stretched


def _clouds(side: int, rng: np.random.Generator) -> Pixels:
    """Noise whose spectrum falls as 1/f^a: clouds, foliage, plaster."""
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    frequency[0, 0] = 1 / side
    spectrum = np.fft.fft2(rng.normal(size=(side, side))) / frequency ** rng.uniform(0.2, 2.0)
    return _stretched(np.fft.ifft2(spectrum).real, rng)


def _waves(side: int, rng: np.random.Generator) -> Pixels:
    """Stripes and checks at random angles."""
    y, x = np.mgrid[:side, :side].astype(float)
    total = np.zeros((side, side))
    for _ in range(rng.integers(1, 4)):
        wave = rng.normal(0, 0.5, 2)
        total += np.sin(x * wave[0] + y * wave[1] + rng.uniform(0, 6))
    return _stretched(np.sign(total) if rng.random() < 0.4 else total, rng)


def _shapes(side: int, rng: np.random.Generator) -> Pixels:
    """Ellipses, boxes and triangles one over another."""
    picture = _clouds(side, rng)
    for _ in range(rng.integers(2, 14)):
        picture[SHAPES[rng.integers(len(SHAPES))](side, rng)] = rng.integers(256)
    return picture


def _box(side: int, rng: np.random.Generator) -> Cover:
    (left, top), (right, bottom) = np.sort(rng.uniform(-0.2 * side, 1.2 * side, (2, 2)), axis=0)
    return box_mask((left, top, right, bottom), (side, side))


def _triangle(side: int, rng: np.random.Generator) -> Cover:
    return polygon_mask(rng.uniform(0, side, (3, 2)), (side, side))


def _disc(side: int, rng: np.random.Generator) -> Cover:
    y, x = np.mgrid[:side, :side]
    centre, radii = rng.uniform(0, side, 2), rng.uniform(0.05 * side, 0.5 * side, 2)
    inside: Cover = ((x - centre[0]) / radii[0]) ** 2 + ((y - centre[1]) / radii[1]) ** 2 <= 1
    return inside


SHAPES = (_box, _triangle, _disc)


def _writing(side: int, rng: np.random.Generator) -> Pixels:
    """Rows of small strokes on a plain ground, as a printed page looks from afar."""
    picture = np.full((side, side), rng.integers(256), dtype=np.uint8)
    tone, height = rng.integers(256), int(rng.integers(3, 9))
    for top in range(int(rng.integers(0, height)), side, height + int(rng.integers(2, 6))):
        strokes = rng.random((height, side)) < rng.uniform(0.3, 0.6)
        picture[top : top + height][strokes[: side - top]] = tone
    return picture


def _jigsaw(face: Pixels, rng: np.random.Generator) -> Pixels:
    """Shuffle the tiles of a face: its parts are there, the face is not."""
    side = len(face)
    tiles = int(rng.choice([3, 4, 6]))
    step = side // tiles
    order = rng.permutation(tiles * tiles)
    rows = [face[i * step : (i + 1) * step] for i in range(tiles)]
    parts = [row[:, j * step : (j + 1) * step] for row in rows for j in range(tiles)]
    turned = [parts[k] if rng.random() < 0.5 else parts[k][::-1] for k in order]
    return np.vstack([np.hstack(turned[i * tiles : (i + 1) * tiles]) for i in range(tiles)])


def _fragment(face: Pixels, rng: np.random.Generator) -> Pixels:
    """Enlarge a small piece of a face: skin, hair, the rim of the picture."""
    side = len(face)
    size = int(rng.integers(side // 6, side // 3))
    top, left = rng.integers(0, side - size, 2)
    return images.resize(face[top : top + size, left : left + size], (side, side))


FROM_NOTHING: tuple[Callable[[int, np.random.Generator], Pixels], ...] = (
    _clouds,
    _waves,
    _shapes,
    _shapes,
    _writing,
)
FROM_FACES = (_jigsaw, _fragment)


def textures(count: int, side: int, rng: np.random.Generator) -> Pixels:
    """Make generated textures (count, side, side)."""
    return np.stack([FROM_NOTHING[i % len(FROM_NOTHING)](side, rng) for i in range(count)])


def pieces(faces: Pixels, count: int, rng: np.random.Generator) -> Pixels:
    """Take faces (N, H, H) apart into pictures (count, H, H) that are none."""
    chosen = rng.integers(len(faces), size=count)
    side = faces.shape[1]
    made = [FROM_FACES[i % len(FROM_FACES)](faces[k], rng) for i, k in enumerate(chosen)]
    return np.stack([piece[:side, :side] for piece in made])


def background(
    image: Pixels,
    face_box: tuple[int, int, int, int],
    count: int,
    side: int,
    rng: np.random.Generator,
) -> Pixels:
    """Cut squares of any size from a grey photograph (H, W) beside the face's box."""
    height, width = image.shape
    left, top, right, bottom = face_box
    found: list[Pixels] = []
    while len(found) < count:
        size = int(rng.integers(side // 2, min(height, width) // 2))
        y, x = int(rng.integers(0, height - size)), int(rng.integers(0, width - size))
        if x < right and x + size > left and y < bottom and y + size > top:
            continue
        found.append(images.resize(image[y : y + size, x : x + size], (side, side)))
    return np.stack(found)
