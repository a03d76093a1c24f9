"""A network as a picture: boxes in proportion, each with its shape, layers and cost."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

if TYPE_CHECKING:
    from mien.networks.layers import Layer, Run

Shape = tuple[int, ...]

IN_A_ROW, MOST = 8, 10  # boxes side by side, and boxes before all of one side share one
_COLUMN, _ROW, _TALL, _WIDE, _TOP = 150, 280, 130, 90, 84  # pixels
_QUIET = (
    "ReLU",
    "Sigmoid",
    "batch norm",
    "dropout",
    "flatten",
)  # kinds not worth a line of their own
_LINES = 4
_COLOURS = {True: "#c2621b", False: "#1f5fa8"}  # of dense layers, of the rest


@dataclass(frozen=True)
class Block:
    """Layers that follow each other and give the same shape, drawn as one box."""

    shape: Shape
    kinds: tuple[str, ...]
    parameters: int
    multiply_adds: int


def blocks(layers: Sequence[Layer]) -> list[Block]:
    """Join layers with the same output; in a long network, with the same side."""
    found = list(_joined(layers, lambda shape: shape))
    return found if len(found) <= MOST else list(_joined(layers, _stage))


def svg(run: Run) -> str:
    """Draw a network as SVG text."""
    boxes = [Block(run.shape, ("input",), 0, 0), *blocks(run.layers)]
    rows = math.ceil(len(boxes) / IN_A_ROW)
    width = _COLUMN * max(min(len(boxes), IN_A_ROW), 5) + 20
    height = _TOP + _ROW * rows + 24
    deepest = max(box.shape[0] for box in boxes if not _is_flat(box.shape))
    title = f"{run.network.name}: {run.network.title}"
    cost = f"{parameters(run)}, {run.multiply_adds:,} multiply-adds a picture"
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}"'
        f' height="{height}" font-family="sans-serif" font-size="12" role="img">',
        f"<title>{escape(title)}</title>",
        '<rect width="100%" height="100%" fill="white"/>',
        _text(20, 30, title, size=18, weight="bold"),
        _text(20, 52, cost, size=13),
    ]
    for place, box in enumerate(boxes):
        x = 20 + _COLUMN * (place % IN_A_ROW)
        y = _TOP + _ROW * (place // IN_A_ROW)
        share = box.multiply_adds / max(run.multiply_adds, 1)
        parts += _box(box, x, y, run.shape[1], deepest, share)
        if place + 1 < len(boxes):
            parts.append(_text(x + _COLUMN - 24, y + _TALL / 2 + 5, "→", size=16, fill="#777"))
    legend = (
        "Height: side of the maps; width: root of their number; bars: dense layers, by the"
        " logarithm of their units. The darker, the more of the arithmetic."
    )
    return "\n".join([*parts, _text(20, height - 12, legend, size=11, fill="#555"), "</svg>\n"])


def parameters(run: Run) -> str:
    """Say how many parameters learn, and how many numbers more its source counts."""
    more = run.network.statistics
    return f"{run.parameters:,} parameters" + (f" and {more:,} running statistics" if more else "")


def by(shape: Shape) -> str:
    """Write a shape."""
    return "x".join(map(str, shape))


def short(number: int) -> str:
    """Write a number in thousands, millions or billions."""
    for unit, size in (("G", 10**9), ("M", 10**6), ("k", 10**3)):
        if number >= size:
            digits = 2 if number < 10 * size else 1 if number < 100 * size else 0
            return f"{number / size:.{digits}f} {unit}"
    return str(number)


def _joined(layers: Sequence[Layer], key: Callable[[Shape], Hashable]) -> Iterator[Block]:
    """Yield blocks; numbers between maps, as the gates of channels, belong to the maps."""
    last_map = max((i for i, row in enumerate(layers) if not _is_flat(row.shape)), default=-1)
    waiting: list[Layer] = []
    shape: Shape = ()
    for place, layer in enumerate(layers):
        flat = _is_flat(layer.shape)
        if waiting and not (flat and place < last_map):
            if _key(shape, key) != _key(layer.shape, key):
                yield _block(shape, waiting)
                waiting = []
            shape = layer.shape
        shape = shape or layer.shape
        waiting.append(layer)
    if waiting:
        yield _block(shape, waiting)


def _key(shape: Shape, key: Callable[[Shape], Hashable]) -> Hashable:
    return ("numbers", math.prod(shape)) if _is_flat(shape) else key(shape)


def _block(shape: Shape, layers: Sequence[Layer]) -> Block:
    return Block(
        (math.prod(shape),) if _is_flat(shape) else shape,
        tuple(layer.kind for layer in layers),
        sum(layer.parameters for layer in layers),
        sum(layer.multiply_adds for layer in layers),
    )


def _is_flat(shape: Shape) -> bool:
    return math.prod(shape[1:]) == 1


def _stage(shape: Shape) -> int:
    """Give the side of maps (C, H, W), or the number of tokens (N, C)."""
    return shape[1] if len(shape) > 2 else shape[0]


def _box(box: Block, x: float, y: float, side: int, deepest: int, share: float) -> Iterator[str]:
    flat = _is_flat(box.shape)
    if flat:
        width, height = 12.0, 16 + 6 * math.log2(box.shape[0] + 1)
    else:
        width = 6 + _WIDE * math.sqrt(min(box.shape[0] / deepest, 1))
        height = max(_TALL * min(box.shape[1] / side, 1), 4)
    yield (
        f'<rect x="{x:.1f}" y="{y + (_TALL - height) / 2:.1f}" width="{width:.1f}"'
        f' height="{height:.1f}" rx="2" fill="{_COLOURS[flat]}"'
        f' fill-opacity="{0.2 + 0.8 * share:.2f}" stroke="{_COLOURS[flat]}"/>'
    )
    below = y + _TALL + 22
    yield _text(x, below, by(box.shape), size=13, weight="bold")
    lines = [*_words(box.kinds)]
    if box.parameters:
        lines.append(f"{short(box.parameters)} parameters")
    if box.multiply_adds:
        much = f", {100 * share:.0f} %" if share >= 0.005 else ""
        lines.append(f"{short(box.multiply_adds)} mult-adds{much}")
    for place, line in enumerate(lines):
        yield _text(x, below + 17 * (place + 1), line, size=11, fill="#333")


def _words(kinds: Sequence[str]) -> Iterator[str]:
    """Name what a box holds, the most frequent first, in a few lines."""
    counted = Counter(
        kind.replace("convolution", "conv").replace(", stride ", " /")
        for kind in kinds
        if kind not in _QUIET
    ).most_common()
    kept = counted if len(counted) <= _LINES else counted[: _LINES - 1]
    for kind, number in kept or [(kind, 1) for kind in dict.fromkeys(kinds)][:_LINES]:
        yield f"{number} {kind}" if number > 1 else kind
    if len(kept) < len(counted):
        yield f"{sum(number for _, number in counted[len(kept) :])} others"


def _text(
    x: float, y: float, words: str, *, size: int, fill: str = "#111", weight: str = "normal"
) -> str:
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}"'
        f' fill="{fill}">{escape(words)}</text>'
    )
