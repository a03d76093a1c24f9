"""`mien networks show`: what a network computes, layer by layer."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._streams import result_stream, writing
from mien.errors import MissingExtraError

if TYPE_CHECKING:
    from mien.networks.layers import Run


def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="As `mien networks list` has it, or torchvision:NAME, timm:NAME."
        ),
    ],
    side: Annotated[
        int | None, typer.Option(min=1, help="Of the pictures.  [default: the network's own]")
    ] = None,
    channels: Annotated[
        int | None, typer.Option(help="1 for grey, 3 for colour.  [default: the network's own]")
    ] = None,
    classes: Annotated[int, typer.Option(min=1, help="How many it tells apart.")] = 7,
    svg: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw the network into this file, too.")
    ] = None,
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Show the layers of a network: output shapes, parameters and multiply-adds.

    Needs the extra `train`, and `networks` for those of torchvision and timm.
    """
    try:
        from mien.networks.layers import run
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise MissingExtraError("running a network", "PyTorch", "train") from error
    from mien.networks.diagram import svg as drawn

    found = run(name, side=side, channels=channels, classes=classes)
    if svg is not None:
        with result_stream(svg) as stream:
            stream.write(drawn(found))
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(_described(found), indent=2))
        else:
            print(*_lines(found), sep="\n")


def _described(run: "Run") -> dict[str, object]:
    from dataclasses import asdict

    network = run.network
    return {
        "name": network.name,
        "title": network.title,
        "source": network.source,
        "normalize": network.normalize,
        "shape": run.shape,
        "parameters": run.parameters,
        "statistics": network.statistics,
        "multiply_adds": run.multiply_adds,
        "layers": [asdict(layer) for layer in run.layers],
    }


def _lines(run: "Run") -> Iterator[str]:
    from mien.networks.diagram import by, parameters

    yield f"{run.network.name}: {run.network.title}"
    yield f"source: {run.network.source}"
    yield f"input: {by(run.shape)}, normalised as {run.network.normalize!r}"
    yield f"{parameters(run)}, {run.multiply_adds:,} multiply-adds a picture\n"
    head = ("layer", "kind", "output", "parameters", "multiply-adds")
    rows = [
        (row.name, row.kind, by(row.shape), f"{row.parameters:,}", f"{row.multiply_adds:,}")
        for row in run.layers
    ]
    total = ("total", "", "", f"{run.parameters:,}", f"{run.multiply_adds:,}")
    wide = [max(len(row[place]) for row in (head, total, *rows)) for place in (3, 4)]
    yield from aligned(
        [(*row[:3], row[3].rjust(wide[0]), row[4].rjust(wide[1])) for row in (head, *rows, total)]
    )
