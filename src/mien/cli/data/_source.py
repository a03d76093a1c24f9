"""The options that name a data set, and the reading of it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _options

if TYPE_CHECKING:
    from mien.data.listing import Listing
    from mien.data.table import FaceTable

Dataset = Annotated[
    str, typer.Option(metavar="NAME", help="A data set that `mien data list` names.")
]
Root = Annotated[
    Path,
    typer.Option(
        metavar="DIR", envvar="MIEN_DATA", help="Where the set lies: a folder, at any depth."
    ),
]
Table = Annotated[
    Path | None,
    typer.Option(metavar="FOLDER", help="Take a table that `mien data prepare` made instead."),
]


def read(dataset: str, root: Path, settings: list[str] | None) -> "FaceTable | Listing":
    """Read a data set by its name and the settings of its reader."""
    from mien.data import readers

    given = _options.settings(settings)
    return readers.read(dataset, root, **given)
