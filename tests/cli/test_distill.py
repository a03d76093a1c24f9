"""The command that asks teachers: which faces it shows them, and what it keeps."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mien.expressions import EXPRESSIONS
from tiny_fer import tiny_fer
from tiny_tables import table


@pytest.fixture(autouse=True)
def needs_torch() -> None:
    pytest.importorskip("torch")


def kept(path: Path) -> "np.lib.npyio.NpzFile":
    return np.load(path, allow_pickle=False)


def test_teachers_see_the_faces_that_train(
    expression_path: Path, tmp_path: Path, mien: Callable
) -> None:
    faces = tiny_fer()
    faces.write(tmp_path / "fer2013.csv")
    out = tmp_path / "teacher.npz"
    words = ("--data", tmp_path, "--out", out, "--views", "2")
    done = mien("distill", expression_path, expression_path, *words)
    assert done.code == 0 and "2 models say of 4 faces" in done.err
    with kept(out) as found:
        assert len(found["ids"]) == 4
        assert found["shares-ferplus"].shape == (4, len(EXPRESSIONS))


def test_faces_without_a_training_part_are_all_shown(
    expression_path: Path, tmp_path: Path, mien: Callable
) -> None:
    faces = table(6)
    faces.save(tmp_path / "faces")
    out = tmp_path / "teacher.npz"
    words = ("--table", tmp_path / "faces", "--out", out, "--views", "1", "--quiet")
    done = mien("distill", expression_path, *words)
    assert done[:3] == (0, "", "")
    with kept(out) as found:
        assert found["ids"].tolist() == faces.source_id.tolist()


def test_a_student_learns_from_the_file(
    expression_path: Path, tmp_path: Path, mien: Callable
) -> None:
    from mien.training.distill import open_teacher

    faces = table(6)
    faces.save(tmp_path / "faces")
    out = tmp_path / "teacher.npz"
    mien("distill", expression_path, "--table", tmp_path / "faces", "--out", out)
    teacher = open_teacher(out)
    shares = teacher.of("ferplus", EXPRESSIONS, faces.source_id[:3])
    assert shares.shape == (3, len(EXPRESSIONS))
    np.testing.assert_allclose(shares.sum(1), 1, atol=2e-3)


def test_what_is_missing_is_named(
    expression_path: Path, tmp_path: Path, mien: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MIEN_DATA", raising=False)
    out = ("--out", tmp_path / "t.npz")
    assert "Missing option '--out'" in mien("distill", expression_path).err
    assert "--root" in mien("distill", expression_path, *out).err
    assert "value for '--seed'" in mien("distill", expression_path, *out, "--seed", "-1").err
    unknown = mien("distill", tmp_path / "none.onnx", "--data", tmp_path, *out)
    assert unknown.code == 5 and "unknown model" in unknown.err


def test_a_file_that_cannot_be_written_is_told_before_the_work(
    expression_path: Path, tmp_path: Path, mien: Callable
) -> None:
    done = mien("distill", expression_path, "--data", tmp_path / "none", "--out", tmp_path)
    assert done.code == 6 and f"cannot write {tmp_path}" in done.err
