"""Which faces of a run train, choose and test, and the expressions that they show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from mien.data.splits import Splits, make, official_parts, take
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError
from mien.expressions import EXPRESSIONS
from mien.training.settings import ALL, DataSettings

PARTS = ("train", "validation", "test")
Parts = dict[str, FaceTable]


def parted(
    faces: FaceTable,
    data: DataSettings,
    file: Path | None,
    number: int | str,
    seen: frozenset[str],
) -> tuple[Parts, dict[str, Any]]:
    """Give the parts and say how they were made; one is made to choose on where there is none.

    file: of splits, in place of the protocol. number: which fold it is. seen: the ids of all faces
    of the set, also of those that do not take part.
    """
    if data.protocol == ALL:
        return _undivided(faces, file, number)
    splits = Splits.open(file) if file else make(faces, _protocol(faces, data), folds=data.folds)
    whole = splits.fold(number)
    gone = seen.difference(faces.source_id.tolist())
    kept: dict[str, Any] = {
        name: tuple(one for one in getattr(whole, name) if one not in gone) for name in PARTS
    }
    fold = replace(whole, **kept)
    left_out = sum(whole.sizes().values()) - sum(fold.sizes().values())
    parts = {name: take(faces, getattr(fold, name)) for name in PARTS}
    said = "the set's own part" if file is None else "of the file of splits"
    if not fold.validation:
        share = data.validation_share
        before = len(parts["train"])
        parts["train"], parts["validation"], how = _held_out(parts["train"], share)
        said = f"{len(parts['validation'])} of {before} training faces, {how}"
    stated = {**splits.stated(fold), "left_out_of_the_splits": left_out or None}
    return parts, {**stated, "validation": said}


def _undivided(
    faces: FaceTable, file: Path | None, number: int | str
) -> tuple[Parts, dict[str, Any]]:
    if file is not None or str(number) != "0":
        raise UsageError("data.protocol all trains on every face; leave --splits and --fold out")
    stated = {"splits": "none, all faces train", "validation": "none, so that there is no score"}
    return {"train": faces, **dict.fromkeys(PARTS[1:], faces[:0])}, stated


def _protocol(faces: FaceTable, data: DataSettings) -> str:
    if data.protocol:
        return data.protocol
    if len(official_parts(faces.split)) > 1:
        return "official"
    return "by-subject" if (faces.subject != "").all() else "stratified"


def _held_out(train: FaceTable, share: float) -> tuple[FaceTable, FaceTable, str]:
    """Part training faces once more; nobody is on both sides where all of them are known."""
    known = bool((train.subject != "").all())
    dealt = train if known else replace(train, subject=np.full(len(train), ""))
    fold = make(dealt, "hold-out", share=share).fold(0)
    how = "by subject" if known else "of each expression alike"
    return take(train, fold.train), take(train, fold.test), how


def labels_of(parts: Mapping[str, FaceTable], asked: tuple[str, ...], data: str) -> tuple[str, ...]:
    """Give the expressions in canonical order; each part has faces, of these and no others."""
    empty = [name for name in parts if not len(parts[name])]
    if empty:
        raise DataError(
            f"the {empty[0]} part of {data} has no face; expected some in each of"
            f" {', '.join(PARTS)}: take another protocol, fold or validation_share"
        )
    shown = {name: set(part.expression_names().tolist()) for name, part in parts.items()}
    wanted = [name for name in EXPRESSIONS if name in (asked or shown["train"])]
    for name in wanted:
        if name not in shown["train"]:
            raise DataError(
                f"data.expressions names {name}, which no training face of {data} shows; found"
                f" {', '.join(sorted(shown['train']))}"
            )
    for part in shown:
        for name in sorted(shown[part] - set(wanted)):
            raise DataError(
                f"a face of the {part} part of {data} shows {name}, which no training face does:"
                " name the other expressions in data.expressions, or part the faces otherwise"
            )
    if len(wanted) < 2:
        raise DataError(f"the training faces of {data} all show {wanted[0]}; expected two or more")
    return tuple(wanted)


def relabelled(faces: FaceTable, labels: tuple[str, ...]) -> FaceTable:
    places = np.array([labels.index(name) for name in faces.expression_names().tolist()], int)
    return replace(faces, labels=places, expressions=labels)
