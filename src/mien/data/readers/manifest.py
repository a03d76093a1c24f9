"""Any table of photographs, CSV or Parquet, its columns named by options.

    ROOT            the table itself, or a folder with `file` (manifest.csv) in it
    path            each photograph's path, from the table's folder on
    label           an expression in any usual spelling, or what `labels` maps to one; "" for none

`subject`, `sequence`, `split` and `source_id` name further columns; a row without an id has its
path for one. Labels are numbered in the order of the sorted spellings found, or of `labels`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mien.data import files, parquet
from mien.data.listing import Listing
from mien.data.readers import spellings
from mien.data.readers.photos import Photo, listing
from mien.errors import DataError

SOURCE = "a table with one row for each photograph"


def read(
    root: str | Path,
    *,
    file: str = "manifest.csv",
    path: str = "path",
    label: str = "label",
    subject: str | None = None,
    sequence: str | None = None,
    split: str | None = None,
    source_id: str | None = None,
    labels: Mapping[str, str] | None = None,
) -> Listing:
    """Read the table in its own order."""
    table = Path(root) if Path(root).is_file() else files.require(root, (file,), source=SOURCE)
    further = {"subject": subject, "sequence": sequence, "split": split, "source_id": source_id}
    named = {field: column for field, column in further.items() if column}
    reader = parquet.read_parquet if table.suffix.casefold() == ".parquet" else files.read_csv
    known = spellings.table(labels)
    found: dict[str, str] = {}
    photos = []
    for where, (name, text, *rest) in files.rows(
        table, (path, label, *named.values()), read=reader
    ):
        picture = table.parent / name
        if not picture.is_file():
            raise DataError(f"{where}: no picture {picture}; expected paths from {table.parent} on")
        found[text] = spellings.expression(text, where, known) if text else ""
        fields: dict[str, Any] = dict(zip(named, rest, strict=True))
        fields["source_id"] = fields.get("source_id") or name
        photos.append(Photo(picture, found[text], **fields))
    order = known.values() if labels else (found[text] for text in sorted(found))
    return listing(photos, spellings.own_order(order))
