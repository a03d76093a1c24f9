"""What is known of an image before anything is decoded, and images as the content of files."""

import io
import struct
import zlib

import numpy as np
import PIL.Image
import pytest

from mien import images
from mien.errors import InputError

AVIF = pytest.param(
    "AVIF", marks=pytest.mark.skipif(".avif" not in images.SUFFIXES, reason="Pillow lacks it")
)


def picture(kind: str, orientation: int = 1) -> bytes:
    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    stream = io.BytesIO()
    PIL.Image.new("RGB", (60, 40), "teal").save(stream, kind, exif=exif)
    return stream.getvalue()


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF", AVIF])
def test_the_size_is_that_of_the_upright_image(kind: str, orientation: int) -> None:
    data = picture(kind, orientation)
    assert images.size_hw(data) == images.read(data).shape[:2]


def chunk(kind: bytes, content: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum


EXIF = b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0\0"
XMP = b'<x:xmpmeta><rdf:Description tiff:Orientation="6"/></x:xmpmeta>'
TURNS = {
    "Exif": chunk(b"eXIf", EXIF[6:]),
    "XMP": chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + XMP),
    "raw": chunk(
        b"zTXt",
        b"Raw profile type exif\0\0"
        + zlib.compress(f"\nexif\n{len(EXIF):8d}\n{EXIF.hex()}\n".encode()),
    ),
}


@pytest.mark.parametrize("place", [33, -12])  # behind the head, before the end
@pytest.mark.parametrize("turn", TURNS)
def test_a_png_may_tell_its_turn_in_any_way_anywhere(turn: str, place: int) -> None:
    data = images.encoded(np.zeros((40, 60, 3), np.uint8), ".png")
    told = data[:place] + TURNS[turn] + data[place:]
    assert images.size_hw(told) == images.read(told).shape[:2] == (60, 40)


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
