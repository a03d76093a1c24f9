"""Receipts of a few faces, made without a model."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from mien.evaluation import Receipt

LABELS = ("neutral", "happiness", "surprise")


def tiny_receipt(
    truth: Sequence[int],
    predicted: Sequence[int],
    *,
    labels: Sequence[str] = LABELS,
    says: Sequence[str] | None = None,
    faces: Sequence[str] | None = None,
    subjects: Sequence[str] = (),
    model: str = "a",
    data: str | dict[str, Any] = "set",
    occluder: str = "none",
    **changes: Any,
) -> Receipt:
    """Make a receipt of truth and answers, each answer given with 0.6, the rest shared."""
    n, classes = len(truth), len(labels)
    probabilities = np.full((n, classes), 0.4 / max(1, classes - 1))
    probabilities[np.arange(n), list(predicted)] = 0.6
    fields: dict[str, Any] = {
        "result": {"faces": n, "correct": int(np.sum(np.equal(truth, predicted)))},
        "faces": tuple(faces or [f"face{row}" for row in range(n)]),
        "subjects": tuple(subjects),
        "truth": np.array(truth, np.int64),
        "predicted": np.array(predicted, np.int64),
        "probabilities": probabilities,
        "labels": tuple(labels),
        "condition": {"occluder": occluder, "seed": 0, "points": None, "shared": False},
        "model": {
            "name": model,
            "sha256": model * 64,
            "output": "ferplus",
            "labels": list(says or labels),
            "mirror": False,
        },
        "data": data if isinstance(data, dict) else {"name": data, "sha256": "0" * 64},
        "seeds": {"occluder": 0},
        "versions": {"mien": "0"},
    }
    return Receipt(**{**fields, **changes})
