"""Which faces are measured: of a data set by name or of a table, by split, fold, list and rule."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.data import points, readers
from mien.data.columns import check_unique
from mien.data.crops import Cutter, prepare
from mien.data.labels import RULES
from mien.data.listing import Listing
from mien.data.picked import Picked
from mien.data.points import check_places
from mien.data.protocol import DATA_SETS, Protocol
from mien.data.readers.ferplus import labelled
from mien.data.readers.lists import listed
from mien.data.splits import Splits, official_parts, take
from mien.data.summaries import SUMMARY
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError, unknown_name
from mien.evaluation.answers import Images, Locate, Points
from mien.evaluation.copies import copies
from mien.evaluation.groups import Groups
from mien.faces.finding import FaceFinder
from mien.faces.landmarks import Landmarker
from mien.occlusion import parts
from mien.preparation import Preparation

PARTS = ("test", "validation", "train")
EVERY = "all"
COPIES = {"debanga": "fer2013", "fer2013-folders": "fer2013"}  # of a set, with its labels


@dataclass(frozen=True, eq=False)
class Chosen:
    """Faces to measure on, and what the result says of them.

    in_training: ids of those that equal a training face, None where that was not looked for.
    groups: what else they are measured by.
    """

    faces: FaceTable
    stated: dict[str, Any]
    really_occluded: bool = False
    in_training: frozenset[str] | None = None
    groups: Groups | None = None


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Name the faces: of a data set with the settings of its reader, or of a table.

    split: the set's own, `all`, or by default the last, which tests. splits: a file of ids, of
    which a fold's part is taken. rule, list_file, points_file, without_duplicates: see `Protocol`;
    votes become labels by majority where a table has no others.
    """

    data_set: str | None = None
    table: Path | None = None
    options: Mapping[str, str] = field(default_factory=dict)
    split: str | None = None
    rule: str | None = None
    list_file: Path | None = None
    points_file: Path | None = None
    without_duplicates: bool = False
    splits: Path | None = None
    fold: str = "0"
    part: str = PARTS[0]

    def __post_init__(self) -> None:
        if (self.data_set is None) == (self.table is None):
            raise UsageError(
                "expected a data set by name (--dataset) or a table (--table); give one of them"
            )
        if self.table and (self.list_file or self.points_file or self.options):
            raise UsageError("a table brings its points and has no reader; give it alone")
        if self.list_file and self.data_set != "ferplus":
            raise UsageError("a list has FER+ names; take data set ferplus")
        if self.splits and (self.split or self.list_file):
            raise UsageError("a file of splits says which faces; give it without split and list")
        kinds: tuple[tuple[str, str | None, Iterable[str]], ...] = (
            ("data set", self.data_set, readers.READERS),
            ("rule", self.rule, RULES),
            ("part", self.part, PARTS),
        )
        for kind, name, known in kinds:
            if name is not None and name not in known:
                raise UsageError(unknown_name(kind, name, known))
        self._protocol()
        self._check_files()

    @property
    def prepared_from(self) -> str | None:
        """The data set that a table was prepared from, where its folder says so."""
        path = self.table and self.table / SUMMARY
        if path is None or not path.is_file():
            return None
        try:
            found = json.loads(path.read_text(encoding="utf-8")).get("data_set")
        except (OSError, ValueError, AttributeError):
            return None
        return found if isinstance(found, str) else None

    @property
    def labelled_as(self) -> str | None:
        """The data set that labels the faces as these are labelled, votes by a rule as FER+."""
        if self.rule:
            return "ferplus"
        name = self.data_set or self.prepared_from
        return COPIES.get(name or "", name)

    def select(
        self, root: str | Path | None, preparation: Preparation, *, quiet: bool = True
    ) -> Chosen:
        """Read the faces, each with its label; photographs are cut as the preparation says."""
        protocol = self._protocol()
        if protocol is not None:
            where = needed(root)
            faces, copied = protocol.marked(where)
            occluded, stated = self.list_file is not None, protocol.describe(where)
            chosen = Chosen(faces, stated, occluded, _ids(faces, copied))
        else:
            chosen = self._chosen(*self.read(root, preparation, quiet=quiet))
        check_classes(chosen.faces)
        return chosen

    def read(
        self,
        root: str | Path | None,
        preparation: Preparation,
        *,
        quiet: bool = True,
        seen: set[str] | None = None,
        stay: bool = False,
    ) -> tuple[FaceTable, dict[str, Any]]:
        """Read all faces that have a label, and say what was left out.

        seen: takes the ids of all that was read, also of what was left out. stay: let the images
        of a table be `Picked`, which leaves them on disk.
        """
        data: FaceTable | Listing
        if self.table is not None:
            data = FaceTable.open(self.table)
            if stay:
                data = replace(data, images=Picked(data.images))  # type: ignore[arg-type]
        else:
            data = readers.read(self.data_set or "", needed(root), **self._settings())
        if seen is not None:
            seen.update(data.source_id.tolist())
        cut = _cut(data, preparation, quiet) if isinstance(data, Listing) else (data, 0)
        faces, rejected = cut
        read = len(faces)
        if self.list_file:
            faces = listed(faces, self.list_file)
        elif self.rule or (faces.votes is not None and (faces.labels < 0).all()):
            faces = labelled(faces, self.rule or RULES[0])
        elif (faces.labels < 0).any():
            faces = faces[faces.labels >= 0]
        left_out = {"without_label": read - len(faces) or None, "no_face": rejected or None}
        if isinstance(data, Listing) and data.passed_over:
            left_out["passed_over"] = data.passed_over
        return faces, left_out

    def _chosen(self, faces: FaceTable, left_out: dict[str, Any]) -> Chosen:
        check_unique(faces.source_id)
        stated: dict[str, Any] = {
            "data_set": self.data_set,
            "table": self.table and self.table.resolve().name,
            "options": [f"{name}={value}" for name, value in self.options.items()] or None,
            "split": None,
            "rule": self.rule,
            "points": self.points_file and self.points_file.name,
            **left_out,
        }
        fold = None
        if self.splits is not None:
            splits = Splits.open(self.splits)
            fold = splits.fold(self.fold)
            stated |= {**splits.stated(fold), "part": self.part}
            chosen = take(faces, getattr(fold, self.part))
        else:
            stated["split"] = split = self._split(faces)
            chosen = faces if split is None else faces[faces.split == split]
        copied = copies(chosen, faces, fold, needed=self.without_duplicates)
        if self.without_duplicates and copied is not None:
            chosen, copied = chosen[~copied], None
        stated["duplicates_of_train"] = "left out" if self.without_duplicates else "kept"
        return Chosen(chosen, stated, in_training=_ids(chosen, copied))

    def _split(self, faces: FaceTable) -> str | None:
        if self.split is None:
            return _test_part(faces)
        known = [name for name in np.unique(faces.split).tolist() if name]
        if self.split != EVERY and self.split not in known:
            raise UsageError(unknown_name("split", self.split, (*known, EVERY)))
        return None if self.split == EVERY else self.split

    def _protocol(self) -> Protocol | None:
        """Give the protocol of the sets that have one, unless a reader's settings are wanted."""
        if self.data_set not in DATA_SETS or self.options or self.splits or self.split == EVERY:
            return None
        return Protocol(
            data_set=self.data_set,
            split=self.split or "private",
            rule=self.rule,
            list_file=self.list_file,
            points_file=self.points_file,
            without_duplicates=self.without_duplicates,
        )

    def _check_files(self) -> None:
        """Check what is small, before the faces are read."""
        own = {name: value for name, value in self.options.items() if name != "unpack"}
        readers.checked(self.data_set or "", own)
        named = {"a list of FER+ faces": self.list_file, "a file of splits": self.splits}
        for kind, path in named.items():
            if path is not None and not path.is_file():
                raise DataError(f"no file {path}; expected {kind}")
        if self.points_file is not None:
            points.check(self.points_file)

    def _settings(self) -> dict[str, Any]:
        own: dict[str, Any] = {"points_file": self.points_file} if self.points_file else {}
        # The names in a list are those of all rows, not of the official folders alone.
        return {**self.options, **own, **({"source": "new"} if self.list_file else {})}


