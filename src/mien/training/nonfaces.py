"""Pictures that are no faces, made from nothing or from pieces of faces."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

Pixels = npt.NDArray[np.uint8]


def _stretched(values: npt.NDArray[np.floating], rng: np.random.Generator) -> Pixels:
    low, high = np.sort(rng.uniform(0, 255, 2))
    span = np.ptp(values) or 1.0
    scaled = (values - values.min()) / span * max(high - low, 20.0) + low
    return np.clip(scaled, 0, 255).astype(np.uint8)


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
    """Ellipses, boxes, lines and triangles one over another."""
    canvas = Image.fromarray(_clouds(side, rng))
    draw = ImageDraw.Draw(canvas)
    for _ in range(rng.integers(2, 14)):
        corners = np.sort(rng.uniform(-0.2 * side, 1.2 * side, (2, 2)), axis=0)
        box = (*corners[0].tolist(), *corners[1].tolist())
        tone = int(rng.integers(256))
        kind = rng.integers(4)
        if kind == 0:
            draw.ellipse(box, fill=tone)
        elif kind == 1:
            draw.rectangle(box, fill=tone)
        elif kind == 2:
            draw.line(box, fill=tone, width=int(rng.integers(1, 5)))
        else:
            draw.polygon([tuple(p) for p in rng.uniform(0, side, (3, 2)).tolist()], fill=tone)
    return np.asarray(canvas)


def _writing(side: int, rng: np.random.Generator) -> Pixels:
    canvas = Image.new("L", (side, side), int(rng.integers(256)))
    draw = ImageDraw.Draw(canvas)
    tone = int(rng.integers(256))
    for top in range(0, side, int(rng.integers(7, 14))):
        letters = "".join(chr(int(c)) for c in rng.integers(33, 126, 12))
        draw.text((float(rng.uniform(-5, 5)), top), letters, fill=tone)
    return np.asarray(canvas)


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
    piece = Image.fromarray(face[top : top + size, left : left + size])
    return np.asarray(piece.resize((side, side), Image.Resampling.BICUBIC))


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


def background(image: Pixels, face_box: tuple[int, int, int, int], count: int, side: int,
               rng: np.random.Generator) -> Pixels:
    """Cut squares of any size from a grey photograph (H, W) beside the face's box."""
    height, width = image.shape
    left, top, right, bottom = face_box
    found: list[Pixels] = []
    while len(found) < count:
        size = int(rng.integers(side // 2, min(height, width) // 2))
        y, x = int(rng.integers(0, height - size)), int(rng.integers(0, width - size))
        if x < right and x + size > left and y < bottom and y + size > top:
            continue
        piece = Image.fromarray(image[y : y + size, x : x + size])
        found.append(np.asarray(piece.resize((side, side), Image.Resampling.BOX)))
    return np.stack(found)
