"""Which faces train and which test: made once, saved by name, used under every condition.

official               the set's own parts; faces without a split are in none
hold-out               a share of the faces, of each expression; of the subjects where there are any
stratified             K folds with the expressions alike
by-subject             K folds, no subject in two of them, the expressions as alike as that allows
leave-one-subject-out  a fold a subject
random-images          like stratified where there are subjects: they overlap, and results say so

Every face but those of `official` is tested once. Faces without a label are dealt like a class.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien import files
from mien.data.columns import Columns, check_unique
from mien.data.dealing import DEALS
from mien.errors import DataError, OutputError, UsageError, unknown_name

FORMAT = 1
OVERLAP = "subjects overlap"

# How the parts of data sets are called, from training to the last test.
_PARTS = (r"train", r"^(val|dev|public)", r"^(test|private)")

Rows = TypeVar("Rows", bound=Columns)


@dataclass(frozen=True, kw_only=True)
class Fold:
    """The ids of the faces that train, test, and choose between models."""

    name: str
    train: tuple[str, ...]
    test: tuple[str, ...]
    validation: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        everything = (*self.train, *self.test, *self.validation)
        if len(set(everything)) < len(everything):
            raise DataError(f"{self.name!r} has a face in two of its parts; make the file again")
        if not self.train or not self.test:
            raise DataError(
                f"{self.name!r} has no face to train or none to test; take fewer folds, another"
                " share or another protocol"
            )

    def sizes(self) -> dict[str, int]:
        parts = {"train": self.train, "validation": self.validation, "test": self.test}
        return {name: len(ids) for name, ids in parts.items()}


@dataclass(frozen=True, kw_only=True)
class Splits:
    """The folds of a protocol."""

    protocol: str
    folds: tuple[Fold, ...]
    seed: int | None = None
    subjects_overlap: bool | None = None  # None where no subject is known
    left_out: int = 0  # faces without a split of the set's own

    @property
    def description(self) -> str:
        """Say how the faces were split, for every result that is made with them."""
        folds = f"{len(self.folds)} folds" if len(self.folds) > 1 else "1 fold"
        seed = "" if self.seed is None else f", seed {self.seed}"
        left_out = f", {self.left_out} faces without a split left out" if self.left_out else ""
        overlap = f", {OVERLAP}" if self.subjects_overlap else ""
        return f"{self.protocol}, {folds}{seed}{left_out}{overlap}"

    @property
    def ids_sha256(self) -> str:
        """Hash the ids of all faces, sorted, a line each."""
        ids = {one for fold in self.folds for one in (*fold.train, *fold.test, *fold.validation)}
        return sha256("\n".join(sorted(ids)).encode("utf-8", "surrogateescape")).hexdigest()

    def apply(self, table: Rows, fold: int | str = 0) -> tuple[Rows, Rows]:
        """Select the faces that train and those that test, in the fold's order."""
        chosen = self.fold(fold)
        return take(table, chosen.train), take(table, chosen.test)

    def fold(self, fold: int | str) -> Fold:
        """Give a fold by its number, also as text, or by its name."""
        names = [one.name for one in self.folds]
        if isinstance(fold, str) and fold.isdigit() and fold not in names:
            fold = int(fold)
        if isinstance(fold, str) and fold not in names:
            raise UsageError(unknown_name("fold", fold, names))
        place = names.index(fold) if isinstance(fold, str) else fold
        if not 0 <= place < len(names):
            raise UsageError(f"no fold {place}; expected 0 to {len(names) - 1}")
        return self.folds[place]

    def stated(self, fold: Fold) -> dict[str, Any]:
        """Say which splits these are and which fold is meant, for what is measured on it."""
        return {
            "splits": self.description,
            "splits_ids_sha256": self.ids_sha256,
            "fold": fold.name,
            "subjects_overlap": self.subjects_overlap or None,
        }

    def save(self, path: str | Path) -> None:
        """Write the ids as JSON, with hashes that `open` checks."""
        path, content = Path(path), self._content()
        text = json.dumps({**content, "sha256": _hash(content)}, indent=1) + "\n"
        try:
            if path.exists() and path.read_text(encoding="utf-8", errors="replace") != text:
                raise OutputError(
                    f"{path} is there and says otherwise; results may rest on it: name another"
                    " file, or remove it"
                )
        except OSError as error:
            raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
        files.write(path, text)

    @classmethod
    def open(cls, path: str | Path) -> Self:
        """Read a saved file; one that was changed since is refused."""
        try:
            content = json.loads(Path(path).read_text(encoding="utf-8"))
            stated = content.pop("sha256")
            if content["format"] != FORMAT or content["kind"] != "splits":
                raise ValueError(f"format {content['format']!r}, expected {FORMAT}")
            folds = tuple(_fold(fold) for fold in content["folds"])
            made = {name: content[name] for name in ("protocol", "seed", "subjects_overlap")}
            made["left_out"] = content.get("left_out", 0)
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or error}") from error
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise DataError(f"{path} is no file of splits: {error!r}; make it again") from error
        splits = cls(**made, folds=folds)
        if stated != _hash(content) or content.get("ids_sha256") != splits.ids_sha256:
            raise DataError(
                f"{path} was changed after it was made: its hash differs; make it again"
            )
        return splits

    def _content(self) -> dict[str, Any]:
        made = {"format": FORMAT, "kind": "splits", "description": self.description}
        own = json.loads(json.dumps(asdict(self)))
        if not self.left_out:  # as in files that know of none
            del own["left_out"]
        return {**made, "ids_sha256": self.ids_sha256, **own}


