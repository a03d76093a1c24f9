"""Images from and to files: every usual kind and mode, nothing half read or half written."""

import os
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageFile, features
from PIL.Image import Transpose

from mien.errors import InputError, OutputError, UsageError
from mien.files import opened, replacing
from mien.images.pixels import Image

Source = str | os.PathLike[str] | bytes | PIL.Image.Image | NDArray[Any]

# Pillow reads AVIF from 11.3 on, where it was built with it.
_AVIF = "avif" in features.modules and bool(features.check("avif"))
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "BMP", "GIF", "PPM", *["AVIF"] * _AVIF)
SUFFIXES = frozenset(
    ".jpg .jpeg .jpe .jfif .png .webp .tif .tiff .bmp .gif .pbm .pgm .pnm .ppm".split()
    + [".avif"] * _AVIF
)
MAX_PIXELS = 300_000_000
_BAND = 1 << 20

_ORIENTATION_TAG = 0x0112
_UPRIGHT = {
    2: Transpose.FLIP_LEFT_RIGHT,
    3: Transpose.ROTATE_180,
    4: Transpose.FLIP_TOP_BOTTOM,
    5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270,
    7: Transpose.TRANSVERSE,
    8: Transpose.ROTATE_90,
}
_SIDEWAYS = [_UPRIGHT[orientation] for orientation in (5, 6, 7, 8)]
_XMP, _PROFILE = b"XML:com.adobe.xmp", b"Raw profile type exif"
# What Pillow's plugins raise on broken files, as found by cutting and garbling files.
_BROKEN_FILE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    LookupError,
    TypeError,
    struct.error,
    OverflowError,
    RuntimeError,
    MemoryError,
    PIL.Image.DecompressionBombError,
)
_WRITE_OPTIONS: dict[str, dict[str, Any]] = {
    ".png": {"format": "PNG"},
    ".jpg": {"format": "JPEG", "quality": 92},
    ".jpeg": {"format": "JPEG", "quality": 92},
    ".webp": {"format": "WEBP", "quality": 92},
    ".bmp": {"format": "BMP"},
    ".tif": {"format": "TIFF"},
    ".tiff": {"format": "TIFF"},
    ".gif": {"format": "GIF"},
}
_open_lock = threading.Lock()


class TooManyPixelsError(InputError):
    """An image may be whole and yet more than is borne."""


def read(source: Source, *, least_side: int | None = None) -> Image:
    """Read an image upright as uint8 RGB (H, W, 3) or grey (H, W), the first frame if it has many.

    With `least_side`, a large JPEG may come smaller, its shorter side at least that.
    """
    return read_scaled(source, least_side=least_side)[0]


