"""`mien demo`: the sample portrait, read whole and with parts of the face hidden."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
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
    from mien.images.sheet import Panel
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

    def __str__(self) -> str:
        if self.prediction is None:
            return f"{self.title:<12}  no face"
        found = self.prediction
        return f"{self.title:<12}  {found.expression:<9}  {found.probability:>4.0%}  {note(found)}"


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
    from mien.images.sheet import sheet
    from mien.recognizer import Recognizer

    face, found = readings(Recognizer())
    part = shown_part(face, found[0].image)
    images.write(out, sheet([panel(reading, part) for reading in found], CREDIT))
    with writing("standard output"):
        print(*found, sep="\n")
        if not quiet:
            print(f"\nAll four in one picture: {out.resolve()}")


def readings(recognizer: "Recognizer") -> tuple[Face, list[Reading]]:
    """Read the portrait as it is, then with each occluder on its largest face; give that face."""
    from mien import images, weights

    portrait = images.read(weights.sample_portrait())
    found = [Reading(WHOLE, portrait, first(recognizer(portrait)))]
    if found[0].prediction is None:
        raise ModelError("expected a face in the sample portrait, found none; reinstall mien")
    face = found[0].prediction.face
    for name, title in OCCLUDERS.items():
        image = hidden(portrait, face, name)
        found.append(Reading(title, image, first(recognizer(image))))
    return face, found


def first(predictions: Sequence[Prediction]) -> Prediction | None:
    return predictions[0] if predictions else None


def hidden(portrait: Image, face: Face, name: str) -> Image:
    """Draw an occluder on the face."""
    from mien import occlusion

    if face.points_xy is None:
        raise ModelError("expected the points of the face in the sample portrait, found none")
    options = {} if name == "mask-polygon" else {"pad_px": PAD * math.sqrt(face.area)}
    draw = occlusion.occluder(name, **options)
    return draw(portrait, face.points_xy, np.random.default_rng(0))[0]


def shown_part(face: Face, image: Image) -> tuple[slice, slice]:
    """Frame the surroundings of the face: rows and columns of a square inside the image."""
    height, width = image.shape[:2]
    side = min(round(ROOM * math.sqrt(face.area)), height, width)
    x0, y0, x1, y1 = face.box_xyxy
    left = min(max(0, round((x0 + x1 - side) / 2)), width - side)
    top = min(max(0, round((y0 + y1 - side) / 2)), height - side)
    return slice(top, top + side), slice(left, left + side)


def panel(reading: Reading, part: tuple[slice, slice]) -> "Panel":
    """Put the answer below the part of the image that is shown."""
    from mien.images.sheet import Panel

    image, found = reading.image[part], reading.prediction
    if found is None:
        return Panel(image, reading.title, "no face", "", {})
    (x0, y0, x1, y1), top, left = found.face.box_xyxy, part[0].start, part[1].start
    return Panel(
        image,
        reading.title,
        found.expression,
        note(found),
        found.probabilities,
        box_xyxy=(x0 - left, y0 - top, x1 - left, y1 - top),
    )


def note(found: Prediction) -> str:
    """Say how sure the answer is, and what the model noticed to be hidden."""
    parts = ["certain" if found.certain else "not certain", *found.hidden]
    return ", ".join(parts[:1] + [f"{region} hidden" for region in parts[1:]])
