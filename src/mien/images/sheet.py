"""Pictures side by side, each with a title, a heading and bars: one image to show to somebody."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from mien import geometry
from mien.geometry import Box, Floats
from mien.images.pixels import Image, resize, to_rgb

# In pixels of the sheet.
SIDE = 320
GAP = 32
MARGIN = 40
ROW = 24
NAME_WIDTH = 84
VALUE_WIDTH = 44
ABOVE = 38
HEADING = 88
CORNER = 12
FINE = 2  # drawn this much larger and shrunk: Pillow's shapes have hard edges

INK, GREY, PALE = "#1b2430", "#6a7482", "#eceff3"
FIRST, OTHER = "#2f6fde", "#b7c4d8"

XY = tuple[float, float]


@dataclass(frozen=True)
class Panel:
    """One picture, what stands above it, and below it: a heading, a note, shares of 1 as bars.

    The box, in pixels of the image, is drawn on it.
    """

    image: Image
    title: str
    heading: str
    note: str
    shares: Mapping[str, float]
    box_xyxy: Box | None = None


def sheet(panels: Sequence[Panel], caption: str = "") -> Image:
    """Draw the panels from left to right, the caption below."""
    rows = max(len(panel.shares) for panel in panels)
    width = 2 * MARGIN + len(panels) * SIDE + (len(panels) - 1) * GAP
    height = MARGIN + ABOVE + SIDE + HEADING + rows * ROW + (ROW if caption else 0) + MARGIN
    surface = _Surface(width, height)
    for number, panel in enumerate(panels):
        _draw_panel(surface, panel, MARGIN + number * (SIDE + GAP), MARGIN)
    surface.text((MARGIN, height - MARGIN), caption, size=13, colour=GREY, anchor="ls")
    return surface.image()


def _draw_panel(surface: "_Surface", panel: Panel, x: float, y: float) -> None:
    surface.text((x, y + 14), panel.title, size=17, colour=GREY, anchor="ls")
    surface.picture(panel.image, (x, y + ABOVE - 10))
    if panel.box_xyxy:
        matrix = geometry.scaling(panel.image.shape[:2], (SIDE, SIDE))
        corners = geometry.apply(matrix, np.reshape(panel.box_xyxy, (2, 2)))
        surface.frame(corners + (x, y + ABOVE - 10))
    below = y + ABOVE + SIDE
    surface.text((x, below + 26), panel.heading, size=27, colour=INK, anchor="ls", weight=1)
    surface.text((x, below + 50), panel.note, size=14, colour=GREY, anchor="ls")
    first = max(panel.shares, key=panel.shares.__getitem__, default="")
    for row, (name, share) in enumerate(panel.shares.items()):
        colours = (INK, FIRST) if name == first else (GREY, OTHER)
        _draw_bar(surface, (x, below + HEADING - 10 + row * ROW), name, share, colours)


def _draw_bar(
    surface: "_Surface", at: XY, name: str, share: float, colours: tuple[str, str]
) -> None:
    ink, fill = colours
    x, y = at
    left, right = x + NAME_WIDTH, x + SIDE - VALUE_WIDTH
    surface.text((x, y), name, size=14, colour=ink, anchor="lm")
    surface.bar((left, y), right - left, PALE)
    surface.bar((left, y), share * (right - left), fill)
    surface.text((x + SIDE, y), f"{share:.0%}", size=14, colour=ink, anchor="rm")


class _Surface:
    """A white canvas that takes pixels of the sheet and draws them finer."""

    def __init__(self, width: float, height: float) -> None:
        self._canvas = PIL.Image.new("RGB", (round(width * FINE), round(height * FINE)), "white")
        self._draw = PIL.ImageDraw.Draw(self._canvas)

    def text(
        self, at: XY, text: str, *, size: float, colour: str, anchor: str, weight: int = 0
    ) -> None:
        font = PIL.ImageFont.load_default(size * FINE)
        place = (at[0] * FINE, at[1] * FINE)
        self._draw.text(place, text, colour, font, anchor, stroke_width=weight)

    def bar(self, left_middle: XY, width: float, colour: str) -> None:
        thick = 5.0
        if width < 1:
            return
        x, y = left_middle
        box = [x * FINE, (y - thick) * FINE, (x + width) * FINE, (y + thick) * FINE]
        self._draw.rounded_rectangle(box, min(thick, width / 2) * FINE, colour)

    def picture(self, image: Image, at: XY) -> None:
        side = SIDE * FINE
        mask = PIL.Image.new("L", (side, side))
        PIL.ImageDraw.Draw(mask).rounded_rectangle([0, 0, side - 1, side - 1], CORNER * FINE, 255)
        picture = PIL.Image.fromarray(resize(to_rgb(image), (side, side)))
        self._canvas.paste(picture, (round(at[0] * FINE), round(at[1] * FINE)), mask)

    def frame(self, corners: Floats) -> None:
        box = (corners * FINE).ravel().tolist()
        self._draw.rounded_rectangle(box, 6 * FINE, outline="white", width=2 * FINE)

    def image(self) -> Image:
        return np.asarray(self._canvas.reduce(FINE))
