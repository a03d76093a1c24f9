"""`mien demo`: the sample portrait, read whole and with parts of the face hidden."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from mien.cli import _options
from mien.cli._streams import writing
from mien.errors import ModelError
from mien.images import Image
from mien.records import Face, percent

if TYPE_CHECKING:
    from mien.images.drawing import Shown
    from mien.recognizer import Recognizer

WHOLE = "whole face"
# What is drawn on the face, and what the picture calls it.
OCCLUDERS = {"mouth": "mouth hidden", "eyes": "eyes hidden", "surgical": "mask on"}
CREDIT = "Eileen Collins, photographed by NASA (public domain)"
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
    from mien.images.drawing import Shown

    portrait = images.read(weights.sample_portrait())
    found = recognizer(portrait)
    if not found:
        raise ModelError("expected a face in the sample portrait, found none; reinstall mien")
    yield Shown(WHOLE, portrait, found[0])
    for name, title in OCCLUDERS.items():
        image = hidden(portrait, found[0].face, name)
        yield Shown(title, image, next(iter(recognizer(image)), None))


def hidden(portrait: Image, face: Face, name: str) -> Image:
    """Draw an occluder on the face."""
    from mien import occlusion

    if face.points_xy is None:
        raise ModelError("expected the points of the face in the sample portrait, found none")
    pad_px = PAD * math.sqrt(face.area) if name in ("mouth", "eyes") else None
    draw = occlusion.occluder(name, pad_px=pad_px)
    return draw(portrait, face.points_xy, np.random.default_rng(SEED))[0]


def described(shown: "Shown") -> str:
    """Tell in a line what was found."""
    found = shown.prediction
    if found is None:
        return f"{shown.title:<12}  no face"
    notes = ["certain" if found.certain else "not certain"]
    hidden = ["not known"] if found.hidden is None else found.hidden
    notes += [f"hidden: {' and '.join(hidden)}"] if hidden else []
    answer = f"{found.expression:<9}  {percent(found.probability):>4}"
    return f"{shown.title:<12}  {answer}  {', '.join(notes)}"
