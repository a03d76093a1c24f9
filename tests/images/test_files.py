import io
import os
import struct
import tracemalloc
import zlib

import numpy as np
import PIL.Image
import pytest

from mien import images
from mien.errors import InputError, OutputError, UsageError
from mien.images.files import FORMATS


def encoded(picture, kind, **options):
    stream = io.BytesIO()
    picture.save(stream, kind, **options)
    return stream.getvalue()


@pytest.fixture
def scene():
    """A smooth RGB picture (40, 60, 3), so that lossy kinds change it little."""
    y, x = np.mgrid[:40, :60]
    return np.stack([x * 4, y * 6, 255 - x * 2 - y * 3], axis=-1).astype(np.uint8)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind != "GIF"])
def test_every_kind_of_file_is_read(kind, scene):
    options = {"quality": 95} if kind in ("JPEG", "WEBP", "AVIF") else {}
    image = images.read(encoded(PIL.Image.fromarray(scene), kind, **options))
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - scene).mean() < 3


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_the_first_frame_is_read(kind):
    frames = [PIL.Image.new("RGB", (8, 6), colour) for colour in ("red", "blue")]
    data = encoded(frames[0], kind, save_all=True, append_images=frames[1:])
    assert np.abs(images.read(data).astype(int) - (255, 0, 0)).max() < 8


def test_a_path_with_a_nul_character_is_refused():
    with pytest.raises(InputError, match="no path has a NUL"):
        images.read("a.jpg\0b.jpg")


def test_a_grey_file_stays_grey(scene):
    grey = scene[:, :, 0]
    assert np.array_equal(images.read(encoded(PIL.Image.fromarray(grey), "PNG")), grey)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_what_is_transparent_is_white(mode):
    picture = PIL.Image.new("RGBA", (4, 2), (255, 0, 0, 255))
    picture.putpixel((0, 0), (0, 0, 0, 0))
    image = images.read(encoded(picture.convert(mode), "PNG"))
    assert image[0, 0].tolist() == [255, 255, 255]
    assert image[1, 1, 0] > image[1, 1, 1] or mode == "LA"


@pytest.mark.parametrize("mode", ["1", "L", "RGB"])
def test_a_colour_that_stands_for_transparent_is_white(mode):
    picture = PIL.Image.new(mode, (2, 1), "white" if mode == "1" else 200)
    picture.putpixel((0, 0), 0)
    picture.putpixel((1, 0), (90, 80, 70) if mode == "RGB" else 70)
    image = images.read(encoded(picture, "PNG", transparency=(0, 0, 0) if mode == "RGB" else 0))
    assert image[0].tolist() == [
        [255] * 3,
        {"RGB": [90, 80, 70], "L": [70] * 3}.get(mode, [255] * 3),
    ]


def test_a_palette_is_looked_up():
    picture = PIL.Image.new("RGB", (4, 4), (200, 30, 40)).quantize()
    assert np.abs(images.read(encoded(picture, "PNG")).astype(int) - (200, 30, 40)).max() <= 4


def test_cmyk_becomes_rgb():
    picture = PIL.Image.new("CMYK", (8, 8), (0, 255, 255, 0))
    assert np.abs(images.read(encoded(picture, "TIFF")).astype(int) - (255, 0, 0)).max() <= 1


def test_one_bit_becomes_black_and_white():
    picture = PIL.Image.new("1", (3, 1), 1)
    picture.putpixel((0, 0), 0)
    assert images.read(encoded(picture, "PNG")).tolist() == [[0, 255, 255]]


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_sixteen_bits_are_scaled_not_clipped(kind):
    levels = np.array([[0, 255, 257 * 100, 65535]], np.uint16)
    image = images.read(encoded(PIL.Image.fromarray(levels), kind))
    assert image.tolist() == [[0, 1, 100, 255]]


def test_sixteen_bits_in_the_other_order_are_scaled():
    levels = np.array([[0, 255, 257 * 100, 200]], ">u2")
    picture = PIL.Image.frombytes("I;16B", (4, 1), levels.tobytes())
    assert images.read(encoded(picture, "TIFF")).tolist() == [[0, 1, 100, 1]]


