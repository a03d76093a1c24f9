"""How a model does on groups of faces: by a column that they bring, or by one of a file of ids."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from mien import metrics
from mien.data import files
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError, unknown_name
from mien.evaluation.answers import Answers
from mien.evaluation.measures import FEW_OF_ONE, Result, worst_found

COLUMNS = ("subject", "sequence", "split")
IDS = ("source_id", "id")  # what a file's column of ids is called
FEW = 30  # faces of a group, below which a result warns
NAMED = 6  # groups at most that a warning names


@dataclass(frozen=True)
class Groups:
    """A group for each face, by its id, "" where none is known; sha256: of the file with them."""

    by: str
    of: Mapping[str, str]
    sha256: str | None = None

    @classmethod
    def of_faces(cls, column: str, faces: FaceTable) -> Self:
        """Group faces by a column of theirs."""
        groups = getattr(faces, column).tolist()
        return cls(column, dict(zip(faces.source_id.tolist(), groups, strict=True)))

    @classmethod
    def open(cls, path: Path, column: str) -> Self:
        """Read a CSV that has a column of ids and one of groups."""
        head = [name.casefold() for name in next(files.read_csv(path), (0, []))[1]]
        ids = next((name for name in IDS if name in head), IDS[0])
        found: dict[str, str] = {}
        for where, (one, group) in files.rows(path, (ids, column)):
            if found.setdefault(one, group) != group:
                raise DataError(f"{where}: {one!r} is {group!r} here and {found[one]!r} above")
        return cls(f"{path.name}:{column}", found, sha256(path.read_bytes()).hexdigest())

    def each(self, ids: list[str]) -> NDArray[np.str_]:
        """Give the group of each of the faces (N,); refuse groups that none of them is in."""
        own = np.array([self.of.get(one, "") for one in ids])
        if (own != "").any():
            return own
        wanted = f"expected ids such as {ids[0]!r}, found {next(iter(self.of), '')!r}"
        if self.by in COLUMNS:
            wanted = "the faces do not tell any; take another column, or FILE.csv:COLUMN"
        raise DataError(f"no face is in a group of {self.by}; {wanted}")

    def kept(self, ids: list[str]) -> dict[str, Any]:
        """Give what a receipt keeps: a group for each of the faces."""
        return {"sha256": self.sha256, "of": [self.of.get(one, "") for one in ids]}


def named(by: str) -> Groups | None:
    """Read the groups that `FILE.csv:COLUMN` names; None for a column of the faces."""
    path, colon, column = by.rpartition(":")
    if colon:
        return Groups.open(Path(path), column)
    if by not in COLUMNS:
        known = "; a column of a file is FILE.csv:COLUMN"
        raise UsageError(unknown_name("column of faces", by, COLUMNS) + known)
    return None


def told(data: Mapping[str, Any], ids: tuple[str, ...], faces: FaceTable | None) -> Groups | None:
    """Give the groups that a receipt's data name: a column of its faces again, or those kept.

    faces: those it was made of; None where others of their ids stand for them.
    """
    by, kept = data.get("by"), data.get("groups")
    if by is None or kept is None:
        return None
    if by in COLUMNS and faces is not None:
        return Groups.of_faces(by, faces)
    return Groups(by, dict(zip(ids, kept["of"], strict=True)), kept["sha256"])


def grouped(measured: Result, found: Answers, groups: Groups | None) -> Result:
    """Add to a result what it is for each group, which is the worst, and what to mind."""
    if groups is None:
        return measured
    own = groups.each(found.faces.source_id.tolist())
    names = [name for name in np.unique(own).tolist() if name]
    each = {name: _measures(found, own == name) for name in names}
    enough = [name for name in names if each[name]["faces"] >= FEW_OF_ONE] or names
    worst = min(enough, key=lambda name: each[name]["accuracy"])
    unknown = int((own == "").sum())
    by = {"column": groups.by, "groups": each, "worst": worst, "unknown": unknown}
    return replace(measured, by=by, warnings=[*measured.warnings, *_warnings(by)])


def _measures(found: Answers, rows: NDArray[np.bool_]) -> dict[str, Any]:
    counts = metrics.confusion(found.truth[rows], found.predicted[rows], len(found.labels))
    correct, faces = int(np.trace(counts)), int(counts.sum())
    return {
        "faces": faces,
        "correct": correct,
        "accuracy": metrics.accuracy(counts),
        "interval95": metrics.wilson(correct, faces),
        "balanced_accuracy": metrics.balanced_accuracy(counts),
        "worst": worst_found(counts, found.labels),
    }


def _warnings(by: Mapping[str, Any]) -> list[str]:
    few = [name for name, of in by["groups"].items() if of["faces"] < FEW]
    more = f" and {len(few) - NAMED} others" if len(few) > NAMED else ""
    said = {
        f"{by['unknown']} faces are in no group of {by['column']}": by["unknown"],
        f"all faces are in one group of {by['column']}": len(by["groups"]) == 1,
        f"fewer than {FEW} faces of the groups {', '.join(few[:NAMED])}{more}": few,
    }
    return [text for text, holds in said.items() if holds]
