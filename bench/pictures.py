"""Pictures to measure on: photographs from the sample portrait, and scenes without a face."""

from io import BytesIO
from pathlib import Path

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from mien import images, weights
from mien.images import Image

USUAL_HW = (480, 640)
LARGE_HW = (4000, 6000)
QUALITY = 90
GRAIN = 4
SMOOTH = 4  # scenes are drawn so many times smaller: they have nothing finer


def photographs(folder: Path, count: int, rng: np.random.Generator) -> list[Path]:
    """Write JPEGs of 640x480 with one face each, all a little different."""
    portrait = images.read(weights.sample_portrait())
    paths = [folder / f"{number:05}.jpg" for number in range(count)]
    for path in paths:
        path.write_bytes(jpeg(_variant(portrait, rng)))
    return paths


def large_photograph(folder: Path, rng: np.random.Generator) -> Path:
    """Write a JPEG of 24 megapixels with one face, grainy like a camera's."""
    portrait = images.read(weights.sample_portrait())
    height = portrait.shape[1] * LARGE_HW[0] // LARGE_HW[1]
    path = folder / "large.jpg"
    path.write_bytes(jpeg(_grainy(images.resize(portrait[:height], LARGE_HW), rng)))
    return path


def jpeg(image: Image) -> bytes:
    """Compress an image."""
    stream = BytesIO()
    PIL.Image.fromarray(image).save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def scene(rng: np.random.Generator, size_hw: tuple[int, int] = USUAL_HW) -> Image:
    """Draw a picture without a face: a slope of light, clouds coarse and fine, tints, grain."""
    height, width = (side // SMOOTH for side in size_hw)
    y, x = np.mgrid[:height, :width, :1][:2] / max(height, width)
    slope = rng.normal(0, 60, 2)
    picture = rng.uniform(60, 190) + rng.normal(0, 12, 3) + x * slope[0] + y * slope[1]
    for cells in (3, 9, 27):
        clouds = _clouds(cells, (height, width), rng)
        # Mostly light and dark, a little colour, as in most rooms and streets.
        picture += (clouds[..., :1] + 0.25 * clouds) * rng.uniform(10, 55) / np.sqrt(cells)
    smooth = images.resize(picture.clip(24, 231).astype(np.uint8), size_hw)
    return smooth + rng.integers(-GRAIN, GRAIN + 1, smooth.shape, dtype=np.int8).astype(np.uint8)


def _variant(portrait: Image, rng: np.random.Generator) -> Image:
    """Cut 4:3 from the upper part, the head in it, at another place and light each time."""
    height = portrait.shape[1] * USUAL_HW[0] // USUAL_HW[1]
    top = int(rng.integers(0, 30))
    cut = images.resize(portrait[top : top + height], USUAL_HW)
    cut = cut[:, ::-1] if rng.random() < 0.5 else cut
    return _grainy((cut * rng.uniform(0.85, 1.0)).astype(np.uint8), rng)


def _grainy(image: Image, rng: np.random.Generator) -> Image:
    # Large pictures in bands: noise for all of one at once would take a gigabyte.
    bands = [
        (band + rng.normal(0, GRAIN, band.shape).astype(np.float32)).clip(0, 255).astype(np.uint8)
        for band in np.array_split(image, max(1, len(image) // 500))
    ]
    return np.concatenate(bands)


def _clouds(cells: int, size_hw: tuple[int, int], rng: np.random.Generator) -> NDArray[np.floating]:
    layers = [
        PIL.Image.fromarray(rng.normal(size=(cells, cells)).astype(np.float32)).resize(
            (size_hw[1], size_hw[0]), PIL.Image.Resampling.BICUBIC
        )
        for _ in range(3)
    ]
    return np.stack([np.asarray(layer) for layer in layers], axis=-1)
