"""`mien data join`: several tables as one."""

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _options


def join(
    tables: Annotated[
        list[Path],
        typer.Argument(
            metavar="TABLE...",
            help="Folders that `mien data prepare` made, cut alike; their names go before the ids.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="DIR", help="The new folder of the table.")],
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Join tables that are cut alike into one.

    It keeps their preparation and has the strictest of their rights. A work that was stopped goes
    on with the same command.
    """
    from mien.data.joining import write_joined

    named = [(table.resolve().name, table) for table in tables]
    try:
        faces = write_joined(out, named, quiet=quiet)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{out} is not written yet; the same command goes on from here"
        ) from None
    if format is _options.Report.json:
        names = [name for name, _ in named]
        print(json.dumps({"out": str(out), "joined": names, "faces": len(faces)}, indent=2))
    elif not quiet:
        print(f"{len(faces)} faces of {len(named)} tables written to {out}", file=sys.stderr)
