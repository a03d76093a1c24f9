"""Data given by name and root, or as a table."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli.data import _source
from mien.errors import UsageError
from mien.progress import say

if TYPE_CHECKING:
    from mien.data.listing import Listing
    from mien.data.table import FaceTable

Dataset = Annotated[
    str | None, typer.Option(metavar="NAME", help="A data set that `mien data list` names.")
]
Root = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR", envvar="MIEN_DATA", help="Where the set lies: a folder, at any depth."
    ),
]


def read(
    dataset: str | None, root: Path | None, table: Path | None, settings: list[str] | None
) -> "FaceTable | Listing":
    """Read the data set, or open the table, whichever is named."""
    from mien.data.listing import Listing
    from mien.data.table import FaceTable

    if (dataset is None) == (table is None):
        raise UsageError("expected either --dataset with --root, or --table")
    if table is not None and settings:
        raise UsageError("a table has no reader and takes no --option; leave it out")
    if table is not None:
        return FaceTable.open(table)
    if dataset is None or root is None:
        raise UsageError("expected --root with --dataset, or the variable MIEN_DATA")
    data = _source.read(dataset, root, settings)
    if isinstance(data, Listing) and data.passed_over:
        say(f"{data.passed_over} pictures named unlike those of {dataset} are passed over")
    return data
