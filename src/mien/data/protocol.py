"""Which faces a measurement is made on, in words that go into its result."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.data import audit
from mien.data.labels import RULES
from mien.data.readers.fer2013 import read_fer2013, with_own_ids
from mien.data.readers.ferplus import has_official, labelled, read_ferplus
from mien.data.readers.lists import listed
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError, unknown_name

DATA_SETS = ("ferplus", "fer2013")
SPLITS = ("train", "public", "private")


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """Name the faces to measure on.

    rule: how FER+ votes become labels, `majority` unless given; FER-2013 takes none. list_file:
    take these FER+ faces with the labels of the list, whatever their split. points_file: their
    landmarks. without_duplicates: leave out faces whose pixels equal those of a face of `train`.
    """

    data_set: str
    split: str = "private"
    rule: str | None = None
    list_file: Path | None = None
    points_file: Path | None = None
    without_duplicates: bool = False

    def __post_init__(self) -> None:
        _check_name("data set", self.data_set, DATA_SETS)
        _check_name("split", self.split, SPLITS)
        _check_name("rule", self.rule or RULES[0], RULES)
        if self.data_set == "fer2013" and (self.rule or self.list_file):
            raise UsageError("a rule and a list need FER+ votes and names; take data set ferplus")
        if self.rule and self.list_file:
            raise UsageError("a list brings its own labels; give it without a rule")
        if self.without_duplicates and self.split == "train" and not self.list_file:
            raise UsageError("duplicates are faces that equal one of train; take another split")

    def select(self, root: str | Path) -> FaceTable:
        """Read the faces under the root, each with its label."""
        return self.marked(root)[0]

    def marked(self, root: str | Path) -> tuple[FaceTable, NDArray[np.bool_]]:
        """Read the faces, and mark (N,) those kept although they equal a face of `train`."""
        faces = self._read(root)
        if self.list_file:
            chosen = listed(faces, self.list_file)
        else:
            chosen = faces[faces.split == self.split]
            chosen = labelled(chosen, self._rule) if self._rule else chosen
        copied = np.zeros(len(chosen), bool)
        if self.list_file or self.split != "train":
            copied = audit.also_in(chosen, faces[faces.split == "train"])
        if self.without_duplicates:
            chosen, copied = chosen[~copied], copied[~copied]
        if not len(chosen):
            raise DataError(f"no face of {self.data_set} under {root} is left to measure on")
        return chosen, copied

    def describe(self, root: str | Path) -> dict[str, Any]:
        """Give what the result says of its faces; names of files without their folders."""
        official = self.data_set == "ferplus" and not self.list_file and has_official(root)
        return {
            "data_set": self.data_set,
            "split": None if self.list_file else self.split,
            "rule": self._rule,
            "votes": ("official" if official else "fer2013new.csv") if self._rule else None,
            "list": self.list_file and self.list_file.name,
            "points": self._points,
            "duplicates_of_train": "left out" if self.without_duplicates else "kept",
        }

    @property
    def _rule(self) -> str | None:
        return None if self.data_set == "fer2013" or self.list_file else self.rule or RULES[0]

    @property
    def _points(self) -> str | None:
        if self.points_file is None:
            return None
        return f"{self.points_file.name}, mean points of train where it has none"

    def _read(self, root: str | Path) -> FaceTable:
        if self.data_set == "fer2013":
            return with_own_ids(read_fer2013(root, points_file=self.points_file))
        # The names in a list are those of all rows, not of the official folders alone.
        source = "new" if self.list_file else "auto"
        return with_own_ids(read_ferplus(root, source, points_file=self.points_file))


def _check_name(kind: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise UsageError(unknown_name(kind, name, known))
