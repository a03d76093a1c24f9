"""`mien demo`: the sample portrait, read whole and with parts of the face hidden."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from mien.cli import _options
from mien.cli._streams import writing
from mien.errors import ModelError
from mien.images import Image
from mien.records import Face, Prediction

if TYPE_CHECKING:
    from mien.images.drawing import Shown
    from mien.recognizer import Recognizer

WHOLE = "whole face"
# What is drawn on the face, and what the picture calls it.
OCCLUDERS = {"mouth": "mouth hidden", "eyes": "eyes hidden", "surgical": "mask on"}
CREDIT = "Eileen Collins, photographed by NASA (public domain)"
ROOM = 2.0  # side of the part of the photograph that is shown, in sides of the face
SEED = 3  # a light blue mask
PAD = 3 / 48  # of the face's side: how far a box exceeds eyes or mouth


def demo(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write the picture of the four.")
    ] = Path("mien-demo.png"),
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Read the sample portrait, whole and partly hidden.

    Prints the answer for the face as it is, with its mouth hidden, with its eyes hidden and with a
    mask on, and writes one picture of the four.
    """
    from mien import images
    from mien.images.drawing import side_by_side
    from mien.recognizer import Recognizer

    shown = list(readings(Recognizer()))
    images.write(out, side_by_side(shown))
    with writing("standard output"):
        print(*map(described, shown), sep="\n")
        if not quiet:
            print(f"\n{CREDIT}\nAll four in one picture: {out.resolve()}")


def readings(recognizer: "Recognizer") -> "Iterator[Shown]":
    """Read the portrait as it is, then with each occluder on its largest face."""
    from mien import images, weights

    portrait = images.read(weights.sample_portrait())
    found = recognizer(portrait)
    if not found:
        raise ModelError("expected a face in the sample portrait, found none; reinstall mien")
    face = found[0].face
    part = around(face, portrait)
    yield cut(WHOLE, portrait, found, part)
    for name, title in OCCLUDERS.items():
        image = hidden(portrait, face, name)
        yield cut(title, image, recognizer(image), part)


def hidden(portrait: Image, face: Face, name: str) -> Image:
    """Draw an occluder on the face."""
    from mien import occlusion

    if face.points_xy is None:
        raise ModelError("expected the points of the face in the sample portrait, found none")
    options = {"pad_px": PAD * math.sqrt(face.area)} if name in ("mouth", "eyes") else {}
    draw = occlusion.occluder(name, **options)
    return draw(portrait, face.points_xy, np.random.default_rng(SEED))[0]


def around(face: Face, image: Image) -> tuple[slice, slice]:
    """Frame the surroundings of the face: rows and columns of a square inside the image."""
    height, width = image.shape[:2]
    side = min(round(ROOM * math.sqrt(face.area)), height, width)
    x0, y0, x1, y1 = face.box_xyxy
    left = min(max(0, round((x0 + x1 - side) / 2)), width - side)
    top = min(max(0, round((y0 + y1 - side) / 2)), height - side)
    return slice(top, top + side), slice(left, left + side)


def cut(
    title: str, image: Image, predictions: list[Prediction], part: tuple[slice, slice]
) -> "Shown":
    """Show a part of the image and what was found in its largest face."""
    from mien.images.drawing import Shown

    if not predictions:
        return Shown(title, image[part], None)
    top, left = part[0].start, part[1].start
    x0, y0, x1, y1 = predictions[0].face.box_xyxy
    face = replace(predictions[0].face, box_xyxy=(x0 - left, y0 - top, x1 - left, y1 - top))
    return Shown(title, image[part], replace(predictions[0], face=face))


def described(shown: "Shown") -> str:
    """Tell in a line what was found."""
    found = shown.prediction
    if found is None:
        return f"{shown.title:<12}  no face"
    notes = ["certain" if found.certain else "not certain"]
    notes += [f"hidden: {' and '.join(found.hidden)}"] if found.hidden else []
    answer = f"{found.expression:<9}  {found.probability:>4.0%}"
    return f"{shown.title:<12}  {answer}  {', '.join(notes)}"
