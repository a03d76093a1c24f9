"""The options of `mien predict` that are for videos."""

from pathlib import Path
from typing import Annotated

import typer

from mien.media.smoothing import HALF_LIFE_S

Every = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Of a video, read every N-th frame.")
]
Fps = Annotated[
    float | None,
    typer.Option(
        metavar="N",
        help="Of a video, read so many frames a second; of an image sequence, its own rate."
        "  [default: all; 25]",
    ),
]
Start = Annotated[
    str | None, typer.Option(metavar="TIME", help="Of a video, from there: 90, 1:30, 0:01:30.")
]
End = Annotated[str | None, typer.Option(metavar="TIME", help="Of a video, up to there.")]
Smooth = Annotated[
    float | None,
    typer.Option(
        metavar="S",
        min=0,
        help="Half-life in seconds of a video's smoothed probabilities; 0: none."
        f"  [default: {HALF_LIFE_S}]",
    ),
]
EventsFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Write a video's events here: .csv, .jsonl or .parquet."),
]
TimelineFile = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Draw a video's probabilities over time: .png, .svg, .pdf."),
]
