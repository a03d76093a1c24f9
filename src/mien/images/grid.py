"""A grid of pictures with a name before each row and a title above each column."""

from collections.abc import Sequence

import numpy as np
import PIL.Image
from PIL import ImageDraw, ImageFont

from mien.images.drawing import INK, MUTED, PAPER
from mien.images.pixels import Image, to_rgb

_GAP = 4


def grid(rows: Sequence[tuple[str, Sequence[Image]]], titles: Sequence[str], *, side: int) -> Image:
    """Lay square pictures of one side in rows; empty titles leave no line for them."""
    font = ImageFont.load_default(max(10, side // 7))
    name = round(max(font.getlength(name) for name, _ in rows)) + 3 * _GAP
    head = side // 4 if any(titles) else _GAP
    step, columns = side + _GAP, max(len(pictures) for _, pictures in rows)
    paper = PIL.Image.new("RGB", (name + columns * step, head + len(rows) * step), PAPER)
    draw = ImageDraw.Draw(paper)
    for at, title in enumerate(titles):
        draw.text((name + at * step + side / 2, head / 2), title, MUTED, font, anchor="mm")
    for row, (text, pictures) in enumerate(rows):
        top = head + row * step
        draw.text((_GAP, top + side / 2), text, INK, font, anchor="lm")
        for at, picture in enumerate(pictures):
            paper.paste(PIL.Image.fromarray(to_rgb(picture)), (name + at * step, top))
    return np.asarray(paper)
