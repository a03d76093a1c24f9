"""The faces of a run on labelled data: read, cut as the network takes them, parted, checked."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from mien.data import audit, rights
from mien.data.augmented import SETS
from mien.data.points import with_points
from mien.data.splits import PROTOCOLS, Splits, make, official_parts, take
from mien.data.summaries import recorded_rights
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError, unknown_name
from mien.evaluation.receipts import data_hash, points_hash
from mien.evaluation.selection import Choice
from mien.expressions import EXPRESSIONS
from mien.preparation import Preparation
from mien.training.framing import (
    as_given,
    cut,
    enlarging,
    finished,
    framed,
    steps_of,
    with_statistics,
)
from mien.training.settings import DataSettings, Recipe

PARTS = ("train", "validation", "test")


@dataclass(frozen=True, kw_only=True)
class DataSource:
    """Where the faces of a run lie, and which fold of them it is.

    root: of the recipe's data set. table: one that `mien data prepare` made, in its place. options:
    of the set's reader. points_file: the 68 points of its faces. splits: a file of ids that says
    who trains, in place of the recipe's protocol.
    """

    root: Path | None = None
    table: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    points_file: Path | None = None
    fold: int | str = 0
    splits: Path | None = None


@dataclass(frozen=True, eq=False)
class Material:
    """Faces cut, equalised and sized as the preparation says; it normalises where they are seen.

    Those that train may be smaller than it says, and grey where it wants colour: their views make
    up for both, and a large set keeps to little memory.

    The labels of every part count in `labels`. stated: what a result says of its data. rights: in
    the data set, a record as `mien.data.rights` gives it.
    """

    labels: tuple[str, ...]
    preparation: Preparation
    train: FaceTable
    validation: FaceTable
    test: FaceTable | None
    stated: dict[str, Any]
    rights: dict[str, Any]


def gather(recipe: Recipe, source: DataSource, quiet: bool = True) -> Material:
    """Read the faces that train, choose and test.

    The last set read is kept, so that the folds of a job read it once.
    """
    data = recipe.data
    _check(data)
    named = data.dataset or (source.table.resolve().name if source.table else "")
    steps = steps_of(recipe, source.table)
    faces, left_out, seen = _faces(recipe, source, steps, quiet)
    kept = _shown(faces, data.expressions)
    parted, said = _parted(kept, recipe, source, seen)
    if data.without_duplicates:
        for name in PARTS[1:]:
            parted[name] = parted[name][~audit.also_in(parted[name], parted["train"])]
    labels = _labels(parted, data.expressions, named)
    parts = {name: _relabelled(part, labels) for name, part in parted.items()}
    train = parts["train"]
    everyone = sum(map(len, parts.values()))
    stated = {
        "data_set": data.dataset if source.table is None else None,
        "table": named if source.table else None,
        "options": [f"{name}={value}" for name, value in source.options.items()] or None,
        **said,
        "splits_file": source.splits and source.splits.name,
        "points_file": source.points_file and source.points_file.name,
        **left_out,
        "other_expressions": len(faces) - len(kept) or None,
        "duplicates_of_train": "left out" if data.without_duplicates else "kept",
        "faces": {"all": everyone, **{name: len(part) for name, part in parts.items()}},
        "training_faces": dict(zip(labels, counted(train), strict=True)),
        "preparation": data.preparation or "faces as the set has them",
    }
    steps = enlarging(with_statistics(steps, train), train)
    steps = framed(steps, train) if as_given(steps, recipe, source.table) else steps
    validation, test = (finished(parts[name], steps) for name in PARTS[1:])
    return Material(labels, steps, train, validation, test, stated, rights_of(data, source))


def faces_sha256(recipe: Recipe, source: DataSource, quiet: bool = True) -> str:
    """Hash the faces that a run's parts are dealt from, and what they are dealt by."""
    faces, _, _ = _faces(recipe, source, steps_of(recipe, source.table), quiet)
    dealt_by = [data_hash(faces), points_hash(faces), faces.subject.tolist(), faces.split.tolist()]
    return sha256(json.dumps(dealt_by).encode()).hexdigest()


def counted(faces: FaceTable) -> list[int]:
    """Count the faces of each label."""
    counts: list[int] = np.bincount(faces.labels, minlength=len(faces.expressions)).tolist()
    return counts


def _faces(
    recipe: Recipe, source: DataSource, steps: Preparation, quiet: bool
) -> tuple[FaceTable, dict[str, Any], frozenset[str]]:
    return _read(
        recipe.data.dataset if source.table is None else "",
        source.root,
        source.table,
        tuple(sorted(source.options.items())),
        recipe.data.rule,
        source.points_file,
        replace(steps, normalize="none"),
        not recipe.hiding.nothing or recipe.augmentation.align_share > 0,
        quiet,
        _stamps(source.table or source.root, source.points_file),
    )


