"""Image lists of the Region Attention Networks: FER+ faces really occluded or turned.

Two forms of line, each with a label of its own in front: `1_fer0034656.png 8 0` and
`0/fer0032226.jpg`. Labels are 0 to 7 in FER+'s column order; numbers after the name say nothing.
"""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.data.readers.ferplus import rows_by_name
from mien.data.table import FaceTable
from mien.errors import DataError
from mien.expressions import EXPRESSIONS

LINE = re.compile(r"(?P<label>[0-7])[_/](?P<stem>[^\s/.]+)(?:\.(?:png|jpe?g))?(?:\s.*)?", re.I)


def read_list(path: str | Path) -> tuple[list[str], list[int]]:
    """Read the names, all as `NAME.png`, and the labels."""
    path = Path(path)
    names, labels = [], []
    for number, line in enumerate(_lines(path), start=1):
        found = LINE.fullmatch(line)
        if found is None:
            raise DataError(
                f"{path}, line {number}: expected a line like `1_fer0034656.png 8 0` or"
                f" `1/fer0034656.jpg` with a label from 0 to 7, found {line[:60]!r}"
            )
        names.append(f"{found['stem']}.png")
        labels.append(int(found["label"]))
    if not names:
        raise DataError(f"{path} lists no images; expected one line for each")
    return names, labels


def listed(faces: FaceTable, path: str | Path) -> FaceTable:
    """Select the listed faces from all of FER+, with the labels of the list."""
    names, labels = read_list(path)
    rows = rows_by_name(faces)
    missing = [name for name in names if name not in rows]
    if missing:
        raise DataError(
            f"{path} names {len(missing)} images that FER+ does not have, the first"
            f" {missing[0]!r}; expected `Image name`s of fer2013new.csv"
        )
    chosen = faces[np.array([rows[name] for name in names])]
    return replace(chosen, labels=np.array(labels), expressions=EXPRESSIONS)


def _lines(path: Path) -> list[str]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise DataError(f"no list {path}; expected a list of FER+ image names") from error
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"cannot read the list {path}: {error}") from error
    return [line.strip() for line in text.splitlines() if line.strip()]
