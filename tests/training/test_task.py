"""What the tasks of the shipped models rest on beside the faces that train."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.training.distill import Teacher
from mien.training.expression import ANSWERS, ExpressionTask
from mien.training.landmarks import LandmarkTask
from mien.training.run import read_data
from mien.training.settings import Distillation
from mien.training.task import Task
from tiny_fer import tiny_fer
from tiny_training import TINY


@pytest.mark.parametrize("kind", [ExpressionTask, LandmarkTask])
def test_the_public_part_and_the_teacher_are_told_apart(
    kind: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mien.training.landmarks._bank", lambda faces, rng: faces[:2])
    fer = tiny_fer(per_split=14)
    fer.write(tmp_path / "fer2013.csv")
    fer.write_votes(tmp_path / "fer2013new.csv")
    table, found = read_data(tmp_path, fer.write_points(tmp_path / "points.npz", [True] * 42))
    changed = table.images.copy()
    changed[table.split == "public"] ^= 8
    tables = [table, table, replace(table, images=changed)]
    tasks: list[Task] = [kind(one, found, TINY) for one in tables]
    if kind is ExpressionTask:
        ids = table.source_id
        shares = {head: np.full((len(ids), len(of)), 0.1) for head, of in ANSWERS.items()}
        Teacher(ids, shares, ANSWERS, {}).save(tmp_path / "teacher.npz")
        taught = replace(TINY, distillation=Distillation(file=str(tmp_path / "teacher.npz")))
        tasks.append(kind(table, found, taught))
        assert tasks[0].shows(np.array([1, 0])) == table.expression_names()[[1, 0]].tolist()
        known = tasks[0].majority[tasks[0].majority >= 0]  # type: ignore[attr-defined]
        neutral = {"train_accuracy": pytest.approx(float((known == 0).mean()))}
        assert tasks[0].look_back(lambda faces: {"ferplus": np.eye(8)[[0] * len(faces)]}) == neutral
    assert len({task.fingerprint() for task in tasks}) == 1
    assert len({task.fingerprint_besides() for task in tasks}) == len(tasks) - 1
