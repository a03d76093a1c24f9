"""What a run's file answers is measured once and kept."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest

import models
import tiny_tables
from mien.evaluation import Receipt
from mien.recognizer import ExpressionReader
from mien.training import predictions
from mien.training.predictions import measured, write_predictions

STATED = {"data_set": "made", "part": "test"}


def test_faces_are_shown_once(
    tmp_path: Path, expression_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    faces, path = tiny_tables.table(), tmp_path / "test.json"
    first = measured(expression_path, faces, path, STATED)
    monkeypatch.setattr(predictions.evaluation, "receipt", None)
    again = measured(expression_path, faces, path, STATED)
    assert again.sha256 == first.sha256 == Receipt.open(path).sha256
    assert first.data["part"] == "test" and len(first.faces) == len(faces)


def test_another_file_or_other_faces_are_measured_anew(
    tmp_path: Path, expression_path: Path
) -> None:
    path = tmp_path / "test.json"
    other = models.expression_model(tmp_path / "other.onnx", seed=5)
    sums = {
        measured(model, tiny_tables.table(seed=seed), path, STATED).sha256
        for model, seed in ((expression_path, 0), (other, 0), (other, 1))
    }
    assert len(sums) == 3


def test_a_damaged_receipt_is_made_anew(tmp_path: Path, expression_path: Path) -> None:
    path = tmp_path / "test.json"
    path.write_text("{")
    receipt = measured(expression_path, tiny_tables.table(), path, STATED)
    assert Receipt.open(path).sha256 == receipt.sha256


def test_faces_that_are_equalised_already_are_not_equalised_again(tmp_path: Path) -> None:
    fields = models.expression_metadata()
    fields["preparation"]["equalize"] = "clahe"
    model = models.expression_model(tmp_path / "model.onnx", fields=fields)
    faces = tiny_tables.table()
    receipt = measured(model, faces, tmp_path / "test.json", STATED)
    reader = ExpressionReader(model)
    whole = models.expression_model(tmp_path / "plain.onnx")
    crops = np.stack([ExpressionReader(whole).preparation.whole(face) for face in faces.images])
    happiness = reader.labels.index("happiness")
    np.testing.assert_allclose(
        receipt.probabilities[:, receipt.labels.index("happiness")],
        reader.read(crops).probabilities[:, happiness],
        atol=1e-4,
    )


def test_predictions_are_a_row_a_face(tmp_path: Path, expression_path: Path) -> None:
    receipt = measured(expression_path, tiny_tables.table(), tmp_path / "test.json", STATED)
    write_predictions(receipt, tmp_path / "predictions.csv")
    lines = (tmp_path / "predictions.csv").read_text().splitlines()
    rows = list(csv.DictReader(lines))
    assert [row["source_id"] for row in rows] == list(receipt.faces)
    assert {row["truth"] for row in rows} == {"happiness", "fear"}
    for row in rows:
        told = {name: float(row[f"probability_{name}"]) for name in receipt.labels}
        assert max(told, key=told.__getitem__) == row["predicted"]
        assert sum(told.values()) == pytest.approx(1, abs=1e-3)
    assert json.loads((tmp_path / "test.json").read_text())["kind"] == "receipt"
