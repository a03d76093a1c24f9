"""`mien verify`: score a receipt again and say whether it holds."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _faces, _options
from mien.cli._columns import aligned
from mien.cli._streams import writing
from mien.errors import DataError


def verify(
    receipt: Annotated[
        Path, typer.Argument(metavar="RECEIPT", help="What `mien evaluate --receipt` wrote.")
    ],
    root: _faces.Root = None,
    table: _faces.Table = None,
    points: _faces.Points = None,
    model: _options.Model = None,
    provider: _options.Provider = "cpu",
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Measure again what a receipt says and compare: model, faces, every answer, the measures.

    Ends with code 0 if it holds, with 1 if it does not, and with 4 if that could not be checked for
    want of the data. Takes the faces from the data set under `--root`, or from a table with the
    same ids.
    """
    from mien.evaluation import verifying
    from mien.evaluation.receipts import Receipt

    told = Receipt.open(receipt)
    try:
        choice = verifying.chosen(told, root, table, points)
        reader = verifying.answering(told, model, provider=provider)
        checks = verifying.verify(told, reader, choice, root, quiet=quiet)
    except DataError as error:
        raise DataError(f"{receipt} could not be checked: {error}") from error
    holds = all(check.holds for check in checks)
    with writing("standard output"):
        if format is _options.Report.json:
            found = {"receipt_sha256": told.sha256, "holds": holds}
            print(json.dumps({**found, "checks": list(map(asdict, checks))}, indent=2))
        else:
            rows = [[one.name, "holds" if one.holds else "FAILS", one.found] for one in checks]
            print(*aligned(rows), sep="\n")
            print(f"the receipt {'holds' if holds else 'does not hold'}")
    if not holds:
        raise typer.Exit(1)
