"""Pictures whose faces are hidden, and what is read off them then."""

import base64
from collections.abc import Iterable, Sequence

import numpy as np

from mien import images, occlusion
from mien.errors import DataError, InputError, UsageError
from mien.images import Image
from mien.records import Prediction
from mien.serve.limits import Limits
from mien.serve.problems import Problem, unreadable

SEED = 0


def specs(text: str | Iterable[str], limits: Limits) -> list[str]:
    """Read a list of occluders, each of them checked; one may join names by `+`."""
    parts = text.split(",") if isinstance(text, str) else text
    found = [spec.strip() for spec in parts]
    if not 1 <= len(found) <= limits.occluders:
        raise Problem("invalid", f"expected 1 to {limits.occluders} occluders, got {len(found)}")
    try:
        most = max(len(occlusion.parts(spec)) for spec in found)
    except UsageError as error:
        raise Problem("invalid", str(error)) from error
    if most > limits.joined:
        raise Problem("invalid", f"at most {limits.joined} occluders can be joined, got {most}")
    return found


def opened(data: bytes, limits: Limits) -> Image:
    """Decode a picture to draw on, RGB and no larger than it is to be shown."""
    try:
        images.size_hw(data, pixels=limits.pixels)
    except InputError as error:
        raise unreadable(error, "not_an_image") from error
    try:
        image = images.to_rgb(images.read(data, least_side=limits.shown_side))
    except InputError as error:
        raise unreadable(error, "broken_image") from error
    scale = limits.shown_side / max(image.shape[:2])
    if scale >= 1:
        return image
    height, width = (max(1, round(side * scale)) for side in image.shape[:2])
    return images.resize(image, (height, width))


def drawn(image: Image, predictions: Sequence[Prediction], spec: str, seed: int = SEED) -> Image:
    """Hide every face of a picture, one and the same way each time; `none` gives it as it is."""
    if not occlusion.parts(spec):
        return image
    draw = occlusion.occluder(spec, photograph=True)
    for number, prediction in enumerate(predictions):
        points = prediction.face.points_xy
        if points is not None:
            try:
                image, _ = draw(image, points, np.random.default_rng([seed, number]))
            except DataError as error:
                raise Problem("invalid", f"{spec} cannot be drawn on a face: {error}") from error
    return image


def data_url(image: Image, kind: str = "png") -> str:
    """Write a picture, as `png` or `jpeg`, for the attribute src of a page."""
    options = {"compress_level": 1} if kind == "png" else {"quality": 85}
    packed = images.encoded(image, f".{kind}", **options)
    return f"data:image/{kind};base64,{base64.b64encode(packed).decode('ascii')}"
