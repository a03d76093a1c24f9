"""What the runs of a job found together: every face tested in its fold, by every seed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mien import metrics
from mien.errors import DataError
from mien.evaluation import Receipt
from mien.training.logs import History

RECORD, TESTED = "job.json", "test.json"  # of a job, and the receipt of each of its runs
SEED, ROUNDS = 0, 2000  # of the interval
MEASURES: dict[str, Callable[[NDArray[np.int64]], float]] = {
    "accuracy": metrics.accuracy,
    "balanced_accuracy": metrics.balanced_accuracy,
    "macro_f1": metrics.macro_f1,
}


class Unit(NamedTuple):
    """One run of a job; without a fold it is the one that the data name."""

    fold: int | None
    seed: int

    def folder(self, out: Path) -> Path:
        seeds = out if self.fold is None else out / f"fold-{self.fold + 1}"
        return seeds / f"seed-{self.seed}"

    def __str__(self) -> str:
        fold = "" if self.fold is None else f"fold {self.fold + 1}, "
        return f"{fold}seed {self.seed}"


class Done(NamedTuple):
    """A run that is over: its fold, its seed, its answers to the test part, log and summary."""

    fold: int | None
    seed: int
    receipt: Receipt
    history: History
    about: dict[str, Any]


@dataclass(frozen=True)
class Spread:
    """A measure of all test faces together, averaged over seeds, and how far runs are apart.

    fold_mean: of the folds' own values. Deviations are None where there is one fold or seed.
    """

    value: float
    fold_mean: float
    fold_sd: float | None
    seed_sd: float | None


@dataclass(frozen=True, eq=False)
class Joined:
    """All that is said of a job.

    interval95: of the accuracy, over people or faces as `drawn` says. subjects_overlap: whether
    somebody was trained on before a test; None where that is not known. confusion: (C, C), summed
    over seeds.
    """

    runs: tuple[Done, ...]
    faces: int
    subjects: int
    subjects_overlap: bool | None
    measures: dict[str, Spread]
    interval95: tuple[float, float]
    drawn: str
    labels: tuple[str, ...]
    confusion: NDArray[np.int64]
    protocol: dict[str, Any]

    @property
    def folds(self) -> list[int | None]:
        return [*dict.fromkeys(run.fold for run in self.runs)]

    @property
    def seeds(self) -> list[int]:
        return [*dict.fromkeys(run.seed for run in self.runs)]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "faces": self.faces,
            "subjects": self.subjects or None,
            "subjects_overlap": self.subjects_overlap,
            "folds": len(self.folds),
            "seeds": self.seeds,
            **{name: asdict(spread) for name, spread in self.measures.items()},
            "interval95": self.interval95,
            "interval_over": self.drawn,
            "labels": self.labels,
            "confusion": self.confusion.tolist(),
            "protocol": self.protocol,
            "runs": [row(run) for run in self.runs],
        }


def join(runs: Sequence[Done]) -> Joined:
    """Put the runs of a job together."""
    check(runs)
    labels = runs[0].receipt.labels
    counts = np.array([confusion(run.receipt) for run in runs])
    subjects = [run.receipt.subjects for run in runs]
    known = all(subjects)
    right = np.concatenate([run.receipt.right for run in runs])
    seeds = len({run.seed for run in runs})
    everyone = [one for of in subjects for one in of] if known else []
    interval, drawn = _interval(right, everyone, seeds)
    return Joined(
        runs=tuple(runs),
        faces=len(right) // seeds,
        subjects=len({*everyone}),
        subjects_overlap=_overlap(runs, known=known),
        measures={name: _spread(runs, counts, of) for name, of in MEASURES.items()},
        interval95=interval,
        drawn=drawn,
        labels=labels,
        confusion=counts.sum(axis=0),
        protocol=_common([run.receipt.result["protocol"] for run in runs]),
    )


def confusion(receipt: Receipt) -> NDArray[np.int64]:
    """Count the answers of a receipt (C, C)."""
    return metrics.confusion(receipt.truth, receipt.predicted, len(receipt.labels))


def row(run: Done) -> dict[str, Any]:
    """Give the numbers of a run by name."""
    counts = confusion(run.receipt)
    return {
        "fold": None if run.fold is None else run.fold + 1,
        "seed": run.seed,
        "faces": int(counts.sum()),
        **{name: of(counts) for name, of in MEASURES.items()},
        "best_epoch": run.about.get("best_epoch"),
        "seconds": run.about.get("seconds"),
        "model_sha256": run.receipt.model["sha256"],
        "receipt_sha256": run.receipt.sha256,
    }


def _spread(
    runs: Sequence[Done],
    counts: NDArray[np.int64],
    measure: Callable[[NDArray[np.int64]], float],
) -> Spread:
    def along(places: list[Any], value: Callable[[NDArray[np.int64]], float]) -> NDArray[Any]:
        return np.array(
            [value(counts[[one == at for one in places]]) for at in dict.fromkeys(places)]
        )

    pooled = along([run.seed for run in runs], lambda of: measure(of.sum(axis=0)))
    each = along([run.fold for run in runs], lambda of: float(np.mean([*map(measure, of)])))
    between = metrics.deviation(each), metrics.deviation(pooled)
    return Spread(float(pooled.mean()), float(each.mean()), *between)


def _interval(
    right: NDArray[np.bool_], subjects: Sequence[str], seeds: int
) -> tuple[tuple[float, float], str]:
    """Draw people anew where they are known; more seeds are not more faces."""
    if len(set(subjects)) > 1 and 0 < right.sum() < len(right):
        none, groups = np.zeros_like(right), np.array(subjects)
        return metrics.paired_bootstrap(right, none, SEED, ROUNDS, groups), "people"
    return metrics.wilson(round(int(right.sum()) / seeds), len(right) // seeds), "faces"


def check(runs: Sequence[Done]) -> None:
    """Check that a fold tests the same faces under every seed, and others than other folds."""
    first: dict[int | None, Done] = {}
    for run in runs:
        other = first.setdefault(run.fold, run)
        if run.receipt.faces != other.receipt.faces or run.receipt.labels != other.receipt.labels:
            raise DataError(
                f"the seeds {other.seed} and {run.seed} must test the same faces of fold"
                f" {(run.fold or 0) + 1}, found others; the data changed: name another --out folder"
            )
    tested = [one for run in first.values() for one in run.receipt.faces]
    if twice := len(tested) - len(set(tested)):
        raise DataError(
            f"each face must be tested in one fold, {twice} are in several: the folds were dealt"
            " otherwise meanwhile; name another --out folder"
        )


def _overlap(runs: Sequence[Done], *, known: bool) -> bool | None:
    """Tell whether a run says so of its fold, or somebody is tested in two folds."""
    if any(run.receipt.result["protocol"].get("subjects_overlap") for run in runs):
        return True
    people: dict[int | None, set[str]] = {run.fold: {*run.receipt.subjects} for run in runs}
    if not known or len(people) < 2:
        return None
    return sum(map(len, people.values())) > len(set().union(*people.values()))


def _common(stated: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Keep what is said of all runs alike."""
    return {
        name: value
        for name, value in stated[0].items()
        if value is not None and all(one.get(name) == value for one in stated)
    }
