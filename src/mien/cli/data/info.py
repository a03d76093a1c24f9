"""`mien data info`: what is in a data set."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._streams import writing
from mien.cli.data import _given, _source
from mien.errors import InputError
from mien.expressions import EXPRESSIONS

if TYPE_CHECKING:
    from mien.data.listing import Listing
    from mien.data.table import FaceTable
    from mien.images import Image

ENOUGH = 200  # pixels of the shorter side of a sample
FACTS = ("data_set", "kind", "images", "shape", "unlabelled", "subjects", "sequences")


def info(
    dataset: _given.Dataset = None,
    root: _given.Root = None,
    table: _source.Table = None,
    sheet: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Draw sample faces and counts of every class (.png)."),
    ] = None,
    option: _options.Settings = None,
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Tell what is in a data set: classes by split, subjects, sequences, what has no label.

    Takes a set by name and root, or a table.
    """
    data = _given.read(dataset, root, table, option)
    found = {"data_set": dataset or str(table), **describe(data)}
    if sheet is not None:
        _draw(sheet, data, found)
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(found, indent=2))
        else:
            print_table(found)


def describe(data: "FaceTable | Listing") -> dict[str, Any]:
    """Count a set; `expressions` has a count a split for every class."""
    from mien.data.table import FaceTable

    splits, first = np.unique(data.split, return_index=True)
    splits = splits[np.argsort(first)].tolist()  # as they come in the set
    of_split = {split: data.canonical_labels()[data.split == split] for split in splits}
    classes = [name for name in EXPRESSIONS if name in data.expressions]
    arrays = data.arrays()
    return {
        "kind": "faces" if isinstance(data, FaceTable) else "photographs",
        "images": len(data),
        "passed_over": None if isinstance(data, FaceTable) else data.passed_over or None,
        "shape": list(data.images.shape[1:]) if isinstance(data, FaceTable) else None,
        "splits": {split: len(labels) for split, labels in of_split.items()},
        "expressions": {
            name: {
                split: int((labels == EXPRESSIONS.index(name)).sum())
                for split, labels in of_split.items()
            }
            for name in classes
        },
        "unlabelled": int((data.labels < 0).sum()),
        "subjects": _distinct(data.subject),
        "sequences": _distinct(data.sequence),
        "with": [name for name in ("votes", "points_xy", "box_xyxy") if name in arrays],
    }


def print_table(found: dict[str, Any]) -> None:
    """Print the facts, then a line a class."""
    print(*aligned(list(_facts(found))), "", sep="\n")
    splits = [*found["splits"]]
    rows = [["", *(split or "no split" for split in splits), "all"]]
    for name, counts in found["expressions"].items():
        rows.append([name, *(str(counts[split]) for split in splits), str(sum(counts.values()))])
    rows.append(["images", *map(str, found["splits"].values()), str(found["images"])])
    print(*aligned(rows, numbers=True), sep="\n")


def _facts(found: dict[str, Any]) -> Iterator[Sequence[str]]:
    for fact in FACTS:
        if found[fact] is not None:
            value = found[fact]
            text = " x ".join(map(str, value)) if fact == "shape" else str(value)
            yield fact.replace("_", " "), text
    if found["with"]:
        yield "with", ", ".join(found["with"])


def _draw(path: Path, data: "FaceTable | Listing", found: dict[str, Any]) -> None:
    from mien import images
    from mien.images.sheet import Row, sheet

    labels = data.canonical_labels()
    rows = [
        Row(name, _samples(data, np.flatnonzero(labels == EXPRESSIONS.index(name))), [*of.values()])
        for name, of in found["expressions"].items()
    ]
    images.write(path, sheet(rows, [*found["splits"]]))


def _samples(data: "FaceTable | Listing", rows: Any) -> "list[Image | None]":
    """Read a few images evenly spread over the rows; one that cannot be read is none."""
    from mien.images.sheet import SAMPLES

    chosen = np.linspace(0, len(rows) - 1, min(SAMPLES, len(rows))).astype(int)
    return [_sample(data, int(row)) for row in rows[chosen]]


def _sample(data: "FaceTable | Listing", row: int) -> "Image | None":
    from mien.data.table import FaceTable

    if isinstance(data, FaceTable):
        return np.asarray(data.images[row])
    try:
        return data.read(row, least_side=ENOUGH)
    except InputError:
        return None


def _distinct(names: Any) -> int:
    return int(np.count_nonzero(np.unique(names) != ""))
