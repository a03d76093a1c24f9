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
from mien.data.picked import Picked, memory_bytes
from mien.data.points import with_points
from mien.data.splits import PROTOCOLS
from mien.data.summaries import recorded_rights
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError, unknown_name
from mien.evaluation.receipts import data_hash, points_hash
from mien.evaluation.selection import Choice
from mien.expressions import EXPRESSIONS
from mien.preparation import Preparation
from mien.progress import say
from mien.training.framing import (
    as_given,
    cut,
    enlarging,
    finished,
    framed,
    steps_of,
    with_statistics,
)
from mien.training.parting import PARTS, labels_of, parted, relabelled
from mien.training.settings import ALL, DataSettings, Recipe


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

    The labels of every part count in `labels`. Under the protocol `all` the others are empty.
    stated: what a result says of its data. rights: in the data set, a record as `mien.data.rights`
    gives it.
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
    dealt, said = parted(kept, data, source.splits, source.fold, seen)
    if data.without_duplicates:
        for name in PARTS[1:]:
            dealt[name] = dealt[name][~audit.also_in(dealt[name], dealt["train"])]
    used = dealt if data.protocol != ALL else {"train": dealt["train"]}
    labels = labels_of(used, data.expressions, named)
    parts = {name: relabelled(part, labels) for name, part in dealt.items()}
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
        memory_bytes() * recipe.memory_share if recipe.memory_share else 0,
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
    most_bytes: float,
    quiet: bool,
    stamps: tuple[tuple[int, int], ...],
) -> tuple[FaceTable, dict[str, Any], frozenset[str]]:
    """Read the faces that have a label, cut; find the points that are lacking, if asked.

    most_bytes: of the pixels of a table that are held in memory. stamps: of the files, so that what
    changed on disk is read again. Last are the ids of all faces.
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
    faces, left_out = choice.read(root, steps, quiet=quiet, seen=seen, stay=True)
    left_out["rule"] = choice.rule
    if not len(faces):
        raise DataError(f"no face of {data_set or table} has a label; take another set or rule")
    if points:
        faces, left_out["points"] = with_points(faces, quiet=quiet)
    return _held(cut(faces, steps), most_bytes, quiet), left_out, frozenset(seen)


def _held(faces: FaceTable, most_bytes: float, quiet: bool) -> FaceTable:
    """Read the images of a table into memory, unless they are more than that."""
    if not isinstance(faces.images, Picked):
        return faces
    if faces.images.nbytes <= most_bytes:
        return replace(faces, images=np.asarray(faces.images))
    say(f"{faces.images.nbytes / 1e9:.3g} GB of pixels stay on disk (memory_share)", quiet=quiet)
    return faces


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
        ("protocol", (data.protocol or ALL,), (*PROTOCOLS, ALL)),
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
