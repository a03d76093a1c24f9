"""Draw what was found: boxes, labels, probabilities, points; pictures side by side."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import PIL.Image
from numpy.typing import NDArray
from PIL import ImageDraw, ImageFont

from mien.geometry import Box
from mien.images import placing
from mien.images.obscuring import Faces, obscured
from mien.images.pixels import Image, resize, to_rgb
from mien.records import Prediction, percent

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont

INK: Colour = (24, 28, 36)
PAPER: Colour = (250, 250, 248)
FAINT: Colour = (226, 228, 232)
MUTED: Colour = (104, 112, 126)
WHITE: Colour = (255, 255, 255)
COLOURS: dict[str, Colour] = {
    "neutral": (106, 122, 144),
    "happiness": (190, 114, 0),
    "surprise": (216, 90, 48),
    "sadness": (44, 108, 190),
    "anger": (200, 38, 52),
    "disgust": (72, 138, 52),
    "fear": (124, 72, 176),
    "contempt": (0, 134, 139),
}

# Smaller pictures are enlarged before anything is written on them.
_LEAST_SIDE = 480
_MOST_ENLARGED = 4_000_000
_LONGEST = 16_383  # no longer, for WebP has no longer sides
# How many heights of the first face's box a picture among several shows.
_AROUND = 2.2
# How much smaller the probabilities of faces become, so that all find room.
_BAR_SCALES = (1.0, 0.8, 0.65)


@dataclass(frozen=True)
class Shown:
    """One picture of several side by side: its title, and what was read in it, if anything."""

    title: str
    image: Image
    prediction: Prediction | None


def annotate(
    image: Image,
    predictions: Sequence[Prediction],
    *,
    points: bool = False,
    names: Sequence[str] = (),
    faces: Faces = Faces.shown,
) -> Image:
    """Draw faces into a copy (H, W, 3) of the image; a small image is enlarged for the writing.

    A name of each face, where there are names, stands before its expression. Points are drawn on
    faces that are shown alone: they tell of their shape.
    """
    image = obscured(image, [prediction.face.box_xyxy for prediction in predictions], faces)
    zoom = _zoom(*image.shape[:2])
    height, width = image.shape[0] * zoom, image.shape[1] * zoom
    picture = PIL.Image.fromarray(to_rgb(resize(image, (height, width))))
    draw = ImageDraw.Draw(picture, "RGBA")
    unit = math.sqrt(height * width) / 640
    boxes = [_zoomed(prediction.face.box_xyxy, zoom) for prediction in predictions]
    for prediction, box in zip(predictions, boxes, strict=True):
        draw.rounded_rectangle(box, 4 * unit, outline=_colour(prediction), width=_line(unit, 2.5))
        if points and faces is Faces.shown and prediction.face.points_xy is not None:
            _draw_points(draw, (prediction.face.points_xy + 0.5) * zoom - 0.5, box)
    least = max(12, 11 * unit)
    sizes = [float(np.clip((x1 - x0) / 7, least, max(15, 26 * unit))) for x0, _, x1, _ in boxes]
    labels: list[_Label] = []
    for place, (prediction, size) in enumerate(zip(predictions, sizes, strict=True)):
        label = _Label(prediction, size, names[place] if names else "")
        taken = [*boxes[:place], *boxes[place + 1 :], *(other.plate for other in labels)]
        label.plate = placing.label(label.wanted, boxes[place], picture.size, taken)
        labels.append(label)
    _draw_all_bars(draw, predictions, boxes, labels, least)
    for label in labels:
        label.draw(draw)
    return np.asarray(picture)


def side_by_side(shown: Sequence[Shown], *, column: int = 360) -> Image:
    """Lay pictures of one size in columns of a width in pixels, the probabilities below each.

    All show the surroundings of the first face found.
    """
    gap, text = column // 12, column / 18
    found = [one.prediction for one in shown if one.prediction]
    head, answer = round(text * 2.4), round(text * 5.2)
    bars = round(len(found[0].probabilities) * text * 1.75) if found else 0
    size = (len(shown) * (column + gap) + gap, gap + head + column + answer + bars + gap)
    sheet = PIL.Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    for place, one in enumerate(shown):
        x, y = gap + place * (column + gap), gap
        draw.text((x, y + head / 2), one.title, INK, font_of(text * 1.25), anchor="lm")
        view = _view(one.image.shape[:2], found[0].face.box_xyxy if found else None)
        sheet.paste(_part(one, view, column), (x, y + head))
        _draw_answer(draw, one.prediction, (x, y + head + column), text)
        if one.prediction:
            box = (x, y + head + column + answer, x + column, size[1] - gap)
            _draw_bars(draw, one.prediction, box, text)
    return np.asarray(sheet)


class _Label:
    """The answer for a face on a plate: how much room it takes, and where it is."""

    def __init__(self, prediction: Prediction, size: float, name: str) -> None:
        answer = _answer(prediction)
        self.size, self._colour = size, _colour(prediction)
        self._lines = [f"{name}  {answer}" if name else answer]
        if prediction.hidden_note:
            self._lines.append(prediction.hidden_note)
        self._fonts = [font_of(size), font_of(size * 0.75)][: len(self._lines)]
        self._pad, self._heights = size * 0.3, [size * 1.25, size][: len(self._lines)]
        lengths = map(lambda font, line: font.getlength(line), self._fonts, self._lines)
        self.wanted = (max(lengths) + 2 * self._pad, sum(self._heights) + self._pad)
        self.plate: Box = (0.0, 0.0, *self.wanted)

    def draw(self, draw: ImageDraw.ImageDraw) -> None:
        """Draw the plate and write on it."""
        x, y = self.plate[0] + self._pad, self.plate[1] + self._pad / 2
        draw.rounded_rectangle(
            whole(self.plate), round(self.size * 0.25), fill=(*self._colour, 235)
        )
        for line, font, step in zip(self._lines, self._fonts, self._heights, strict=True):
            draw.text((x, y + step / 2), line, WHITE, font, anchor="lm")
            y += step


def _draw_all_bars(
    draw: ImageDraw.ImageDraw,
    predictions: Sequence[Prediction],
    boxes: Sequence[Box],
    labels: Sequence[_Label],
    least: float,
) -> None:
    """Draw the probabilities of each face near its box, as large as most of them find room."""
    best: list[tuple[Prediction, Box, float]] = []
    for scale in _BAR_SCALES:
        placed: list[tuple[Prediction, Box, float]] = []
        for prediction, box, label in zip(predictions, boxes, labels, strict=True):
            size = max(least, label.size * scale) * 0.8
            wanted = (size * 15, size * (1.75 * len(prediction.probabilities) + 0.8))
            taken = [*boxes, *(one.plate for one in labels), *(plate for _, plate, _ in placed)]
            plate = placing.bars(wanted, size * 0.4, box, label.plate, draw.im.size, taken)
            if plate is not None:
                placed.append((prediction, plate, size))
        best = max(best, placed, key=len)
    for prediction, plate, size in best:
        pad = size * 0.4
        draw.rounded_rectangle(whole(plate), round(pad), fill=(*PAPER, 215))
        inner = (plate[0] + pad, plate[1] + pad, plate[2] - pad, plate[3] - pad)
        _draw_bars(draw, prediction, inner, size)


def _draw_bars(draw: ImageDraw.ImageDraw, prediction: Prediction, box: Box, size: float) -> None:
    """Draw a bar an expression into the box: its name, its share, its per cent."""
    x0, y0, x1, y1 = box
    step, font = (y1 - y0) / len(prediction.probabilities), font_of(size)
    start, end = x0 + size * 5.4, x1 - size * 2.9
    for row, (name, share) in enumerate(prediction.probabilities.items()):
        y, half = y0 + (row + 0.5) * step, size * 0.36
        leads = name == prediction.expression
        ink = INK if leads else MUTED
        draw.text((x0, y), name, ink, font, anchor="lm")
        reach = start + (end - start) * share
        draw.rectangle((start, y - half, end, y + half), fill=FAINT)
        draw.rectangle((start, y - half, reach, y + half), fill=COLOURS.get(name, INK))
        draw.text((x1, y), percent(share), ink, font, anchor="rm")


def _draw_answer(
    draw: ImageDraw.ImageDraw,
    prediction: Prediction | None,
    corner: tuple[float, float],
    size: float,
) -> None:
    x, y = corner[0], corner[1] + size * 1.7
    if prediction is None:
        draw.text((x, y), "no face found", MUTED, font_of(size * 1.5), anchor="lm")
        return
    draw.text((x, y), _answer(prediction), _colour(prediction), font_of(size * 1.5), anchor="lm")
    hidden = "not known" if prediction.hidden is None else " and ".join(prediction.hidden)
    draw.text(
        (x, y + size * 1.9), f"hidden: {hidden or 'nothing'}", MUTED, font_of(size), anchor="lm"
    )


def _draw_points(draw: ImageDraw.ImageDraw, points_xy: NDArray[Any], box: Box) -> None:
    radius = max(1.0, (box[2] - box[0]) / 110)
    for x, y in points_xy.tolist():
        spot = (x - radius, y - radius, x + radius, y + radius)
        draw.ellipse(spot, fill=WHITE, outline=INK)


def _view(image_hw: tuple[int, ...], box: Box | None) -> tuple[int, int, int]:
    """Choose the square to show: left, top, side."""
    height, width = image_hw
    side, x, y = min(height, width), width / 2, height / 2
    if box is not None:
        side = max(1, min(side, round((box[3] - box[1]) * _AROUND)))
        x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    left = min(max(0, round(x - side / 2)), width - side)
    return left, min(max(0, round(y - side / 2)), height - side), side


def _part(one: Shown, view: tuple[int, int, int], size: int) -> PIL.Image.Image:
    """Show a square of the picture, the face's box drawn in."""
    left, top, side = view
    part = to_rgb(one.image[top : top + side, left : left + side])
    square = PIL.Image.fromarray(resize(part, (size, size)))
    if one.prediction:
        x0, y0, x1, y1 = one.prediction.face.box_xyxy
        box = _zoomed((x0 - left, y0 - top, x1 - left, y1 - top), size / side)
        colour = _colour(one.prediction)
        ImageDraw.Draw(square).rounded_rectangle(box, size / 60, outline=colour, width=size // 90)
    return square


def _answer(prediction: Prediction) -> str:
    doubt = "" if prediction.certain else ", not certain"
    return f"{prediction.expression} {percent(prediction.probability)}{doubt}"


def _colour(prediction: Prediction) -> Colour:
    return COLOURS.get(prediction.expression, INK)


def _zoom(height: int, width: int) -> int:
    """Choose how many times to enlarge a small picture, within what a long one can bear."""
    wanted = math.ceil(_LEAST_SIDE / min(height, width))
    borne = math.isqrt(_MOST_ENLARGED // (height * width))
    return max(1, min(wanted, borne, _LONGEST // max(height, width)))


def _zoomed(box: Box, zoom: float) -> Box:
    x0, y0, x1, y1 = ((side + 0.5) * zoom - 0.5 for side in box)
    return (x0, y0, x1, y1)


def whole(box: Box) -> tuple[int, int, int, int]:
    """Round to whole pixels: on parts of one, Pillow blends a translucent corner twice."""
    x0, y0, x1, y1 = box
    return round(x0), round(y0), round(x1), round(y1)


def _line(unit: float, width: float) -> int:
    return max(1, round(unit * width))


@lru_cache(maxsize=64)
def font_of(size: float) -> Font:
    """Give the font of a size in pixels; nobody could read a smaller one than 6."""
    return ImageFont.load_default(max(6, round(size)))
