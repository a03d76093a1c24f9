"""Compare receipts of the same faces.

Two receipts are compared face by face: an exact test says whether one is right more often, the
paired bootstrap by how much. Where subjects are known both go by them: the test, otherwise
McNemar's, is one of sign flips, by which all that sets two apart on a subject's faces may turn
round. p-values of one comparison are corrected together by Holm's method, so that none of them is
believed more for being one of many.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import metrics
from mien.errors import DataError, UsageError, unknown_name
from mien.evaluation.measures import few_people, known_people
from mien.evaluation.receipts import Receipt
from mien.expressions import EXPRESSIONS
from mien.metrics import holm, mcnemar, paired_bootstrap, sign_flip
from mien.study.across import Answered, answered, common, condition, data_names

ROUNDS = 10_000
PAIRS = ("first", "all")
BINS = 15


@dataclass(frozen=True, kw_only=True)
class Row:
    """One receipt's measures over the faces compared."""

    name: str
    correct: int
    accuracy: float
    interval95: tuple[float, float]
    balanced_accuracy: float
    macro_f1: float
    ece: float


@dataclass(frozen=True, kw_only=True)
class Pair:
    """What sets b apart from a on the same faces.

    difference: accuracy of a less that of b, a share, with its interval. only_a, only_b: faces that
    only one is right about. p: by the test of the comparison. odds_ratio: the one divided by the
    other, None where nothing divides. cohen_g: by how much a's part of them exceeds a half: small
    from .05, medium .15, large .25.
    """

    a: str
    b: str
    difference: float
    interval95: tuple[float, float]
    only_a: int
    only_b: int
    p: float
    p_holm: float
    odds_ratio: float | None
    cohen_g: float


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Receipts of the same faces side by side; notes say what else differs between them."""

    faces: int
    expressions: tuple[str, ...]
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    drawn_from: str  # faces | subjects
    test: str  # mcnemar | sign-flip, of subjects
    rounds: int
    seed: int
    notes: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return asdict(self)


def compare(
    receipts: Sequence[Receipt],
    names: Sequence[str] | None = None,
    *,
    pairs: str = PAIRS[0],
    shared: bool = False,
    rounds: int = ROUNDS,
    seed: int = 0,
) -> Comparison:
    """Compare receipts of the same faces, each with the `first` one or `all` with each other.

    `shared` takes only the faces of expressions that all the models have, and lets them choose
    among those. Where at least two subjects are known, bootstrap and test go by them, not by faces.
    """
    if len(receipts) < 2:
        raise UsageError(f"expected at least two receipts to compare, got {len(receipts)}")
    if pairs not in PAIRS:
        raise UsageError(unknown_name("pairs", pairs, PAIRS))
    names = list(names or told_apart(receipts))
    expressions = common(receipts) if shared else EXPRESSIONS
    found = [answered(receipt, expressions) for receipt in receipts]
    _check_same(found, names)
    by_id = dict(zip(receipts[0].faces, receipts[0].subjects, strict=False))
    people = [by_id[one] for one in found[0].ids.tolist()] if by_id else []
    subjects = np.array(people) if len(set(people)) > 1 else None
    which = [(0, at) for at in range(1, len(found))]
    which = which if pairs == PAIRS[0] else list(combinations(range(len(found)), 2))
    p_values = [_p(found[a].right, found[b].right, subjects) for a, b in which]
    return Comparison(
        faces=len(found[0].ids),
        expressions=expressions if shared else _present(found),
        rows=tuple(_row(name, one) for name, one in zip(names, found, strict=True)),
        pairs=tuple(
            _pair(
                (names[a], names[b]),
                (found[a].right, found[b].right),
                tested,
                paired_bootstrap(found[a].right, found[b].right, seed, rounds, subjects),
            )
            for (a, b), *tested in zip(which, p_values, holm(p_values), strict=True)
        ),
        drawn_from="faces" if subjects is None else "subjects",
        test="mcnemar" if subjects is None else "sign-flip",
        rounds=rounds,
        seed=seed,
        notes=_notes(receipts, people),
    )


def told_apart(receipts: Sequence[Receipt]) -> list[str]:
    """Name receipts by what differs between them."""
    said = [
        {
            "model": str(receipt.model["name"]),
            "hash": str(receipt.model["sha256"])[:8],
            "output": str(receipt.model["output"]),
            "mirror": "mirrored" if receipt.model["mirror"] else "one look",
            "prior": "balanced" if receipt.model.get("balanced") else "as trained",
            "condition": condition(receipt.condition),
            "data": data,
            "seed": f"seed {'/'.join(map(str, receipt.seeds.values()))}",
        }
        for receipt, data in zip(receipts, data_names(receipts, drawn=False), strict=True)
    ]
    differing = [key for key in said[0] if len({one[key] for one in said}) > 1]
    if len({one["model"] for one in said}) == len({one["hash"] for one in said}):
        differing = [key for key in differing if key != "hash"]
    names = [", ".join(one[key] for key in differing) or one["model"] for one in said]
    taken = Counter[str]()
    for at, name in enumerate(names):
        taken[name] += 1
        names[at] = name if taken[name] == 1 else f"{name} ({taken[name]})"
    return names


def _check_same(found: Sequence[Answered], names: Sequence[str]) -> None:
    first = found[0]
    for one, name in zip(found[1:], names[1:], strict=True):
        lacking = [np.setdiff1d(a.ids, b.ids) for a, b in ((first, one), (one, first))]
        if any(map(len, lacking)):
            example = next(str(ids[0]) for ids in lacking if len(ids))
            raise DataError(
                f"{names[0]} and {name} must be of the same faces: {len(lacking[0])} are only in"
                f" the first, {len(lacking[1])} only in the second, such as {example!r}; evaluate"
                " both on the same split, or take --across"
            )
        if differing := int((first.truth != one.truth).sum()):
            raise DataError(
                f"{names[0]} and {name} give {differing} faces other expressions; evaluate both"
                " with the same labels and rule"
            )
    if not len(first.ids):
        raise DataError("no face is left to compare; the receipts share no expression's faces")


def _present(found: Sequence[Answered]) -> tuple[str, ...]:
    return tuple(EXPRESSIONS[at] for at in np.unique(found[0].truth).tolist())


def _row(name: str, found: Answered) -> Row:
    counts = metrics.confusion(found.truth, found.predicted, len(EXPRESSIONS))
    correct = int(found.right.sum())
    return Row(
        name=name,
        correct=correct,
        accuracy=metrics.accuracy(counts),
        interval95=metrics.wilson(correct, len(found.ids)),
        balanced_accuracy=metrics.balanced_accuracy(counts),
        macro_f1=metrics.macro_f1(counts),
        ece=metrics.ece(found.probabilities, found.truth, BINS),
    )


def _pair(
    names: tuple[str, str],
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]],
    tested: Sequence[float],
    interval: tuple[float, float],
) -> Pair:
    (a, b), (p, p_holm) = right, tested
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    either = only_a + only_b
    return Pair(
        a=names[0],
        b=names[1],
        difference=float(a.mean() - b.mean()),
        interval95=interval,
        only_a=only_a,
        only_b=only_b,
        p=p,
        p_holm=p_holm,
        odds_ratio=only_a / only_b if only_b else None,
        cohen_g=only_a / either - 0.5 if either else 0.0,
    )


def _p(a: NDArray[np.bool_], b: NDArray[np.bool_], subjects: NDArray[np.str_] | None) -> float:
    return mcnemar(a, b) if subjects is None else sign_flip(a, b, subjects)


def _notes(receipts: Sequence[Receipt], people: Sequence[str]) -> tuple[str, ...]:
    """Say what differs between receipts beside what is compared, and how few people there are."""
    pixels = "pixels or votes of the faces differ"
    if len({receipt.data.get("ids_sha256") for receipt in receipts}) > 1:
        pixels += ", or the receipts have them in another order or beside others"
    differing = {
        pixels: {r.data["sha256"] for r in receipts},
        "the versions of the software differ": {str(sorted(r.versions.items())) for r in receipts},
    }
    overlap = any(receipt.data.get("subjects_overlap") for receipt in receipts)
    notes = [text for text, kinds in differing.items() if len(kinds) > 1]
    notes += ["subjects are in training and test"] if overlap else []
    few = few_people(known_people(people))
    return tuple([*notes, *(text for text, holds in few.items() if holds)])