def take(table: Rows, ids: Sequence[str]) -> Rows:
    """Select rows by their ids, in that order."""
    order = np.argsort(table.source_id, kind="stable")
    ordered, wanted = table.source_id[order], np.array(ids, dtype=np.str_)
    places = np.searchsorted(ordered, wanted)
    found = np.append(ordered, "")[places]
    lacking = wanted[found != wanted]
    if len(lacking):
        raise DataError(
            f"the data lack {len(lacking)} of the {len(wanted)} faces of the splits, such as"
            f" {str(lacking[0])!r}; expected the data set that the splits were made from, whole"
        )
    return table[order[places]]


def official_order(split: NDArray[np.str_]) -> list[str]:
    """Give the names of a set's splits, from training to the last test, others behind them."""
    return sorted(np.unique(split).tolist(), key=lambda name: (_rank(name), name))


def official_parts(split: NDArray[np.str_]) -> list[str]:
    """Give the names of a set's parts, from training to the last test.

    Faces without a split are in none. Several names of which one does not say what it is for are
    refused.
    """
    names = [name for name in official_order(split) if name]
    strange = [name for name in names if _rank(name) == len(_PARTS)]
    if strange and len(names) > 1:
        advice = "leave the split of its faces empty"
        if len(strange) == len(names):
            advice = "take one by its name, or a protocol other than official"
        raise DataError(
            f"the set has the splits {', '.join(names)}, and {strange[0]!r} does not say whether it"
            " trains or tests; expected names like train, validation (val, dev, public) and test"
            f" (private): rename it, or {advice}"
        )
    return names


def training_parts(split: NDArray[np.str_]) -> list[str]:
    """Give those of a set's splits whose names say that they train."""
    return [name for name in official_order(split) if _rank(name) == 0]


def _rank(name: str) -> int:
    found = (place for place, words in enumerate(_PARTS) if re.search(words, name.casefold()))
    return next(found, len(_PARTS))


def check_protocol(protocol: str) -> None:
    """Raise where no protocol has that name."""
    if protocol not in PROTOCOLS:
        raise UsageError(unknown_name("protocol", protocol, PROTOCOLS))


def make(
    table: Columns, protocol: str, *, folds: int = 5, share: float = 0.2, seed: int = 0
) -> Splits:
    """Split the faces of a table by a protocol, one of PROTOCOLS."""
    check_protocol(protocol)
    check_unique(table.source_id)
    if not len(table):
        raise DataError("there is no face to split; expected at least two")
    if protocol == "official":
        return _official(table)
    if not 0 < share < 1 or folds < 2:
        raise UsageError(f"expected a share between 0 and 1 and 2 folds, got {share} and {folds}")
    has_subjects = bool((table.subject != "").any())
    if has_subjects and protocol == "stratified":
        raise UsageError(
            "the set has subjects, and random folds would show the same people in training and"
            " test; take by-subject or leave-one-subject-out, or random-images if that is meant"
        )
    tested, names = DEALS[protocol](table, folds, share, np.random.default_rng(seed))
    ids = table.source_id
    return Splits(
        protocol=protocol,
        seed=None if protocol == "leave-one-subject-out" else seed,
        subjects_overlap=protocol == "random-images" if has_subjects else None,
        folds=tuple(
            Fold(
                name=name,
                train=tuple(ids[tested != place].tolist()),
                test=tuple(ids[tested == place].tolist()),
            )
            for place, name in enumerate(names)
        ),
    )


def _official(table: Columns) -> Splits:
    names = official_parts(table.split)
    if len(names) < 2:
        raise DataError(
            f"the set has no official splits, only {''.join(names)!r}; take another protocol:"
            f" {', '.join(name for name in PROTOCOLS if name != 'official')}"
        )
    ids = [tuple(table.source_id[table.split == name].tolist()) for name in names]
    return official(table, ids)


def official(table: Columns, ids: Sequence[tuple[str, ...]], protocol: str = "official") -> Splits:
    """Make the fold of the ids of a set's parts, the first of which trains and the last tests."""
    between = tuple(one for part in ids[1:-1] for one in part)
    fold = Fold(name="official", train=ids[0], test=ids[-1], validation=between)
    parted = np.isin(table.source_id, [one for part in ids for one in part])
    return Splits(
        protocol=protocol,
        folds=(fold,),
        subjects_overlap=_overlap(table[parted]),
        left_out=int((table.split == "").sum()),
    )


def _overlap(table: Columns) -> bool | None:
    """Say whether somebody is in two of the set's own splits; None where nobody is known."""
    known = table.subject != ""
    if not known.any():
        return None
    pairs = np.unique(np.stack([table.subject[known], table.split[known]]), axis=1)
    return bool(len(np.unique(pairs[0])) < pairs.shape[1])


def _fold(content: dict[str, Any]) -> Fold:
    parts = {part: tuple(content[part]) for part in ("train", "test", "validation")}
    return Fold(name=content["name"], **parts)


def _hash(content: dict[str, Any]) -> str:
    return sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


PROTOCOLS = ("official", *DEALS)
