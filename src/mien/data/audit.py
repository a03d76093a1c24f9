"""Tell what is wrong with a data set before anyone trains on it.

Faces are copies of each other exactly (their pixels are equal) or nearly (shifted, mirrored,
compressed, brightened). `near` counts what `exact` does not: a face is there if it has a copy, but
no exact one. Photographs are compared at 48x48, each cut to the box that its set gives.
"""

import tempfile
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import images
from mien.data import duplicates
from mien.data.columns import UNLABELLED, Columns, check_unique
from mien.data.duplicates import SIDE, Images, Rows
from mien.data.labels import EXPRESSION_COLUMNS
from mien.data.listing import Listing
from mien.data.splits import Splits, official, official_order, official_parts
from mien.data.table import FaceTable
from mien.errors import DataError, InputError
from mien.progress import track

NO_SPLIT = "no split"
BINS = 10  # of the share of votes for the winning expression
WITHOUT_COPIES = "official, each picture in one split"

Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Copies:
    """Groups of ids that show one picture, those with more than one label, and faces counted.

    counts: `private in train`, faces of one split that are copies of one of the other; `within
    train`, faces of a split beyond the first of each picture.
    """

    counts: dict[str, int]
    groups: Groups
    conflicting: Groups

    def to_dict(self) -> dict[str, int]:
        groups, conflicting = len(self.groups), len(self.conflicting)
        return {**self.counts, "groups": groups, "groups with conflicting labels": conflicting}


@dataclass(frozen=True, eq=False, kw_only=True)
class Audit:
    """What was found; faces are named by their ids.

    classes: faces by split and expression. votes: by split, how many of the votes the winning
    expression has. shared: `subject` and `sequence`, each one that is in two splits with these, or
    None where the set names none.
    picture: for each face (N,) the first row that shows its picture, copies being one.
    """

    faces: int
    classes: dict[str, dict[str, int]]
    votes: dict[str, dict[str, Any]]
    exact: Copies
    near: Copies
    blank: tuple[str, ...]
    unreadable: dict[str, str]
    shared: dict[str, dict[str, list[str]] | None]
    picture: Rows

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "faces": self.faces,
            "exact": self.exact.to_dict(),
            "near": self.near.to_dict(),
            "blank": list(self.blank),
            "unreadable": self.unreadable,
            "shared": self.shared,
            "classes": self.classes,
            "votes": self.votes,
            "exact_groups": self.exact.groups,
            "near_groups": self.near.groups,
        }


def audit(data: FaceTable | Listing, *, quiet: bool = True) -> Audit:
    """Look for copies, blank and unreadable images, conflicting labels and shared people."""
    check_unique(data.source_id)
    if not len(data):
        raise DataError("there is no face to audit; expected at least one")
    pictures, hashes, unreadable = _pictures(data, quiet)
    exact = duplicates.same(hashes)
    readable = np.ones(len(data), bool)
    readable[list(unreadable)] = False
    blank = duplicates.blank(pictures) & readable
    rows = np.flatnonzero((exact == np.arange(len(data))) & readable & ~blank)
    picture = duplicates.near(pictures, rows, quiet=quiet)[exact]
    ids = data.source_id
    return Audit(
        faces=len(data),
        classes=_classes(data),
        votes=_votes(data),
        exact=_copies(data, exact, np.arange(len(data))),
        near=_copies(data, picture, exact),
        blank=tuple(ids[blank].tolist()),
        unreadable={str(ids[row]): reason for row, reason in unreadable.items()},
        shared={name: _shared(data, name) for name in ("subject", "sequence")},
        picture=picture,
    )


def check_splits(data: Columns) -> list[str]:
    """Give the names of the set's splits; raise where there are none to clean."""
    names = official_parts(data.split)
    if len(names) < 2:
        raise DataError("the set has no splits to clean; make some with `mien data split`")
    return names


def cleaned(data: Columns, found: Audit) -> Splits:
    """Keep each picture in one of the official splits: in training rather than in a test."""
    names = check_splits(data)
    seen, kept = np.zeros(0, np.int64), []
    for name in names:
        rows = np.flatnonzero(data.split == name)
        rows = rows[~np.isin(found.picture[rows], seen)]
        seen = np.union1d(seen, found.picture[rows])
        kept.append(tuple(data.source_id[rows].tolist()))
    return official(data, kept, WITHOUT_COPIES)


def also_in(faces: FaceTable, others: FaceTable) -> NDArray[np.bool_]:
    """Mark the faces (N,) whose pixels equal those of one of the others."""
    known = set(duplicates.digests(others.images))
    return np.array([one in known for one in duplicates.digests(faces.images)], dtype=bool)


def equal(data: FaceTable | Listing, *, quiet: bool = True) -> list[Rows]:
    """Give the rows of each picture that is there twice or more, pixel for pixel."""
    _, hashes, _ = _pictures(data, quiet)
    return _groups(duplicates.same(hashes), np.arange(len(data)))


def small(data: FaceTable | Listing, row: int) -> Images:
    """Give a row's picture in grey (48, 48)."""
    return images.resize(images.to_grey(_image(data, row)), (SIDE, SIDE))