def _test_part(faces: FaceTable) -> str | None:
    """Give the last of the set's parts, which tests; None where all faces are of one or none."""
    parts = official_parts(faces.split)
    unnamed = int((faces.split == "").sum())
    if len(parts) == 1 and unnamed:
        raise UsageError(
            f"{unnamed} of {len(faces)} faces have no split, the others {parts[0]!r}; say which to"
            f" take: --split {parts[0]} or {EVERY}"
        )
    return parts[-1] if len(parts) > 1 else None


def _ids(faces: FaceTable, marked: NDArray[np.bool_] | None) -> frozenset[str] | None:
    return None if marked is None else frozenset(faces.source_id[marked].tolist())


def check_classes(faces: FaceTable) -> None:
    """Check that there are faces, of two expressions at least."""
    found = np.unique(faces.expression_names()).tolist()
    if len(found) < 2:
        raise DataError(
            f"{'all' if found else 'none of the'} {len(faces)} faces show"
            f" {found[0] if found else 'anything'}; a model is measured on faces of at least two"
            " expressions: take another split or fold"
        )


def located(
    chosen: Chosen, occluder: str, landmarks: str | Path | None = None
) -> tuple[Locate | None, dict[str, Any]]:
    """Give what finds the points that an occluder needs, and say whose points are used."""
    stated = dict(chosen.stated)
    if not parts(occluder):
        return None, {**stated, "points": None}
    check_places(chosen.faces)
    lacking = int((~chosen.faces.has_points).sum())
    if not lacking:
        return None, {**stated, "points": stated.get("points") or "of the table"}
    landmarker = Landmarker(landmarks)
    found = f"found by the landmark network {landmarker.sha256[:12]}"
    few = "" if lacking == len(chosen.faces) else f"of the table, for {lacking} faces "

    def locate(images: Images) -> Points:
        return landmarker.from_whole(images)[0]

    return locate, {**stated, "points": few + found}


def _cut(data: Listing, preparation: Preparation, quiet: bool) -> tuple[FaceTable, int]:
    """Cut photographs in a passing folder; give the faces and how many photographs had none."""
    detector = "centerface" if preparation.needs_points or preparation.needs_box else "whole"
    points = preparation.needs_points and preparation.crop != "template"
    cutter = Cutter(preparation, FaceFinder(detector, min_face=32, points=points))
    with tempfile.TemporaryDirectory() as folder:
        table, summary = prepare(data, Path(folder, "faces"), cutter, quiet=quiet)
        return table[np.arange(len(table))], summary["rejected"]


def needed(root: str | Path | None) -> str | Path:
    """Check that the folder of a data set is named."""
    if root is None:
        raise UsageError("expected the folder of the data set: --root, or the variable MIEN_DATA")
    return root
