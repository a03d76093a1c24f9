"""All that is measured of a model's answers."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import metrics
from mien.data.labels import EXPRESSION_COLUMNS, tied
from mien.evaluation.answers import Answers
from mien.expressions import EXPRESSIONS
from mien.occlusion.regions import HIDDEN_FROM, REGIONS, VISIBLE_TO

BINS = 15
COVERAGES = np.arange(1, 21) / 20
FEW, FEW_OF_ONE = 100, 10  # faces, below which a result warns
FEW_PEOPLE = 20  # below which intervals drawn over people are rough
PEOPLE = 10
SEED = 0  # of intervals by resampling
IN_TRAINING = "equal a training face"


@dataclass(frozen=True, kw_only=True)
class Result:
    """What was measured. Confusion: truth in rows, both in the order of `labels`.

    subjects_interval95: of the accuracy, people drawn anew in place of faces; None where a face's
    subject is not known. worst: see `worst_found`. confusion_shares: each row divided by its sum.
    hidden: for each region how often the model reports it hidden, where it was and where not.
    reliability: mean confidence, share right and number of faces, a bin each. votes: see `_votes`;
    None where nobody voted. by: see `groups.grouped`; None where no groups were asked for.
    """

    faces: int
    correct: int
    accuracy: float
    interval95: tuple[float, float]
    subjects_interval95: tuple[float, float] | None
    balanced_accuracy: float
    balanced_interval95: tuple[float, float]
    worst: dict[str, Any]
    macro_f1: float
    macro_f1_interval95: tuple[float, float]
    ece: float
    recall: dict[str, float | None]
    expressions: dict[str, dict[str, Any]]
    certain: dict[str, Any]
    hidden: dict[str, dict[str, Any]]
    votes: dict[str, Any] | None
    confusion: list[list[int]]
    confusion_shares: list[list[float | None]]
    distribution: dict[str, list[int]]
    reliability: list[list[float]]
    risk_coverage: dict[str, Any]
    labels: tuple[str, ...]
    warnings: list[str]
    protocol: dict[str, Any]
    model_sha256: str
    by: dict[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def result(
    found: Answers,
    protocol: dict[str, Any],
    model_sha256: str,
    in_training: Collection[str] = (),
) -> Result:
    """Measure answers; the protocol says what they are answers to.

    in_training: ids of faces that equal a training face.
    """
    counts = metrics.confusion(found.truth, found.predicted, len(found.labels))
    right = found.truth == found.predicted
    each = _expressions(counts, found.labels)
    faces, answered = counts.sum(axis=1), counts.sum(axis=0)
    bins = metrics.reliability(found.probabilities, found.truth, BINS)
    return Result(
        faces=len(right),
        correct=int(right.sum()),
        accuracy=metrics.accuracy(counts),
        interval95=metrics.wilson(int(right.sum()), len(right)),
        subjects_interval95=_by_subject(right, found.faces.subject),
        balanced_accuracy=metrics.balanced_accuracy(counts),
        balanced_interval95=metrics.resampled(counts, metrics.balanced_accuracy, SEED),
        worst=worst_found(counts, found.labels),
        macro_f1=metrics.macro_f1(counts),
        macro_f1_interval95=metrics.resampled(counts, metrics.macro_f1, SEED),
        ece=metrics.ece(found.probabilities, found.truth, BINS),
        recall={name: of["recall"] for name, of in each.items()},
        expressions=each,
        certain=_certain(found.certain, right),
        hidden=_regions(found),
        votes=_votes(found),
        confusion=counts.tolist(),
        confusion_shares=[_plain(row) for row in metrics.shares(counts, faces[:, None])],
        distribution={"true": faces.tolist(), "answered": answered.tolist()},
        reliability=bins.tolist(),
        risk_coverage=_risk(found.probabilities.max(axis=1), right),
        labels=found.labels,
        warnings=[
            *_warnings(faces, found.labels, protocol, found.faces.subject),
            *_copies(right, found.faces.source_id, in_training),
        ],
        protocol=protocol,
        model_sha256=model_sha256,
    )


def worst_found(counts: NDArray[np.int64], labels: Sequence[str], times: int = 1) -> dict[str, Any]:
    """Name the expression found least: its faces, and the share found with its interval.

    times: how often each face is counted.
    """
    recalls = metrics.recalls(counts)
    place = int(np.nanargmin(recalls))
    faces = int(counts[place].sum()) // times
    return {
        "expression": labels[place],
        "faces": faces,
        "recall": float(recalls[place]),
        "recall_interval95": metrics.wilson(round(int(counts[place, place]) / times), faces),
    }


def _expressions(counts: NDArray[np.int64], labels: tuple[str, ...]) -> dict[str, dict[str, Any]]:
    """Give each expression's faces, answers, recall with its interval, precision, F1."""
    columns = zip(
        labels,
        counts.sum(axis=1).tolist(),
        counts.sum(axis=0).tolist(),
        np.diag(counts).tolist(),
        _plain(metrics.recalls(counts)),
        _plain(metrics.precisions(counts)),
        _plain(metrics.f1s(counts)),
        strict=True,
    )
    return {
        name: {
            "faces": faces,
            "answered": answered,
            "recall": recall,
            "recall_interval95": metrics.wilson(right, faces),
            "precision": precision,
            "f1": f1,
        }
        for name, faces, answered, right, recall, precision, f1 in columns
    }


