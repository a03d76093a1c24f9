"""`mien data split`: choose once which faces train and which test."""

import json
from pathlib import Path
from typing import Annotated

import typer

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._streams import writing
from mien.cli.data import _given, _source
from mien.progress import say


def split(
    protocol: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="official, hold-out, stratified, by-subject, leave-one-subject-out; or"
            " random-images, whose subjects overlap.",
        ),
    ],
    out: Annotated[Path, typer.Option(metavar="FILE", help="Where to write the ids (.json).")],
    dataset: _given.Dataset = None,
    root: _given.Root = None,
    table: _source.Table = None,
    option: _options.Settings = None,
    folds: Annotated[int, typer.Option(metavar="K", help="How many folds.")] = 5,
    share: Annotated[float, typer.Option(help="What part hold-out tests.")] = 0.2,
    seed: Annotated[
        int, typer.Option(metavar="N", min=0, help="Another seed deals otherwise.")
    ] = 0,
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Write which faces train and which test, by their ids, for use under every condition.

    The file carries hashes; one that was changed is refused.
    """
    from mien.data.splits import check_protocol, make

    check_protocol(protocol)
    data = _given.read(dataset, root, table, option)
    splits = make(data, protocol, folds=folds, share=share, seed=seed)
    splits.save(out)
    sizes = {fold.name: fold.sizes() for fold in splits.folds}
    with writing("standard output"):
        if format is _options.Report.json:
            stated = {"description": splits.description, "ids_sha256": splits.ids_sha256}
            print(json.dumps({"out": str(out), **stated, "folds": sizes}, indent=2))
        elif not quiet:
            rows = [[splits.description, "train", "validation", "test"]]
            rows += [[name, *map(str, of.values())] for name, of in sizes.items()]
            print(*aligned(rows, numbers=True), sep="\n")
            say(f"{out}: the ids of {len(data) - splits.left_out} faces")
