"""Scoring a receipt again from the command line."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import models
from mien.expressions import EXPRESSIONS_7
from tiny_fer import tiny_fer


@pytest.fixture
def root(tmp_path: Path) -> Path:
    faces = tiny_fer()
    faces.write(tmp_path / "fer2013.csv")
    faces.write_votes(tmp_path / "fer2013new.csv")
    return tmp_path


@pytest.fixture
def receipt(mien: Callable, root: Path, expression_path: Path) -> Path:
    path = root / "receipt.json"
    named = ["--dataset", "fer2013", "--root", root, "--model", expression_path]
    done = mien("evaluate", *named, "--receipt", path)
    assert done.code == 0, done.err
    assert "receipt of 4 faces" in done.err
    return path


def test_a_receipt_that_holds_ends_well(
    mien: Callable, root: Path, receipt: Path, expression_path: Path
) -> None:
    done = mien("verify", receipt, "--data", root, "--model", expression_path)
    assert done.code == 0, done.err
    assert done.out.endswith("the receipt holds\n") and "FAILS" not in done.out


def test_a_receipt_that_does_not_hold_ends_with_a_code(
    mien: Callable, root: Path, receipt: Path, expression_path: Path
) -> None:
    faces = tiny_fer(seed=1)
    faces.write(root / "fer2013.csv")
    words = ["verify", receipt, "--root", root, "--model", expression_path]
    done = mien(*words)
    assert done.code == 1
    assert "pixels, labels, votes  FAILS" in done.out and "does not hold" in done.out
    done = mien(*words, "--format", "json")
    found = json.loads(done.out)
    assert done.code == 1 and found["holds"] is False
    assert [check["name"] for check in found["checks"] if not check["holds"]] == [
        "pixels, labels, votes"
    ]


def test_the_model_of_a_receipt_is_named_where_another_is_given(
    tiny_weights: None, mien: Callable, root: Path, tmp_path: Path
) -> None:
    outputs = [models.output("expression", "expression", EXPRESSIONS_7, certain=0.5)]
    layers = {"expression": (np.zeros((48 * 48, 7)), np.arange(7.0))}
    fields = {**models.metadata("expression", 48, outputs), "name": "own"}
    own, path = models.write(tmp_path / "own.onnx", 48, layers, fields), tmp_path / "own.json"
    named = ["--dataset", "fer2013", "--root", root]
    assert mien("evaluate", *named, "--model", own, "--receipt", path).code == 0
    done = mien("verify", path, "--root", root)
    assert done.code == 1 and "the receipt is of own: give its file (--model)" in done.out
    assert mien("verify", path, "--root", root, "--model", own).code == 0


def test_a_receipt_whose_data_are_not_there_could_not_be_checked(
    mien: Callable, tmp_path: Path, receipt: Path, expression_path: Path
) -> None:
    (tmp_path / "elsewhere").mkdir()
    for where in (["--root", tmp_path / "elsewhere"], ["--table", tmp_path / "no-table"]):
        done = mien("verify", receipt, *where, "--model", expression_path)
        assert (done.code, done.out) == (4, "")
        assert f"{receipt} could not be checked: " in done.err


def test_a_receipt_changed_by_hand_is_named(
    mien: Callable, root: Path, receipt: Path, expression_path: Path
) -> None:
    receipt.write_text(receipt.read_text().replace('"predicted": [', '"predicted": [0, '))
    done = mien("verify", receipt, "--root", root, "--model", expression_path)
    assert done.code == 4
    assert "was changed after it was made: the hash of its predicted differs" in done.err