def _by_subject(right: NDArray[np.bool_], subject: NDArray[np.str_]) -> tuple[float, float] | None:
    if (subject == "").any() or len(np.unique(subject)) < 2:
        return None
    return metrics.paired_bootstrap(right, np.zeros_like(right), SEED, groups=subject)


def _certain(certain: NDArray[np.bool_], right: NDArray[np.bool_]) -> dict[str, Any]:
    number, correct = int(certain.sum()), int((certain & right).sum())
    return {
        "faces": number,
        "share": number / len(certain),
        "accuracy": correct / number if number else None,
        "interval95": metrics.wilson(correct, number),
    }


def _regions(found: Answers) -> dict[str, dict[str, Any]]:
    judged = {}
    for column, region in enumerate(REGIONS):
        if region not in found.regions:
            continue
        reported = found.reported[:, found.regions.index(region)]
        hidden = found.covered[:, column] >= HIDDEN_FROM
        visible = found.covered[:, column] <= VISIBLE_TO
        judged[region] = {
            "reported": _share(reported),
            "hidden_faces": int(hidden.sum()),
            "recall": _share(reported[hidden]),
            "visible_faces": int(visible.sum()),
            "false_alarms": _share(reported[visible]),
        }
    return judged


def _votes(found: Answers) -> dict[str, Any] | None:
    """Hold the model against the people who voted on the faces.

    kl: from their votes for what the model can say to its probabilities, in nats. agree: how many
    of ten people say what the model says, and agree_at_most, what most people say. voter: how often
    one of them says the label; lone_voter, what most of the others say. ties: faces on which two
    expressions have most votes.
    """
    votes = found.faces.votes
    if votes is None or not (counted := votes.sum(axis=1) > 0).any():
        return None
    all_votes = votes[counted].astype(np.float64)
    people = all_votes.sum(axis=1)
    truth, predicted = found.truth[counted], found.predicted[counted]
    columns = np.array([EXPRESSIONS.index(name) for name in found.labels])
    told = found.probabilities[counted]
    can_say = told.any(axis=0)
    wanted = all_votes[:, columns] * can_say
    has = wanted.sum(axis=1) > 0
    distances = metrics.kl(wanted[has] / wanted[has].sum(axis=1, keepdims=True), told[has])
    most = all_votes[:, :EXPRESSION_COLUMNS].max(axis=1)
    rows = np.arange(len(people))
    return {
        "faces": int(counted.sum()),
        "kl": float(distances.mean()) if len(distances) else None,
        "agree": PEOPLE * float((all_votes[rows, columns[predicted]] / people).mean()),
        "agree_at_most": PEOPLE * float((most / people).mean()),
        "voter": float((all_votes[rows, columns[truth]] / people).mean()),
        "lone_voter": float(metrics.lone_voter(all_votes).mean()),
        "ties": int(tied(all_votes).sum()),
    }


def _risk(confidence: NDArray[np.float64], right: NDArray[np.bool_]) -> dict[str, Any]:
    """Give the area under the curve, and the share right at twenty coverages or just above."""
    coverage, risk = metrics.risk_coverage(confidence, right)
    at = np.searchsorted(coverage, COVERAGES - 1e-9)
    shown = {"coverage": coverage[at].tolist(), "right": (1 - risk[at]).tolist()}
    return {"aurc": metrics.aurc(confidence, right), **shown}


def _warnings(
    faces: NDArray[np.int64],
    labels: tuple[str, ...],
    protocol: dict[str, Any],
    subject: NDArray[np.str_],
) -> list[str]:
    """Say what a reader should know before believing the numbers."""
    few = [name for name, n in zip(labels, faces.tolist(), strict=True) if 0 < n < FEW_OF_ONE]
    said = {
        f"only {faces.sum()} faces: mind the interval": faces.sum() < FEW,
        f"fewer than {FEW_OF_ONE} faces of {', '.join(few)}": bool(few),
        "the faces all have one expression": (faces > 0).sum() == 1,
        **few_people(known_people(subject)),
        "subjects are in training and test: the result is too good": protocol.get(
            "subjects_overlap"
        ),
    }
    return [text for text, holds in said.items() if holds]


def _copies(
    right: NDArray[np.bool_], source_id: NDArray[np.str_], in_training: Collection[str]
) -> list[str]:
    """Count the faces that equal a training face, and say what they are worth."""
    copied = np.array([one in in_training for one in source_id.tolist()], bool)
    if not copied.any():
        return []
    said = f"{copied.sum()} of {len(right)} faces {IN_TRAINING}"
    others = right[~copied]
    return [f"{said}; without them {100 * others.mean():.1f} %" if len(others) else said]


def known_people(subject: Sequence[str] | NDArray[np.str_]) -> int:
    """Count the people of faces; 0 where not everyone is known."""
    return len(set(subject)) if len(subject) and "" not in subject else 0


def few_people(people: int) -> dict[str, bool]:
    """Say whether there are few people, as `known_people` counts them."""
    return {
        "the faces are all of one person: intervals are over faces alone": people == 1,
        f"only {people} people: intervals drawn over people are rough": 1 < people < FEW_PEOPLE,
    }


def _share(values: NDArray[np.bool_]) -> float | None:
    return float(values.mean()) if len(values) else None


def _plain(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else value for value in values.tolist()]
