"""What the model file of a run answers to the faces of its data that it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mien import evaluation
from mien.data.table import FaceTable
from mien.errors import DataError
from mien.evaluation import Receipt
from mien.evaluation.receipts import data_hash
from mien.files import write
from mien.recognizer import ExpressionReader
from mien.report.document import csv_text

PREDICTIONS = "predictions.csv"


def measured(model: Path, faces: FaceTable, path: Path, stated: Mapping[str, Any]) -> Receipt:
    """Show prepared faces to the file once; the receipt at `path` answers a second time.

    stated: how the faces were chosen.
    """
    reader = ExpressionReader(model)
    if path.is_file():
        with_these = _kept(path)
        if with_these and with_these.model["sha256"] == reader.sha256:
            if with_these.data["sha256"] == data_hash(faces):
                return with_these
    # Faces of a run are equalised when they are gathered.
    reader.preparation = replace(reader.preparation, equalize="none")
    receipt = evaluation.receipt(faces, reader, protocol=stated)
    receipt.save(path)
    return receipt


def write_predictions(receipt: Receipt, path: Path) -> None:
    """Write a row a face: source_id, truth, predicted, and the probability of each expression."""
    header = ("source_id", "truth", "predicted", *(f"probability_{n}" for n in receipt.labels))
    names = receipt.labels
    rows = zip(
        receipt.faces,
        (names[at] for at in receipt.truth),
        (names[at] for at in receipt.predicted),
        receipt.probabilities.tolist(),
        strict=True,
    )
    text = csv_text(header, ((*told, *shares) for *told, shares in rows))
    write(path, text)


def _kept(path: Path) -> Receipt | None:
    try:
        return Receipt.open(path)
    except DataError:
        return None  # of another version or damaged: it is made anew
