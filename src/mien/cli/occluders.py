"""`mien occluders`: what can be drawn on a face, and what it looks like."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._streams import writing
from mien.errors import InputError, UsageError

if TYPE_CHECKING:
    from mien.occlusion.sheet import FaceIn

COLUMNS = 10


def occluders(
    sheet: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Draw all of them into a picture, on the sample portrait."
        ),
    ] = None,
    on: Annotated[
        list[Path] | None,
        typer.Option(metavar="PHOTO", help="Draw them on this photograph's largest face; repeat."),
    ] = None,
    table: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Draw them on ten faces of a table, from one side to the other."
        ),
    ] = None,
    style: Annotated[
        str | None, typer.Option(metavar="flat|realistic", help="Only those of this style.")
    ] = None,
    seed: Annotated[int, typer.Option(metavar="N", min=0, help="Another seed draws others.")] = 0,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """List the occluders, or draw a sheet of them.

    A line each: name, style and what it is. A sheet on one face shows each at 25, 50, 75 and
    100 % severity, in two more makes, and on a grey crop of 48x48 pixels.
    """
    from mien import images, occlusion
    from mien.errors import unknown_name
    from mien.occlusion.kinds import STYLES

    if style is not None and style not in STYLES:
        raise UsageError(unknown_name("style", style, STYLES))
    names = occlusion.names(style)
    if sheet is None:
        if on or table:
            raise UsageError("expected --sheet FILE with --on and --table")
        kinds = [(name, occlusion.OCCLUDERS[name]) for name in names]
        with writing("standard output"):
            print(*aligned([(name, kind.style, kind.doc) for name, kind in kinds]), sep="\n")
        return
    from mien.occlusion import sheet as sheets

    faces = list(_faces(on or [], table))
    one = len(faces) == 1
    images.write(
        sheet,
        sheets.of_one(faces[0], names, seed=seed)
        if one
        else sheets.of_many(faces, names, seed=seed),
    )
    if not quiet:
        with writing("standard output"):
            print(f"{len(names)} occluders: {sheet.resolve()}")


def _faces(photographs: list[Path], table: Path | None) -> "Iterator[FaceIn]":
    """Yield the faces to draw on: of photographs, of a table, or of the sample portrait."""
    from mien import images, weights
    from mien.recognizer import Recognizer

    if table is not None:
        yield from _of_table(table)
    elif not photographs:
        photographs = [weights.sample_portrait()]
    recognizer = Recognizer() if photographs else None
    for path in photographs:
        image = images.read(path)
        found = recognizer(image) if recognizer else []
        if not found or found[0].face.points_xy is None:
            raise InputError(f"expected a face in {path}, found none; name another photograph")
        yield image, found[0].face.points_xy


def _of_table(folder: Path) -> "Iterator[FaceIn]":
    from mien.data.table import FaceTable
    from mien.errors import DataError
    from mien.occlusion.sheet import from_side_to_side

    faces = FaceTable.open(folder)
    if faces.points_xy is None:
        raise DataError(f"expected points in the table {folder}, found none; prepare it --points")
    for row in from_side_to_side(faces.points_xy, COLUMNS):
        yield faces.images[row], faces.points_xy[row]