@lru_cache(maxsize=1)
def _read(
    data_set: str,
    root: Path | None,
    table: Path | None,
    options: tuple[tuple[str, str], ...],
    rule: str,
    points_file: Path | None,
    steps: Preparation,
    points: bool,
    quiet: bool,
    stamps: tuple[tuple[int, int], ...],
) -> tuple[FaceTable, dict[str, Any], frozenset[str]]:
    """Read the faces that have a label, cut; find the points that are lacking, if asked.

    stamps: of the files, so that what changed on disk is read again. Last are the ids of all faces.
    """
    voted = (data_set == "ferplus" and "subset" not in dict(options)) or _only_votes(table)
    choice = Choice(
        data_set=data_set or None,
        table=table,
        options=dict(options),
        rule=rule if voted and "rule" not in dict(options) else None,
        points_file=points_file,
    )
    seen: set[str] = set()
    faces, left_out = choice.read(root, steps, quiet=quiet, seen=seen)
    left_out["rule"] = choice.rule
    if not len(faces):
        raise DataError(f"no face of {data_set or table} has a label; take another set or rule")
    if points:
        faces, left_out["points"] = with_points(faces, quiet=quiet)
    return cut(faces, steps), left_out, frozenset(seen)


def _stamps(*places: Path | None) -> tuple[tuple[int, int], ...]:
    """Give for each place the number of its files and when the newest was written."""
    found = []
    for place in filter(None, places):
        files = [os.path.join(at, name) for at, _, names in os.walk(place) for name in names]
        times = [
            os.stat(file).st_mtime_ns for file in files or [str(place)] if os.path.exists(file)
        ]
        found.append((len(files), max(times, default=0)))
    return tuple(found)


def _only_votes(table: Path | None) -> bool:
    if table is None:
        return False
    faces = FaceTable.open(table)
    return faces.votes is not None and bool((faces.labels < 0).all())


def _check(data: DataSettings) -> None:
    """Find wrong names before anything is read."""
    kinds: tuple[tuple[str, tuple[str, ...], Iterable[str]], ...] = (
        ("expression", data.expressions, EXPRESSIONS),
        ("augmentation set", (data.set,), SETS),
        ("protocol", (data.protocol or PROTOCOLS[0],), PROTOCOLS),
    )
    for kind, names, known in kinds:
        for name in names:
            if name not in known:
                raise UsageError(unknown_name(kind, name, known))


def rights_of(data: DataSettings, source: DataSource) -> dict[str, Any]:
    """Give the rights in the faces of a set or of a table."""
    if source.table is None:
        return rights.record(data.dataset)
    return recorded_rights(source.table)


def _shown(faces: FaceTable, expressions: tuple[str, ...]) -> FaceTable:
    return faces[np.isin(faces.expression_names(), expressions)] if expressions else faces


def _parted(
    faces: FaceTable, recipe: Recipe, source: DataSource, seen: frozenset[str]
) -> tuple[dict[str, FaceTable], dict[str, Any]]:
    """Give the parts and say how they were made; one is made to choose on where there is none.

    seen: the ids of all faces of the set, also of those that do not take part.
    """
    if source.splits is not None:
        splits = Splits.open(source.splits)
    else:
        splits = make(faces, _protocol(faces, recipe.data), folds=recipe.data.folds)
    whole = splits.fold(source.fold)
    gone = seen.difference(faces.source_id.tolist())
    kept: dict[str, Any] = {
        name: tuple(one for one in getattr(whole, name) if one not in gone) for name in PARTS
    }
    fold = replace(whole, **kept)
    left_out = sum(whole.sizes().values()) - sum(fold.sizes().values())
    parts = {name: take(faces, getattr(fold, name)) for name in PARTS}
    said = "the set's own part" if source.splits is None else "of the file of splits"
    if not fold.validation:
        share = recipe.data.validation_share
        before = len(parts["train"])
        parts["train"], parts["validation"], how = _held_out(parts["train"], share)
        said = f"{len(parts['validation'])} of {before} training faces, {how}"
    stated = {**splits.stated(fold), "left_out_of_the_splits": left_out or None}
    return parts, {**stated, "validation": said}


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


def _labels(parts: Mapping[str, FaceTable], asked: tuple[str, ...], data: str) -> tuple[str, ...]:
    """Give the expressions in canonical order; each part has faces, of these and no others."""
    empty = [name for name in PARTS if not len(parts[name])]
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
    for part in PARTS[1:]:
        for name in sorted(shown[part] - set(wanted)):
            raise DataError(
                f"a face of the {part} part of {data} shows {name}, which no training face does:"
                " name the other expressions in data.expressions, or part the faces otherwise"
            )
    if len(wanted) < 2:
        raise DataError(f"the training faces of {data} all show {wanted[0]}; expected two or more")
    return tuple(wanted)


def _relabelled(faces: FaceTable, labels: tuple[str, ...]) -> FaceTable:
    places = np.array([labels.index(name) for name in faces.expression_names().tolist()])
    return replace(faces, labels=places, expressions=labels)
