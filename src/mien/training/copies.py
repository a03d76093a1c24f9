"""Test faces that occur in training, pixel for pixel, and how a run does on the others."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.data import audit
from mien.data.listing import Listing
from mien.data.table import FaceTable
from mien.evaluation import Receipt
from mien.files import read_object
from mien.training.joined import RECORD, TESTED, Done, Joined, Unit, join

Groups = Sequence[Mapping[str, str]]  # the split of each id; all ids of a group are one picture

TRAIN, OFFICIAL = "train", "official"


def groups(data: FaceTable | Listing, *, quiet: bool = True) -> list[dict[str, str]]:
    """Find the pictures that a data set has more than once."""
    return [
        dict(zip(data.source_id[rows].tolist(), data.split[rows].tolist(), strict=True))
        for rows in audit.equal(data, quiet=quiet)
    ]


def without(runs: Iterable[Done], known: Groups) -> Joined | None:
    """Sum up runs over the test faces that do not occur in training; None where none is left."""
    kept = [replaced for run in runs if (replaced := _without(run, known))]
    return join(kept) if kept else None


def tested(training: Path) -> list[Done]:
    """Give the answers that the runs in a folder gave to their test parts: of one, or of a job."""
    job = training / RECORD
    if not job.is_file():
        return [Done(None, 0, Receipt.open(training / TESTED), {}, {})]
    rows = read_object(job, f"remove {job} and run again")["runs"]
    units = [Unit(row["fold"] and row["fold"] - 1, row["seed"]) for row in rows]
    return [Done(*unit, Receipt.open(unit.folder(training) / TESTED), {}, {}) for unit in units]


def _without(run: Done, known: Groups) -> Done | None:
    receipt = run.receipt
    copied = _in_training(receipt, known)
    rows = np.array([row for row, one in enumerate(receipt.faces) if one not in copied], np.int64)
    if not len(rows):
        return None
    people = receipt.subjects
    fewer = replace(
        receipt,
        faces=tuple(receipt.faces[row] for row in rows),
        subjects=tuple(people[row] for row in rows) if people else (),
        truth=receipt.truth[rows],
        predicted=receipt.predicted[rows],
        probabilities=receipt.probabilities[rows],
    )
    return run._replace(receipt=fewer)


def _in_training(receipt: Receipt, known: Groups) -> set[str]:
    """Give the ids that share a picture with a face of `train`, or of another fold."""
    official = receipt.result["protocol"].get("fold") == OFFICIAL
    mine = set(receipt.faces)
    return {
        one
        for group in known
        if any(split == TRAIN if official else other not in mine for other, split in group.items())
        for one in group
        if one in mine
    }
