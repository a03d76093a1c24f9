"""Runs summed up without the test faces that occur in training."""

import json
from pathlib import Path

import numpy as np
import pytest

import tiny_tables
from mien.training import copies
from mien.training.joined import Done
from tiny_receipts import tiny_receipt
from tiny_runs import done

OFFICIAL = {"protocol": {"splits": "official", "fold": "official"}}


def official(predicted: list[int]) -> Done:
    """Make a run on a set's own parts whose true answers are all 0."""
    names = [f"test-{row}" for row in range(len(predicted))]
    receipt = tiny_receipt([0] * len(predicted), predicted, faces=names, result=OFFICIAL)
    return Done(None, 1, receipt, {}, {})


def test_pictures_that_are_there_twice_are_found() -> None:
    table = tiny_tables.table(6)
    table.images[4] = table.images[1]
    found = copies.groups(table)
    ids = table.source_id
    assert found == [{ids[1]: table.split[1], ids[4]: table.split[4]}]


def test_faces_of_the_own_test_part_that_equal_training_faces_are_left_out() -> None:
    known = [
        {"train-3": "train", "test-0": "private", "test-3": "private"},
        {"test-1": "private", "test-2": "private"},
        {"public-5": "public", "test-2": "private"},
    ]
    found = copies.without([official([0, 0, 1, 1])], known)
    assert found is not None
    assert found.faces == 2 and found.measures["accuracy"].value == pytest.approx(0.5)


def test_with_folds_any_face_of_another_fold_has_trained() -> None:
    runs = [done(0, 1, [1, 0, 1]), done(1, 1, [1, 1, 0])]
    known = [{"0-1": "", "1-2": ""}, {"0-0": "", "0-2": ""}]
    found = copies.without(runs, known)
    assert found is not None
    assert found.faces == 4 and found.measures["accuracy"].value == 1.0


def test_where_all_occur_in_training_there_is_nothing_to_tell() -> None:
    known = [{"train-0": "train", "test-0": "private", "test-1": "private"}]
    assert copies.without([official([0, 1])], known) is None


def test_the_answers_of_a_job_are_those_of_its_runs(tmp_path: Path) -> None:
    runs = [done(fold, seed, [1, 0]) for fold in (0, 1) for seed in (4, 5)]
    rows = [{"fold": (run.fold or 0) + 1, "seed": run.seed} for run in runs]
    for run, row in zip(runs, rows, strict=True):
        folder = tmp_path / f"fold-{row['fold']}" / f"seed-{row['seed']}"
        folder.mkdir(parents=True)
        run.receipt.save(folder / "test.json")
    (tmp_path / "job.json").write_text(json.dumps({"runs": rows}))
    found = copies.tested(tmp_path)
    assert [(run.fold, run.seed) for run in found] == [(0, 4), (0, 5), (1, 4), (1, 5)]
    assert [run.receipt.faces for run in found] == [run.receipt.faces for run in runs]
    assert np.array_equal(found[0].receipt.right, [True, False])
