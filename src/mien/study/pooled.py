"""Jobs of folds and seeds as receipts: what their runs answered to the faces held out, together."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mien.evaluation import Receipt
from mien.evaluation.receipts import ids_hash
from mien.files import read_object
from mien.training.copies import tested
from mien.training.joined import RECORD, check


def pooled(folder: Path, name: str) -> list[Receipt]:
    """Give a receipt a seed, of the test faces of all folds; `name` stands for the networks."""
    runs = tested(folder)
    check(runs)
    overlap = read_object(folder / RECORD, "train again").get("subjects_overlap")
    return [
        _together([run.receipt for run in runs if run.seed == seed], name, overlap)
        for seed in dict.fromkeys(run.seed for run in runs)
    ]


def _together(folds: Sequence[Receipt], name: str, overlap: bool | None) -> Receipt:
    first = folds[0]
    faces = [one for fold in folds for one in fold.faces]
    known = all(fold.subjects for fold in folds)
    data = {what: of for what, of in first.data.items() if what != "fold"}
    models, pixels = zip(
        *((fold.model["sha256"], fold.data["sha256"]) for fold in folds), strict=True
    )
    return replace(
        first,
        result={},
        faces=tuple(faces),
        subjects=tuple(one for fold in folds for one in fold.subjects) if known else (),
        truth=np.concatenate([fold.truth for fold in folds]),
        predicted=np.concatenate([fold.predicted for fold in folds]),
        probabilities=np.concatenate([fold.probabilities for fold in folds]),
        model={**first.model, "name": name, "sha256": ids_hash([*models])},
        data={
            **data,
            "sha256": ids_hash([*pixels]),
            "ids_sha256": ids_hash(faces),
            "subjects_overlap": overlap,
        },
    )
