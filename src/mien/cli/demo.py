"""`mien demo`: the sample portrait, read whole and with parts of the face hidden."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from mien import geometry
from mien.cli import _options
from mien.errors import ModelError
from mien.images import Image
from mien.records import Face, Prediction

if TYPE_CHECKING:
    from mien.recognizer import Recognizer

WHOLE = "whole face"
# What is drawn on the face, and what the picture calls it.
OCCLUDERS = {"mouth": "mouth hidden", "eyes": "eyes hidden", "mask-polygon": "mask on"}
CREDIT = "Photograph: Eileen Collins, by NASA, public domain. An expression is not a feeling."
ROOM = 2.2  # side of the part of the photograph that is shown, in sides of the face
PAD = 3 / 48  # of the face's side: how far a box exceeds eyes or mouth


@dataclass(frozen=True)
class Reading:
    """One version of the portrait, and what was found in it."""

    title: str
    image: Image
    prediction: Prediction | None


def demo(
    out: Annotated[
        Path, typer.Option(metavar="FILE", help="Where to write the picture of the four.")
    ] = Path("mien-demo.png"),
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Read the sample portrait, then the same face with its mouth and eyes hidden and a mask on.

    Prints the answers and writes one picture of the four.
    """
    from mien import images
    from mien.images.sheet import sheet
    from mien.recognizer import Recognizer

    found = list(readings(Recognizer()))
    for reading in found:
        print(described(reading))
    images.write(out, sheet([panel(reading, found[0]) for reading in found], CREDIT))
    print(f"{'' if quiet else 'the four side by side: '}{out.resolve()}")


def readings(recognizer: "Recognizer") -> Iterator[Reading]:
    """Read the portrait as it is, then with each occluder on its largest face."""
    from mien import images, occlusion, weights

    portrait = images.read(weights.sample_portrait())
    whole = next(iter(recognizer(portrait)), None)
    if whole is None or whole.face.points_xy is None:
        raise ModelError("expected a face with its points in the sample portrait, found none")
    yield Reading(WHOLE, portrait, whole)
    pad_px = PAD * _side(whole.face)
    for name, title in OCCLUDERS.items():
        options = {} if name == "mask-polygon" else {"pad_px": pad_px}
        draw = occlusion.occluder(name, **options)
        hidden, _ = draw(portrait, whole.face.points_xy, np.random.default_rng(0))
        yield Reading(title, hidden, next(iter(recognizer(hidden)), None))
