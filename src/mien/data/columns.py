"""What photographs and faces have in common: one row each, told apart by whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien.data.picked import picked
from mien.errors import DataError
from mien.expressions import EXPRESSIONS, check_mapping

Index = NDArray[np.bool_] | NDArray[np.integer[Any]] | slice
Shapes = dict[str, tuple[str, tuple[int, ...]]]  # kinds of dtype, shape after the first axis

VOTES = 10
UNLABELLED = "unlabelled"  # what faces without a label are counted as
KINDS = {"iu": "integers", "U": "text", "f": "floating-point numbers"}


@dataclass(frozen=True, eq=False, kw_only=True)
class Columns:
    """Hold N rows; an index selects from every array at once.

    labels: integers (N,), the set's own, -1 where there is none. expressions: the canonical
    expression of each label. votes: float (N, 10), FER+'s eight expressions, `unknown` and `NF`.
    """

    labels: NDArray[np.integer[Any]]
    expressions: tuple[str, ...]
    subject: NDArray[np.str_]
    sequence: NDArray[np.str_]
    source_id: NDArray[np.str_]
    split: NDArray[np.str_]
    votes: NDArray[np.floating[Any]] | None = None

    shapes: ClassVar[Shapes] = {
        "labels": ("iu", ()),
        "subject": ("U", ()),
        "sequence": ("U", ()),
        "source_id": ("U", ()),
        "split": ("U", ()),
        "votes": ("f", (VOTES,)),
    }
    optional: ClassVar[tuple[str, ...]] = ("votes",)

    def __post_init__(self) -> None:
        for name, (kind, shape) in self.shapes.items():
            array = getattr(self, name)
            if array is not None or name not in self.optional:
                check_array(name, array, kind, (len(self), *shape))
        found = np.unique(self.labels)
        check_mapping("the table", dict(enumerate(self.expressions)), found[found != -1].tolist())

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, index: Index) -> Self:
        """Select rows by a boolean mask, an array of row numbers or a slice."""
        if not isinstance(index, slice) and np.ndim(index) != 1:
            raise TypeError(f"expected a mask, row numbers or a slice as index, got {index!r}")
        chosen: dict[str, Any] = {
            name: picked(array, index) for name, array in self.arrays().items()
        }
        return replace(self, **chosen)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Give the arrays that are there, by name."""
        found = {name: getattr(self, name) for name in self.shapes}
        return {name: array for name, array in found.items() if array is not None}

    def expression_names(self) -> NDArray[np.str_]:
        """Give each row's expression, "" where there is none."""
        names: NDArray[np.str_] = np.array([*self.expressions, ""], dtype=np.str_)[self.labels]
        return names

    def canonical_labels(self) -> NDArray[np.int64]:
        """Give each row's label as an index into EXPRESSIONS, -1 where there is none."""
        order = np.array([*map(EXPRESSIONS.index, self.expressions), -1], dtype=np.int64)
        indices: NDArray[np.int64] = order[self.labels]
        return indices


Rows = TypeVar("Rows", bound=Columns)


def stacked(parts: Sequence[Rows]) -> Rows:
    """Put sets that have the same arrays and expressions one below the other."""
    arrays = [part.arrays() for part in parts]
    joined: dict[str, Any] = {
        name: np.concatenate([of[name] for of in arrays]) for name in arrays[0]
    }
    return replace(parts[0], **joined)


def check_unique(source_id: NDArray[np.str_]) -> None:
    """Check that no two rows have the same id."""
    ordered = np.sort(source_id)
    twice = ordered[1:][ordered[1:] == ordered[:-1]]
    if len(twice):
        raise DataError(
            f"two images have the id {str(twice[0])!r} ({len(twice)} such); expected an id of its"
            " own for each: rename or remove one of them"
        )


def check_array(name: str, array: Any, kind: str, shape: tuple[int, ...]) -> None:
    """Check an array's kind of dtype and its shape."""
    if getattr(array, "dtype", np.dtype(object)).kind not in kind or array.shape != shape:
        found = f"{getattr(array, 'dtype', type(array).__name__)} {np.shape(array)}"
        raise DataError(f"{name} must be {KINDS[kind]} of shape {shape}, got {found}")