def read_scaled(source: Source, *, least_side: int | None = None) -> tuple[Image, float]:
    """Read an image as `read` does, and how many times larger the original is."""
    if isinstance(source, np.ndarray):
        return _checked(source), 1.0
    if isinstance(source, PIL.Image.Image):
        return _decoded(source, "the given image"), 1.0
    if not isinstance(source, bytes | str | os.PathLike):
        raise UsageError(
            "an image must be a path, bytes, a PIL image or a NumPy array,"
            f" got {type(source).__name__}"
        )
    name = "the given bytes" if isinstance(source, bytes) else os.fspath(source)
    with _opened(source, name) as picture:
        width, height = picture.size
        if least_side and picture.format in ("JPEG", "MPO"):
            least, shorter = min(least_side, width, height), min(width, height)
            picture.draft(None, (width * least // shorter, height * least // shorter))
        return _decoded(picture, name), max(width, height) / max(picture.size)


def size_hw(source: str | os.PathLike[str] | bytes, *, pixels: int = MAX_PIXELS) -> tuple[int, int]:
    """Tell the height and width of an upright image of so many pixels at most.

    Nothing is decoded but a PNG that tells only behind its pixels how it is turned.
    """
    name = "the given bytes" if isinstance(source, bytes) else os.fspath(source)
    with _opened(source, name, pixels) as picture:
        return picture.size if _on_its_side(picture) else picture.size[::-1]


def encoded(image: Image, suffix: str, **options: Any) -> bytes:
    """Give an image as the content of a file of the kind that the suffix names."""
    stream = BytesIO()
    PIL.Image.fromarray(image).save(stream, **{**_WRITE_OPTIONS[suffix], **options})
    return stream.getvalue()


def write(path: str | os.PathLike[str], image: Image) -> None:
    """Write an image in the kind its suffix names; the file appears whole or not at all."""
    target = Path(path)
    options = _WRITE_OPTIONS.get(target.suffix.lower())
    if options is None:
        raise UsageError(
            f"cannot write {target}: the suffix must be one of {', '.join(_WRITE_OPTIONS)}"
        )
    with replacing(target, parents=False) as unfinished, opened(unfinished, "wb") as stream:
        try:
            PIL.Image.fromarray(image).save(stream, **options)
        except ValueError as error:  # more pixels a side than the kind can have
            raise OutputError(f"cannot write {target}: {error}; name another suffix") from error


@contextmanager
def _opened(
    source: str | os.PathLike[str] | bytes, name: str, pixels: int = MAX_PIXELS
) -> Iterator[ImageFile.ImageFile]:
    """Open what is checked to be an image of a bearable size, with nothing decoded yet."""
    if "\0" in name:
        raise InputError(f"cannot read {name!r}: no path has a NUL character; give one path")
    try:
        with open(source, "rb") if not isinstance(source, bytes) else BytesIO(source) as stream:
            yield _recognised(stream, name, pixels)
    except OSError as error:
        raise InputError(f"cannot read {name}: {error.strerror or error}") from error


def _recognised(stream: Any, name: str, pixels: int) -> ImageFile.ImageFile:
    if not stream.read(1):
        raise InputError(f"{name} is empty; expected an image")
    stream.seek(0)
    try:
        with _open_lock, _own_pixel_limit():
            picture = PIL.Image.open(stream, formats=FORMATS)
    except PIL.UnidentifiedImageError as error:
        raise InputError(f"{name} is not an image; expected one of {', '.join(FORMATS)}") from error
    except _BROKEN_FILE as error:
        raise InputError(f"{name} is broken: {error}") from error
    if picture.width * picture.height > pixels:
        raise TooManyPixelsError(
            f"{name} has {picture.width} x {picture.height} pixels, more than"
            f" {pixels / 1_000_000:.4g} million; make it smaller"
        )
    return picture


@contextmanager
def _own_pixel_limit() -> Iterator[None]:
    """Put off Pillow's limit, a global that only warns, while a header is read: ours follows."""
    theirs, PIL.Image.MAX_IMAGE_PIXELS = PIL.Image.MAX_IMAGE_PIXELS, None
    try:
        yield
    finally:
        PIL.Image.MAX_IMAGE_PIXELS = theirs


def _decoded(picture: PIL.Image.Image, name: str) -> Image:
    try:
        picture.load()
        turn = _turn(picture)
        upright = picture if turn is None else picture.transpose(turn)
        return _checked(np.asarray(_eight_bits(upright)))
    except MemoryError as error:
        raise TooManyPixelsError(
            f"{name} needs more memory than there is, with {picture.width} x {picture.height}"
            " pixels; make it smaller"
        ) from error
    except _BROKEN_FILE as error:
        raise InputError(f"{name} is cut short or broken: {error}") from error


def _turn(picture: PIL.Image.Image) -> Transpose | None:
    """Tell how Exif or XMP would have a picture turned, as far as they were read."""
    try:
        # A PNG's own way to Exif would decode all of it.
        return _UPRIGHT.get(PIL.Image.Image.getexif(picture).get(_ORIENTATION_TAG, 1))
    except _BROKEN_FILE:
        return None


def _on_its_side(picture: ImageFile.ImageFile) -> bool:
    if picture.format == "TIFF":  # Pillow turns it
        return False
    if picture.format == "PNG" and _tells_late(picture.fp):
        with suppress(*_BROKEN_FILE):
            picture.load()
    return _turn(picture) in _SIDEWAYS


def _tells_late(stream: Any) -> bool:
    """Say whether something behind the pixels of a PNG may tell how to turn it."""
    here, behind, found = stream.tell(), False, False
    stream.seek(8)
    while not found and len(head := stream.read(8)) == 8:
        length, kind = struct.unpack(">I4s", head)
        start = stream.read(min(length, len(_PROFILE)))
        found = behind and (kind == b"eXIf" or start.startswith((_XMP, _PROFILE)))
        behind |= kind == b"IDAT"
        stream.seek(length - len(start) + 4, os.SEEK_CUR)
    stream.seek(here)
    return found


def _eight_bits(picture: PIL.Image.Image) -> PIL.Image.Image:
    """Give any mode as L or RGB, what is transparent as white."""
    if picture.has_transparency_data and picture.mode[0] not in "IF":
        seen = picture if picture.mode == "RGBA" else picture.convert("RGBA")
        white = PIL.Image.new("RGB", seen.size, "white")
        white.paste(seen, mask=seen)
        return white
    if picture.mode in ("L", "RGB"):
        return picture
    if picture.mode == "1":
        return picture.convert("L")
    if picture.mode[0] in "IF":
        return PIL.Image.fromarray(_scaled(np.asarray(picture)))
    return picture.convert("RGB")


def _scaled(levels: NDArray[Any]) -> Image:
    """Scale levels of more than 8 bits, a band at a time; Pillow would clip them.

    Floats up to 1 count as shares of white; integers as 8, 16 or 32 bits, whichever holds them.
    """
    top = float(np.nanmax(levels, initial=0))
    if levels.dtype.kind == "f":
        white = 1.0 if top <= 1 else 255.0
    else:
        white = 65535.0 if levels.dtype.itemsize == 2 else _white_of(top)
    flat, scaled = levels.reshape(-1), np.empty(levels.size, np.uint8)
    for start in range(0, levels.size, _BAND):
        band = slice(start, start + _BAND)
        shares = np.nan_to_num(np.clip(flat[band] / white, 0, 1))
        scaled[band] = np.rint(shares * 255)
    return scaled.reshape(levels.shape)


def _white_of(top: float) -> float:
    return next(white for white in (255.0, 65535.0, 4294967295.0) if top <= white)


def _checked(image: NDArray[Any]) -> Image:
    usual = image.dtype == np.uint8 and (image.ndim == 2 or (image.ndim, image.shape[-1]) == (3, 3))
    if not usual or image.size == 0:
        raise InputError(
            f"an image must be uint8 of shape (H, W) or (H, W, 3), got {image.dtype} {image.shape}"
        )
    return image