@pytest.mark.parametrize(
    ("levels", "expected"),
    [
        (np.array([[0.0, 0.5, 1.0, np.nan]], np.float32), [0, 128, 255, 0]),
        (np.array([[0.0, 127.6, 255.0, -4]], np.float32), [0, 128, 255, 0]),
        (np.array([[0, 200, 7, 255]], np.int32), [0, 200, 7, 255]),
        (np.array([[0, 257, 65535, 514]], np.int32), [0, 1, 255, 2]),
    ],
)
def test_numbers_of_32_bits_are_scaled(levels, expected):
    assert images.read(encoded(PIL.Image.fromarray(levels), "TIFF")).tolist() == [expected]


def test_many_levels_are_scaled_in_little_memory():
    levels = np.arange(9_000_000, dtype=np.uint16).reshape(3000, 3000)
    data = encoded(PIL.Image.fromarray(levels), "TIFF")
    tracemalloc.start()
    image = images.read(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert np.array_equal(image, np.rint(levels / 257))
    assert peak < 10 * levels.size


def test_what_memory_does_not_hold_is_not_called_broken(scene, monkeypatch):
    def fail(self):
        raise MemoryError

    monkeypatch.setattr(PIL.Image.Image, "load", fail)
    with pytest.raises(images.TooManyPixelsError, match="more memory than there is, with 60 x 40"):
        images.read(PIL.Image.fromarray(scene))


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_honoured(orientation, scene):
    from PIL import ImageOps

    exif = PIL.Image.Exif()
    exif[0x0112] = orientation
    data = encoded(PIL.Image.fromarray(scene), "PNG", exif=exif)
    upright = ImageOps.exif_transpose(PIL.Image.open(io.BytesIO(data)))
    assert np.array_equal(images.read(data), np.asarray(upright))


def test_garbled_exif_does_not_hide_the_picture(scene):
    data = encoded(PIL.Image.fromarray(scene), "PNG", exif=b"Exif\x00\x00nonsense")
    assert np.array_equal(images.read(data), scene)


def test_a_large_jpeg_may_come_smaller_but_not_too_small():
    y, x = np.mgrid[:801, :1203]
    data = encoded(PIL.Image.fromarray(((x + y) // 8).astype(np.uint8)), "JPEG")
    image, scale = images.read_scaled(data, least_side=200)
    assert image.shape == (201, 301)
    assert scale == pytest.approx(4, abs=0.01)
    assert images.read(data, least_side=201).shape == (401, 602)
    assert images.read(data).shape == (801, 1203)


def test_arrays_and_pillow_images_go_in(scene):
    assert images.read(scene) is scene
    assert np.array_equal(images.read(PIL.Image.fromarray(scene)), scene)


@pytest.mark.parametrize(
    "array",
    [np.zeros((4, 4), np.float32), np.zeros((4, 4, 2), np.uint8), np.zeros((0, 4), np.uint8)],
)
def test_an_array_of_another_kind_is_refused(array):
    with pytest.raises(InputError, match=r"must be uint8 of shape \(H, W\)"):
        images.read(array)


def test_a_path_is_read(tmp_path, scene):
    images.write(tmp_path / "scene.png", scene)
    assert np.array_equal(images.read(tmp_path / "scene.png"), scene)
    assert np.array_equal(images.read(str(tmp_path / "scene.png")), scene)


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "is empty"), (b"just text\n" * 50, "is not an image")],
)
def test_what_is_no_image_is_named(tmp_path, content, message):
    path = tmp_path / "photo.jpg"
    path.write_bytes(content)
    with pytest.raises(InputError, match=rf"photo\.jpg {message}"):
        images.read(path)


@pytest.mark.parametrize("kind", [kind for kind in FORMATS if kind not in ("GIF", "TIFF")])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_file_cut_short_is_named(tmp_path, kind, share, rng):
    noise = PIL.Image.fromarray(rng.integers(0, 256, (50, 50, 3), dtype=np.uint8))
    data = encoded(noise, kind)
    path = tmp_path / "photo.jpg"
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(InputError, match=r"photo\.jpg"):
        images.read(path)


@pytest.mark.skipif("AVIF" not in FORMATS, reason="Pillow lacks it")
def test_an_avif_with_a_garbled_head_is_named(scene):
    data = encoded(PIL.Image.fromarray(scene), "AVIF")
    with pytest.raises(InputError, match="the given bytes is broken"):
        images.read(data.replace(b"iloc", b"lost"))


def test_a_missing_path_and_a_folder_are_named(tmp_path):
    with pytest.raises(InputError, match=r"gone\.jpg: No such file"):
        images.read(tmp_path / "gone.jpg")
    with pytest.raises(InputError, match="Is a directory"):
        images.read(tmp_path)


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is unreadable for root")
def test_an_unreadable_file_is_named(tmp_path, scene):
    path = tmp_path / "scene.png"
    images.write(path, scene)
    path.chmod(0)
    with pytest.raises(InputError, match=r"scene\.png: Permission denied"):
        images.read(path)


def huge_png(width, height):
    """The start of a PNG that claims to be huge; its pixels never come."""

    def chunk(name, data):
        checksum = struct.pack(">I", zlib.crc32(name + data))
        return struct.pack(">I", len(data)) + name + data + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0"))


def test_a_huge_picture_is_refused_before_it_is_decoded(tmp_path):
    path = tmp_path / "huge.png"
    path.write_bytes(huge_png(30_000, 30_000))
    limit = PIL.Image.MAX_IMAGE_PIXELS
    with pytest.raises(InputError, match=r"huge\.png has 30000 x 30000 pixels"):
        images.read(path)
    assert limit == PIL.Image.MAX_IMAGE_PIXELS


def test_a_large_but_bearable_picture_gives_no_warning():
    data = encoded(PIL.Image.new("1", (12_000, 10_000)), "PNG")
    assert images.read(data).shape == (10_000, 12_000)


def test_a_picture_of_one_pixel_is_read():
    assert images.read(encoded(PIL.Image.new("RGB", (1, 1)), "PNG")).shape == (1, 1, 3)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".webp", ".bmp", ".tiff"])
