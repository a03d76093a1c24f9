"""Write a table as files that other tools read: lossless PNG and a manifest.

png            ROOT/images/0000/ID.png, a folder for each ten thousand faces
class-folders  ROOT/SPLIT/EXPRESSION/ID.png, without the first where no face has a split; a face
               without a label is left out

`manifest.csv` names each file and what is known of its face; `points.npz` has the faces' points, in
the order of the manifest. The folder appears whole or not at all.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from mien import images
from mien.data.naming import safe, stem, untaken
from mien.data.readers.folders import NO_SPLIT
from mien.data.readers.votes import COLUMNS
from mien.data.table import FaceTable
from mien.errors import DataError, OutputError, UsageError, unknown_name
from mien.files import new_folder
from mien.progress import track

LAYOUTS = ("png", "class-folders")
MANIFEST, POINTS_FILE = "manifest.csv", "points.npz"
FACTS = ("expression", "subject", "sequence", "source_id", "split")
A_FOLDER = 10_000  # files that one folder holds


def export(faces: FaceTable, out: str | Path, layout: str = "png", *, quiet: bool = True) -> int:
    """Write the faces into a new folder; give how many there are."""
    if layout not in LAYOUTS:
        raise UsageError(unknown_name("layout", layout, LAYOUTS))
    out = Path(out)
    if out.exists():
        raise OutputError(f"{out} exists; remove it or name another folder")
    rows = np.flatnonzero(faces.labels >= 0) if layout == LAYOUTS[1] else np.arange(len(faces))
    if not len(rows):
        raise DataError("no face has a label; export them with the layout png")
    shown = track(rows.tolist(), total=len(rows), description="writing faces", quiet=quiet)
    named = zip(shown, _names(faces, rows.tolist(), layout), strict=True)
    try:
        with new_folder(out) as part:
            _write(faces, part, named)
            if faces.points_xy is not None:
                points = faces.points_xy[rows]
                found = np.isfinite(points).all(axis=(1, 2))
                np.savez(part / POINTS_FILE, points_xy=points, found=found)
    except OSError as error:
        raise OutputError(f"cannot write {out}: {error}") from error
    return len(rows)


def _write(faces: FaceTable, part: Path, named: Iterator[tuple[int, str]]) -> None:
    votes = faces.votes
    head = ["file", *FACTS, *(COLUMNS if votes is not None else ())]
    expressions = faces.expression_names()
    how: dict[str, Any] = {"encoding": "utf-8", "errors": "backslashreplace", "newline": ""}
    with (part / MANIFEST).open("w", **how) as file:
        manifest = csv.writer(file, lineterminator="\n")
        manifest.writerow(head)
        for row, name in named:
            (part / name).parent.mkdir(parents=True, exist_ok=True)
            images.write(part / name, np.asarray(faces.images[row]))
            facts = [getattr(faces, fact)[row] for fact in FACTS[1:]]
            given = [] if votes is None else [f"{vote:g}" for vote in votes[row]]
            manifest.writerow([name, expressions[row], *facts, *given])


def _names(faces: FaceTable, rows: list[int], layout: str) -> Iterator[str]:
    """Name a file for each row by its id; one that is taken gets the row's number too."""
    split_up = bool((faces.split != "").any())
    expressions = faces.expression_names()
    taken: set[str] = set()
    for place, row in enumerate(rows):
        folder = f"images/{place // A_FOLDER:04}"
        if layout == LAYOUTS[1]:
            split = safe(faces.split[row]) or NO_SPLIT
            folder = f"{split}/{expressions[row]}" if split_up else str(expressions[row])
        name = f"{folder}/{safe(stem(faces.source_id[row])) or row}"
        yield f"{untaken(name, row, taken)}.png"
