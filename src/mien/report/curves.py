"""Curves of a training as a PNG, for programs that show no page."""

import io
from collections.abc import Mapping, Sequence

from mien.report.figures import check
from mien.report.lines import draw_line

INK = "#1d2129"

Panels = Mapping[str, Mapping[str, Sequence[float | None]]]


def curves_png(panels: Panels, chosen: int | None = None) -> bytes:
    """Draw a panel a title, in it a line a name over the epochs; mark the epoch that was chosen.

    None is an epoch in which nothing was measured.
    """
    check()
    from matplotlib.figure import Figure

    rows = max(1, len(panels))
    figure = Figure(figsize=(6.4, 0.4 + 2.2 * rows), layout="constrained")
    for axes, (title, lines) in zip(
        figure.subplots(rows, squeeze=False, sharex=True)[:, 0], panels.items(), strict=False
    ):
        for place, (name, values) in enumerate(lines.items()):
            draw_line(axes, values, name, place)
        if chosen is not None:
            axes.axvline(chosen, color=INK, alpha=0.4, linewidth=1)
        axes.set_ylabel(title)
        axes.grid(alpha=0.2)
        if len(lines) > 1:
            axes.legend(fontsize=7, frameon=False)
    figure.axes[-1].set_xlabel("epoch")
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png", dpi=150, metadata={"Software": None})
    return drawn.getvalue()
