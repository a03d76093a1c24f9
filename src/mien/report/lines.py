"""Lines over the epochs of a training, in the colours of all figures, told apart however many."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOURS = ("#4c7fb8", "#dd8433", "#3f9e73", "#a865a8", "#8c8c3f", "#c2565b")
DASHES = ("-", "--", ":", "-.")  # one after another where the colours are used up
DIFFERENT = len(COLOURS) * len(DASHES)


def draw_line(axes: "Axes", values: Sequence[float | None], name: str, place: int) -> None:
    """Draw values an epoch; None and nan are epochs in which nothing was measured."""
    line = np.array(values, np.float64)  # None becomes nan
    there = np.flatnonzero(~np.isnan(line))
    axes.plot(
        there + 1,
        line[there],
        DASHES[place // len(COLOURS) % len(DASHES)],
        color=COLOURS[place % len(COLOURS)],
        linewidth=1.4,
        label=name,
    )
