"""How faces are dealt into folds, a protocol each."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mien.data.columns import Columns
from mien.errors import DataError

Assigned = NDArray[np.int64]
_Assignment = tuple[Assigned, list[str]]  # in which fold (N,) a row is tested; the folds' names


def _hold_out(table: Columns, _: int, share: float, rng: np.random.Generator) -> _Assignment:
    names = ["hold-out"]
    if (table.subject != "").any():
        return _deal_subjects(table, [share, 1 - share], rng), names
    _check_classes(table, 2)
    tested = np.ones(len(table), np.int64)
    for rows in _classes(table, rng):
        tested[rows[: max(1, round(share * len(rows)))]] = 0
    return tested, names


def _images(table: Columns, folds: int, _: float, rng: np.random.Generator) -> _Assignment:
    _check_classes(table, folds)
    tested = np.empty(len(table), np.int64)
    tested[np.concatenate(_classes(table, rng))] = np.arange(len(table)) % folds
    return tested, _numbered(folds)


def _by_subject(table: Columns, folds: int, _: float, rng: np.random.Generator) -> _Assignment:
    _subjects(table, folds)
    _check_classes(table, folds)
    return _deal_subjects(table, [1 / folds] * folds, rng), _numbered(folds)


def _leave_one_out(table: Columns, _: int, __: float, ___: np.random.Generator) -> _Assignment:
    subjects, own = _subjects(table, 2)
    return own, subjects.tolist()


def _deal_subjects(table: Columns, shares: list[float], rng: np.random.Generator) -> Assigned:
    """Deal subjects, the largest first, each to the fold it brings nearest to its share.

    Shares are those of each expression, and of all faces. No fold stays empty.
    """
    subjects, own = _subjects(table, len(shares))
    counts = np.zeros((len(subjects), len(table.expressions) + 1))
    np.add.at(counts, (own, table.labels), 1)  # no label, -1, counts in the last column
    counts = np.column_stack([counts, counts.sum(axis=1)])
    counts /= np.maximum(counts.sum(axis=0), 1)
    shuffled = rng.permutation(len(subjects))
    lacking = np.repeat(np.array(shares)[:, None], counts.shape[1], axis=1)
    fold_of, empty = np.empty(len(subjects), np.int64), np.ones(len(shares), bool)
    ordered = shuffled[np.argsort(-counts.sum(axis=1)[shuffled], kind="stable")]
    for left, subject in zip(range(len(subjects), 0, -1), ordered, strict=True):
        gain = (lacking**2 - (lacking - counts[subject]) ** 2).sum(axis=1)
        if empty.sum() == left:
            gain[~empty] = -np.inf
        fold_of[subject] = chosen = gain.argmax()
        lacking[chosen] -= counts[subject]
        empty[chosen] = False
    return fold_of[own]


def _subjects(table: Columns, needed: int) -> tuple[NDArray[np.str_], Assigned]:
    """Give the subjects and which of them each row shows."""
    unknown = int((table.subject == "").sum())
    subjects, own = np.unique(table.subject, return_inverse=True)
    if unknown:
        raise DataError(
            f"{unknown} of {len(table)} faces have no subject; expected one for each, or a protocol"
            " that needs none"
        )
    if len(subjects) < needed:
        raise DataError(
            f"the set has {len(subjects)} subjects; expected at least {needed}: take fewer folds"
        )
    return subjects, own


def _check_classes(table: Columns, needed: int) -> None:
    """Check that every class that occurs can be in every fold."""
    for name, count in zip(*np.unique(table.expression_names(), return_counts=True), strict=True):
        if name and count < needed:
            raise DataError(
                f"{name} has {count} faces, too few for {needed} folds; take fewer folds"
                " or leave that expression out"
            )


def _classes(table: Columns, rng: np.random.Generator) -> list[Assigned]:
    """Give the shuffled rows of each class."""
    return [rng.permutation(np.flatnonzero(table.labels == one)) for one in np.unique(table.labels)]


def _numbered(folds: int) -> list[str]:
    return [f"fold {number}" for number in range(1, folds + 1)]


DEALS: dict[str, Callable[[Columns, int, float, np.random.Generator], _Assignment]] = {
    "hold-out": _hold_out,
    "stratified": _images,
    "by-subject": _by_subject,
    "leave-one-subject-out": _leave_one_out,
    "random-images": _images,
}
