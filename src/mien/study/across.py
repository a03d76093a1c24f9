"""Set models against data sets: trained on one, tested on the other."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from mien import metrics
from mien.errors import DataError, UsageError
from mien.evaluation.answers import USUAL
from mien.evaluation.measures import worst_found
from mien.evaluation.receipts import Receipt, ids_hash
from mien.expressions import EXPRESSIONS
from mien.occlusion import NONE

# How a condition tells what is unlike the usual.
DRAWN = {"pad_px": "pad {} px", "pad_share": "pad {}", "tone": "tone {}", "fixed_size": "sized {}"}

Value = TypeVar("Value")
Rows = tuple[tuple[Value | None, ...], ...]


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Models in rows, data sets in columns, over the expressions that all of them have.

    cells: correct answers and faces. worst: the expression found least. None where there is no
    receipt.
    """

    models: tuple[str, ...]
    data_sets: tuple[str, ...]
    expressions: tuple[str, ...]
    cells: Rows[tuple[int, int]]
    balanced_accuracy: Rows[float]
    worst: Rows[dict[str, Any]]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return asdict(self)


@dataclass(frozen=True, eq=False)
class Answered:
    """A receipt's faces and answers (N,) as places in EXPRESSIONS, and probabilities (N, 8)."""

    ids: NDArray[np.str_]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    probabilities: NDArray[np.float64]

    @property
    def right(self) -> NDArray[np.bool_]:
        right: NDArray[np.bool_] = self.truth == self.predicted
        return right


def across(receipts: Sequence[Receipt]) -> Crossing:
    """Set models against data sets, of whatever faces, over the expressions that all have."""
    expressions = common(receipts)
    hashes: dict[str, set[str]] = {}
    for receipt in receipts:
        hashes.setdefault(receipt.model["name"], set()).add(receipt.model["sha256"])
    found = [answered(receipt, expressions) for receipt in receipts]
    counts: dict[tuple[str, str], NDArray[np.int64]] = {}
    for receipt, one, data in zip(receipts, found, _columns(receipts, found), strict=True):
        model = str(receipt.model["name"])
        if len(hashes[model]) > 1:
            model = f"{model} {receipt.model['sha256'][:8]}"
        if (model, data) in counts:
            raise UsageError(f"two receipts are of {model} on {data}; give one of them")
        counts[model, data] = metrics.confusion(one.truth, one.predicted, len(EXPRESSIONS))
    models = tuple(dict.fromkeys(model for model, _ in counts))
    data_sets = tuple(dict.fromkeys(data for _, data in counts))

    def rows(value: Callable[[NDArray[np.int64]], Value]) -> Rows[Value]:
        return tuple(
            tuple(
                value(counts[at]) if (at := (model, data)) in counts else None for data in data_sets
            )
            for model in models
        )

    return Crossing(
        models=models,
        data_sets=data_sets,
        expressions=expressions,
        cells=rows(lambda of: (int(np.trace(of)), int(of.sum()))),
        balanced_accuracy=rows(metrics.balanced_accuracy),
        worst=rows(lambda of: worst_found(of, EXPRESSIONS)),
    )


def _columns(receipts: Sequence[Receipt], found: Sequence[Answered]) -> list[str]:
    """Name the faces of receipts; other faces under one name, of a table or fold, get a hash."""
    names, hashes = data_names(receipts), [ids_hash(one.ids.tolist()) for one in found]
    pairs = set(zip(names, hashes, strict=True))
    several = {name for name in names if sum(name == one for one, _ in pairs) > 1}
    return [
        f"{name} {digest[:8]}" if name in several else name
        for name, digest in zip(names, hashes, strict=True)
    ]


def data_names(receipts: Sequence[Receipt], *, drawn: bool = True) -> list[str]:
    """Name the faces of receipts: by the data set, and by what else tells two of one set apart.

    `drawn` counts what was drawn on them too.
    """
    said = [_told(receipt, drawn) for receipt in receipts]
    shown = [[at for at in range(len(own)) if at == 0 or _varies(said, own, at)] for own in said]
    return [
        ", ".join(own[at] for at in places if own[at])
        for own, places in zip(said, shown, strict=True)
    ]


def condition(drawn: Mapping[str, Any]) -> str:
    """Name what was drawn on every face."""
    if drawn["occluder"] == NONE:
        return NONE
    severity = drawn.get("severity", 1.0)
    named = (drawn["occluder"], drawn.get("style"), f"to {severity:g}" if severity != 1 else "")
    more = [
        words.format("face" if of is True else ",".join(map(str, np.atleast_1d(of).tolist())))
        for name, words in DRAWN.items()
        if (of := drawn.get(name, USUAL[name])) != USUAL[name]
    ]
    return " ".join(filter(None, (*named, *more)))


def _told(receipt: Receipt, drawn: bool) -> tuple[str, ...]:
    data = receipt.data
    fold = " ".join(str(data[name]) for name in ("fold", "part") if data.get(name))
    return (
        str(data["name"]),
        str(data.get("list") or data.get("split") or fold),
        f"by {data.get('rule')}" if data.get("rule") else "",
        "without duplicates" if data.get("duplicates_of_train") == "left out" else "",
        condition(receipt.condition) if drawn else "",
    )


def _varies(said: Sequence[tuple[str, ...]], own: tuple[str, ...], at: int) -> bool:
    return len({one[at] for one in said if one[0] == own[0]}) > 1


def common(receipts: Sequence[Receipt]) -> tuple[str, ...]:
    """Give the expressions that every model can say and every receipt's faces show."""
    found = set(EXPRESSIONS)
    for receipt in receipts:
        shown = {receipt.labels[at] for at in np.unique(receipt.truth)}
        found &= shown & set(receipt.model["labels"])
    if len(found) < 2:
        raise DataError(
            f"the receipts share {', '.join(found) or 'no expression'}; expected at least two"
            " expressions that every model says and every set shows"
        )
    return tuple(name for name in EXPRESSIONS if name in found)


def answered(receipt: Receipt, expressions: Sequence[str]) -> Answered:
    """Take the faces of these expressions, sorted by id; the model chooses among these alone."""
    places = np.array([EXPRESSIONS.index(name) for name in receipt.labels])
    wanted = np.isin(EXPRESSIONS, list(expressions))
    rows = np.flatnonzero(wanted[places[receipt.truth]])
    rows = rows[np.argsort(np.array(receipt.faces)[rows], kind="stable")]
    told = np.zeros((len(rows), len(EXPRESSIONS)))
    told[:, places] = receipt.probabilities[rows]
    told *= wanted
    first = places[receipt.predicted[rows]]
    return Answered(
        ids=np.array(receipt.faces)[rows],
        truth=places[receipt.truth[rows]],
        # Rounded probabilities may tie where the model did not.
        predicted=np.where(wanted[first], first, np.where(wanted, told, -1).argmax(axis=1)),
        probabilities=told / np.maximum(told.sum(axis=1, keepdims=True), 1e-12),
    )
