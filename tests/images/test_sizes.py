"""What is known of an image before anything is decoded, and images as the content of files."""

import io

import numpy as np
import PIL.Image
import pytest

from mien import images
from mien.errors import InputError


def picture(kind: str, orientation: int = 1) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    PIL.Image.new("RGB", (60, 40), "teal").save(stream, kind, exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_the_size_is_that_of_the_upright_image(kind: str, orientation: int) -> None:
    data = picture(kind, orientation)
    assert images.size_hw(data) == images.read(data).shape[:2]


def test_the_size_of_a_broken_image_is_known_from_its_head() -> None:
    data = images.encoded(np.zeros((400, 600, 3), np.uint8), ".png")
    assert images.size_hw(data[: len(data) // 2]) == (400, 600)


def test_a_limit_on_pixels_is_worded_and_has_its_own_kind() -> None:
    data = picture("PNG")
    assert images.size_hw(data, pixels=2400) == (40, 60)
    with pytest.raises(images.TooManyPixelsError, match=r"60 x 40 pixels, more than 0\.0023 m"):
        images.size_hw(data, pixels=2300)


def test_what_is_no_image_has_no_size() -> None:
    with pytest.raises(InputError, match="is not an image"):
        images.size_hw(b"no image")


@pytest.mark.parametrize("shape", [(5, 7), (5, 7, 3)])
def test_an_encoded_image_is_read_back(shape: tuple[int, ...], rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(images.read(images.encoded(image, ".png")), image)
    small, large = (len(images.encoded(image, ".jpg", quality=q)) for q in (10, 95))
    assert small < large
