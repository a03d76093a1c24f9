"""`mien data audit`: what is wrong with a data set."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._streams import ESCAPED, writing
from mien.cli.data import _given, _source
from mien.progress import say

if TYPE_CHECKING:
    from mien.data.audit import Audit


def audit(
    dataset: _given.Dataset = None,
    root: _given.Root = None,
    table: _source.Table = None,
    option: _options.Settings = None,
    page: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Show the faces in question side by side on a page (.html)."
        ),
    ] = None,
    write_splits: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write splits that share no picture (.json)."),
    ] = None,
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Look for copies within and across splits, conflicting labels, blank images, shared people.

    Copies are exact, or shifted by up to 2 pixels, mirrored, compressed, brightened. Takes a set
    by name and root, or a table.
    """
    from mien import files
    from mien.data import audit as work
    from mien.data.audit_page import audit_page

    for path in filter(None, (page, write_splits)):
        files.check_file(path)
    data = _given.read(dataset, root, table, option)
    if write_splits is not None:
        work.check_splits(data)
    found = work.audit(data, quiet=quiet)
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps({"data_set": dataset or str(table), **found.to_dict()}, indent=2))
        else:
            print_table(found)
    if write_splits is not None:
        splits = work.cleaned(data, found)
        splits.save(write_splits)
        say(
            f"{write_splits}: {', '.join(map(counted, splits.folds[0].sizes().items()))}",
            quiet=quiet,
        )
    if page is not None:
        text = audit_page(dataset or (table and table.name) or "", data, found)
        files.write(page, text.encode(errors=ESCAPED))
        say(f"{page}: the faces in question", quiet=quiet)


def print_table(found: "Audit") -> None:
    """Print what was counted: copies, then single faces, classes, votes."""
    exact, near = found.exact.to_dict(), found.near.to_dict()
    rows = [["copies", "exact", "near"]]
    rows += [[name, str(count), str(near[name])] for name, count in exact.items()]
    print(*aligned(rows, numbers=True), "", sep="\n")
    print(*aligned(list(_singles(found)), numbers=True), "", sep="\n")
    splits = [name or "no split" for name in found.classes]
    names = dict.fromkeys(name for counts in found.classes.values() for name in counts)
    rows = [["", *splits]]
    for name in names:
        rows.append([name, *(str(counts.get(name, 0)) for counts in found.classes.values())])
    print(*aligned(rows, numbers=True), sep="\n")
    for split, of in found.votes.items():
        if of["faces"]:
            shares = f"{of['mean']:.1%} of the votes on average, {of['no majority']} faces without"
            print(f"{split or 'all'}: the winning expression has {shares} a majority")


def _singles(found: "Audit") -> Iterator[list[str]]:
    yield ["faces", str(found.faces)]
    yield ["blank images", str(len(found.blank))]
    yield ["images that cannot be read", str(len(found.unreadable))]
    for kind, shared in found.shared.items():
        yield [f"{kind}s in two splits", "unknown" if shared is None else str(len(shared))]


def counted(part: tuple[str, int]) -> str:
    return f"{part[1]} {part[0]}"
