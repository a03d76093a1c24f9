"""What a live window shows: the picture with its faces framed, their bars beside it, a line below.

Pictures may be shown as in a mirror; what is written on them reads from left to right all the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import PIL.Image
from PIL import ImageDraw

from mien.geometry import Box
from mien.images.drawing import (
    COLOURS,
    FAINT,
    INK,
    MUTED,
    PAPER,
    WHITE,
    Colour,
    Font,
    font_of,
    whole,
)
from mien.images.pixels import Image, resize, to_rgb
from mien.records import Prediction, percent

GREEN: Colour = (0, 255, 0)
RED: Colour = (255, 0, 0)
# Told apart by people who see red and green alike, too.
TRACKS: tuple[Colour, ...] = (
    (0, 158, 115),
    (230, 120, 0),
    (86, 140, 233),
    (204, 80, 150),
    (150, 130, 0),
    (0, 114, 178),
    (213, 60, 20),
    (120, 94, 200),
)

PANEL, FOOT = 264, 28
MOST_WH, LEAST_WIDTH = (960, 720), 640
_PAD, _HEAD, _NOTE, _BAR = 12, 24, 18, 18
_UNSURE = "not certain"


@dataclass(frozen=True)
class Mark:
    """A face to show, in pixels of the picture; faces of one track share a colour."""

    prediction: Prediction
    track: int

    @property
    def colour(self) -> Colour:
        return TRACKS[self.track % len(TRACKS)]


@dataclass(frozen=True)
class Look:
    """How the window shows things."""

    mirrored: bool = False
    bars: bool = True
    green: bool = False


def overlay(image: Image, marks: Sequence[Mark], look: Look, *, left: str, right: str) -> Image:
    """Draw what was read, and a line below it; the picture comes at a size to look at."""
    shown, scale = _fitted(image)
    height, width = shown.shape[:2]
    canvas, draw = _canvas(shown[:, ::-1] if look.mirrored else shown, PANEL if look.bars else 0)
    for mark in marks:
        box = _placed(mark.prediction.face.box_xyxy, scale, width, look.mirrored)
        (_draw_green if look.green else _draw_face)(draw, mark, box, (width, height))
    if look.bars:
        _draw_panel(draw, marks, (width, 0, width + PANEL, height), green=look.green)
    _draw_foot(draw, canvas.size, left, right)
    return np.asarray(canvas)


def guide(image: Image, box_xyxy: Box, *, mirrored: bool, left: str, right: str) -> Image:
    """Draw a red line just outside of a box, which lies about the middle of the picture."""
    shown, scale = _fitted(image)
    canvas, draw = _canvas(shown[:, ::-1] if mirrored else shown, 0)
    x0, y0, x1, y1 = _placed(box_xyxy, scale, shown.shape[1], mirrored)
    draw.rectangle((x0 - 3, y0 - 3, x1 + 3, y1 + 3), outline=RED, width=3)
    _draw_foot(draw, canvas.size, left, right)
    return np.asarray(canvas)


def answer(
    crop: Image, lines: Sequence[str], prediction: Prediction | None, size_hw: tuple[int, int]
) -> Image:
    """Show a square crop beside what was read of it: lines, the second large, and bars."""
    height, width = size_hw
    canvas = PIL.Image.new("RGB", (width, height + FOOT), PAPER)
    draw = ImageDraw.Draw(canvas)
    side = min(height - 2 * _PAD, width // 2 - _PAD)
    square = PIL.Image.fromarray(to_rgb(resize(crop, (side, side))))
    top = (height - side) // 2
    canvas.paste(square, (_PAD, top))
    x, y, room = side + 3 * _PAD, float(top + _PAD), width - side - 4 * _PAD
    for number, line in enumerate(lines):
        font = _widest(line, 34 if number == 1 else 19, room)
        leads = number == 1 and prediction is not None
        colour = COLOURS.get(prediction.expression, INK) if leads and prediction else INK
        draw.text((x, y), line, colour, font, anchor="la")
        y += 44 if number == 1 else 27
    if prediction is not None:
        _draw_bars(draw, prediction, (x, y + _PAD), room, len(prediction.probabilities), INK)
    _draw_foot(draw, canvas.size, "any key goes on", "ESC or q ends")
    return np.asarray(canvas)


def notice(lines: Sequence[str], size_hw: tuple[int, int], *, left: str, right: str) -> Image:
    """Write paragraphs, the first as a title, wrapped to the width."""
    height, width = size_hw
    canvas = PIL.Image.new("RGB", (width, height + FOOT), PAPER)
    draw = ImageDraw.Draw(canvas)
    y = 3.0 * _PAD
    for number, line in enumerate(lines):
        font = font_of(17 if number else 26)
        for part in _wrapped(line, font, width - 6 * _PAD):
            draw.text((3 * _PAD, y), part, INK, font, anchor="la")
            y += 24 if number else 34
        y += 14
    _draw_foot(draw, canvas.size, left, right)
    return np.asarray(canvas)


def _fitted(image: Image) -> tuple[Image, float]:
    """Change the size of a picture that is too large to show, or too small; tell by how much."""
    height, width = image.shape[:2]
    wanted = max(1.0, LEAST_WIDTH / width)
    scale = min(wanted, MOST_WH[0] / width, MOST_WH[1] / height)
    shown = resize(image, (max(1, round(height * scale)), max(1, round(width * scale))))
    return to_rgb(shown), scale


def _canvas(shown: Image, panel: int) -> tuple[PIL.Image.Image, ImageDraw.ImageDraw]:
    height, width = shown.shape[:2]
    canvas = PIL.Image.new("RGB", (width + panel, height + FOOT), PAPER)
    canvas.paste(PIL.Image.fromarray(np.ascontiguousarray(shown)), (0, 0))
    return canvas, ImageDraw.Draw(canvas, "RGBA")


def _placed(box_xyxy: Box, scale: float, width: int, mirrored: bool) -> Box:
    """Give a box in pixels of what is shown."""
    x0, y0, x1, y1 = ((side + 0.5) * scale - 0.5 for side in box_xyxy)
    return (width - 1 - x1, y0, width - 1 - x0, y1) if mirrored else (x0, y0, x1, y1)


def _draw_face(draw: ImageDraw.ImageDraw, mark: Mark, box: Box, size_wh: tuple[int, int]) -> None:
    """Frame a face and write its expression above, or inside where the picture ends."""
    draw.rounded_rectangle(whole(box), 5, outline=mark.colour, width=3)
    lines = [(_answer(mark.prediction), font_of(17)), (_note(mark.prediction), font_of(13))]
    lines = [(text, font) for text, font in lines if text]
    width = max(font.getlength(text) for text, font in lines) + 12
    height = 24 * bool(lines) + 17 * (len(lines) - 1)
    x = max(0.0, min(box[0], size_wh[0] - width))
    y = box[1] - height - 2 if box[1] >= height + 2 else max(0.0, min(box[1], size_wh[1] - height))
    draw.rounded_rectangle(whole((x, y, x + width, y + height)), 4, fill=(*mark.colour, 235))
    for number, (text, font) in enumerate(lines):
        draw.text((x + 6, y + 12 + 19 * number), text, WHITE, font, anchor="lm")


def _draw_green(draw: ImageDraw.ImageDraw, mark: Mark, box: Box, size_wh: tuple[int, int]) -> None:
    """Frame a face in green, its expression in white above its top left."""
    draw.rectangle(whole(box), outline=GREEN, width=3)
    doubt = "" if mark.prediction.certain else "?"
    text, font = f"{mark.prediction.expression}{doubt}", font_of(22)
    x = max(3.0, min(box[0], size_wh[0] - font.getlength(text) - 3))
    y = box[1] - 6 if box[1] > 30 else max(24.0, box[1] + 26)
    draw.text((x, y), text, WHITE, font, anchor="ls", stroke_width=2, stroke_fill=INK)


def _draw_panel(draw: ImageDraw.ImageDraw, marks: Sequence[Mark], box: Box, *, green: bool) -> None:
    """Give every face as many bars as there is room for, the likeliest if not all."""
    x0, y0, x1, y1 = box
    if not marks:
        draw.text((x0 + _PAD, y0 + _PAD), "no face", MUTED, font_of(17), anchor="la")
        return
    least = _HEAD + _NOTE + _PAD
    told = marks[: max(1, int(y1 - y0 - _NOTE) // least)]
    room = (y1 - y0 - _NOTE) / len(told)
    bars = max(0, min(8, int((room - least) // _BAR)))
    y = y0 + _PAD / 2
    for mark in told:
        x, colour = x0 + _PAD, GREEN if green else mark.colour
        draw.rounded_rectangle((x, y + 4, x + 14, y + 18), 3, fill=colour)
        draw.text((x + 22, y + 11), _answer(mark.prediction), INK, font_of(17), anchor="lm")
        note = _note(mark.prediction) or "certain"
        draw.text((x + 22, y + _HEAD + 7), note, MUTED, font_of(13), anchor="lm")
        corner = (x, y + _HEAD + _NOTE)
        _draw_bars(draw, mark.prediction, corner, x1 - x - _PAD, bars, colour)
        y += least + bars * _BAR
    if len(told) < len(marks):
        more = f"and {len(marks) - len(told)} more"
        draw.text((x0 + _PAD, y1 - 4), more, MUTED, font_of(13), anchor="ls")


def _draw_bars(
    draw: ImageDraw.ImageDraw,
    prediction: Prediction,
    corner: tuple[float, float],
    width: float,
    count: int,
    colour: Colour,
) -> None:
    """Draw a bar an expression: its name, its share, its per cent."""
    shares: list[tuple[str, float]] = list(prediction.probabilities.items())
    if count < len(shares):
        shares = sorted(shares, key=lambda pair: -pair[1])[:count]
    font, (x, y) = font_of(13), corner
    start, end = x + 72, x + width - 46
    for name, share in shares:
        ink, middle = INK if name == prediction.expression else MUTED, y + _BAR / 2
        draw.text((x, middle), name, ink, font, anchor="lm")
        draw.rectangle((start, middle - 5, end, middle + 5), fill=FAINT)
        draw.rectangle((start, middle - 5, start + (end - start) * share, middle + 5), fill=colour)
        draw.text((x + width, middle), percent(share), ink, font, anchor="rm")
        y += _BAR


def _draw_foot(draw: ImageDraw.ImageDraw, size_wh: tuple[int, int], left: str, right: str) -> None:
    width, height = size_wh
    draw.rectangle((0, height - FOOT, width, height), fill=INK)
    font, y = _widest(f"{left}    {right}", 13, width - 2 * _PAD), height - FOOT / 2
    draw.text((_PAD, y), left, WHITE, font, anchor="lm")
    draw.text((width - _PAD, y), right, FAINT, font, anchor="rm")


def _answer(prediction: Prediction) -> str:
    return f"{prediction.expression} {percent(prediction.probability)}"


def _note(prediction: Prediction) -> str:
    unsure = "" if prediction.certain else _UNSURE
    return ", ".join(filter(None, (unsure, prediction.hidden_note)))


def _wrapped(text: str, font: Font, width: float) -> list[str]:
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if font.getlength(longer) > width and lines[-1]:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


def _widest(text: str, size: int, width: float) -> Font:
    """Choose the largest font up to a size in which the text is no wider than that."""
    while size > 8 and font_of(size).getlength(text) > width:
        size -= 1
    return font_of(size)