def _pictures(data: FaceTable | Listing, quiet: bool) -> tuple[Images, list[bytes], dict[int, str]]:
    """Read every image once: all of them in grey (N, 48, 48), hashes, what is wrong by row.

    What is not that already is kept in a file that goes with the array.
    """
    given = data.images if isinstance(data, FaceTable) else np.zeros(0, np.uint8)
    as_given = given.shape[1:] == (SIDE, SIDE)
    pictures: Images = np.asarray(given) if as_given else _on_disk((len(data), SIDE, SIDE))
    hashes, wrong = [], {}
    for row in track(range(len(data)), description="Reading", quiet=quiet):
        try:
            image = _image(data, row)
        except InputError as error:
            wrong[row] = str(error)
            hashes.append(b"%d" % row)
            continue
        hashes.append(duplicates.digest(image))
        if not as_given:
            pictures[row] = images.resize(images.to_grey(image), (SIDE, SIDE))
    return pictures, hashes, wrong


def _on_disk(shape: tuple[int, ...]) -> Images:
    """Give an array in a file that nobody sees."""
    with tempfile.TemporaryFile() as file:
        return np.memmap(file, np.uint8, "w+", shape=shape)


def _image(data: FaceTable | Listing, row: int) -> Images:
    if isinstance(data, FaceTable):
        return np.asarray(data.images[row])
    return data.read(row)


def _copies(data: Columns, picture: Rows, known: Rows) -> Copies:
    """Group the rows by picture; those that are `known` (N,) to be equal count as one."""
    names = official_order(data.split)
    own = {name: data.split == name for name in names}
    counts = {}
    for first, later in combinations(names, 2):
        there = np.isin(picture[own[later]], picture[own[first]])
        there &= ~np.isin(known[own[later]], known[own[first]])
        counts[f"{later or NO_SPLIT} in {first or NO_SPLIT}"] = int(there.sum())
    for name in names:
        of_pictures, of_known = (len(np.unique(one[own[name]])) for one in (picture, known))
        counts[f"within {_named(name, names)}"] = of_known - of_pictures
    groups = _groups(picture, known)
    labels = data.canonical_labels()
    conflicting = [group for group in groups if _conflict(labels[group])]
    return Copies(counts=counts, groups=_ids(data, groups), conflicting=_ids(data, conflicting))


def _named(split: str, splits: list[str]) -> str:
    return split or (NO_SPLIT if len(splits) > 1 else "the set")


def _groups(picture: Rows, known: Rows) -> list[Rows]:
    """Give the rows of every picture that is not one and the same known thing."""
    rows = np.flatnonzero(np.bincount(picture)[picture] > 1)
    rows = rows[np.argsort(picture[rows], kind="stable")]
    groups = np.split(rows, np.flatnonzero(np.diff(picture[rows])) + 1)
    return [group for group in groups if (known[group] != known[group[:1]]).any()]


def _conflict(labels: Rows) -> bool:
    return len(np.unique(labels[labels >= 0])) > 1


def _ids(data: Columns, groups: list[Rows]) -> Groups:
    return tuple(tuple(data.source_id[group].tolist()) for group in groups)


def _classes(data: Columns) -> dict[str, dict[str, int]]:
    expression, counts = data.expression_names(), {}
    for name in official_order(data.split):
        own = expression[data.split == name]
        counts[name] = {one: int((own == one).sum()) for one in data.expressions}
        if (own == "").any():
            counts[name][UNLABELLED] = int((own == "").sum())
    return counts


def _shared(data: Columns, name: str) -> dict[str, list[str]] | None:
    """Give what is in two splits at least; a sequence is one of its subject."""
    values, splits = getattr(data, name).tolist(), data.split.tolist()
    if not any(values):
        return None
    if name == "sequence":
        subjects = data.subject.tolist()
        values = [value and f"{who}/{value}" for who, value in zip(subjects, values, strict=True)]
    found: dict[str, set[str]] = {}
    for value, split in zip(values, splits, strict=True):
        if value and split:
            found.setdefault(value.lstrip("/"), set()).add(split)
    return {value: sorted(among) for value, among in sorted(found.items()) if len(among) > 1}


def _votes(data: Columns) -> dict[str, dict[str, Any]]:
    if data.votes is None:
        return {}
    share = agreement(np.asarray(data.votes))
    return {name: _agreements(share[data.split == name]) for name in official_order(data.split)}


def agreement(votes: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
    """Give the winning expression's share of all votes (N,), NaN where there is no vote."""
    total = votes.sum(axis=1)
    top: NDArray[np.float64] = votes[:, :EXPRESSION_COLUMNS].max(axis=1).astype(np.float64)
    share = np.full(len(votes), np.nan)
    np.divide(top, total, out=share, where=total > 0)
    return share


def _agreements(share: NDArray[np.float64]) -> dict[str, Any]:
    share = share[~np.isnan(share)]
    bins = (share * BINS + 1e-9).astype(int).clip(max=BINS - 1)  # 3 of 10 votes are 30 %
    return {
        "faces": len(share),
        "mean": round(float(share.mean()), 4) if len(share) else None,
        "no majority": int((share <= 0.5).sum()),
        "histogram": np.bincount(bins, minlength=BINS).tolist(),
    }