def test_what_is_written_can_be_read(tmp_path, suffix, scene):
    path = tmp_path / f"out{suffix}"
    images.write(path, scene)
    assert np.abs(images.read(path).astype(int) - scene).mean() < 3
    assert [entry.name for entry in tmp_path.iterdir()] == [path.name]


def test_an_unknown_suffix_is_refused(tmp_path, scene):
    with pytest.raises(UsageError, match=r"out\.xyz: the suffix must be one of \.png"):
        images.write(tmp_path / "out.xyz", scene)


def test_a_picture_too_long_for_its_kind_is_an_error(tmp_path):
    with pytest.raises(OutputError, match=r"long\.webp: .*16383.*name another suffix"):
        images.write(tmp_path / "long.webp", np.zeros((1, 16_384), np.uint8))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_not_there_is_named(tmp_path, scene):
    with pytest.raises(OutputError, match=r"cannot write .*gone/out\.png: No such file"):
        images.write(tmp_path / "gone" / "out.png", scene)


def test_a_full_disk_leaves_the_old_file_and_nothing_half_written(tmp_path, scene, monkeypatch):
    path = tmp_path / "out.png"
    images.write(path, scene)
    old = path.read_bytes()

    def fail(self, stream, **options):
        stream.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PIL.Image.Image, "save", fail)
    with pytest.raises(OutputError, match="No space left on device"):
        images.write(path, scene[::-1])
    assert path.read_bytes() == old
    assert len(list(tmp_path.iterdir())) == 1


def test_what_cannot_be_an_image_is_refused() -> None:
    with pytest.raises(UsageError, match="a NumPy array, got NoneType"):
        images.read(None)  # type: ignore[arg-type]
