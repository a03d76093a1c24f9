"""Teachers: what they say is kept by face, and students lean towards it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
import torch

import models
from mien.errors import DataError, ModelError
from mien.training import distill
from mien.training.settings import Distillation

NAMES = ("neutral", "happiness")


def teacher(faces: int = 3) -> distill.Teacher:
    shares = np.random.default_rng(0).dirichlet([1.0, 1.0], faces).astype(np.float32)
    ids = np.array([f"face-{row}" for row in range(faces)])
    return distill.Teacher(ids, {"plus": shares}, {"plus": NAMES}, {"views": 1})


def test_a_saved_teacher_gives_the_same_shares_by_id_in_any_order(tmp_path: Path) -> None:
    made = teacher()
    made.save(tmp_path / "deep" / "teacher.npz")
    found = distill.open_teacher(tmp_path / "deep" / "teacher.npz")
    wanted = np.array(["face-2", "face-0"])
    expected = made.shares["plus"][[2, 0]]
    np.testing.assert_allclose(found.of("plus", NAMES, wanted), expected, atol=1e-3)
    turned = found.of("plus", NAMES[::-1], wanted)
    np.testing.assert_allclose(turned, expected[:, ::-1], atol=1e-3)
    assert found.stated == {"views": 1}


@pytest.mark.parametrize(
    ("output", "labels", "ids", "message"),
    [
        ("plus", NAMES, ["face-1", "face-7"], "has not seen 1 of the 2 faces, such as 'face-7'"),
        ("plus", ("neutral", "fear"), ["face-1"], "it knows plus: neutral, happiness"),
        ("minus", NAMES, ["face-1"], "must answer 'minus'"),
    ],
)
def test_a_teacher_of_something_else_is_refused(
    output: str, labels: tuple[str, ...], ids: list[str], message: str
) -> None:
    with pytest.raises(DataError, match=message):
        teacher().of(output, labels, np.array(ids))


def test_the_one_output_with_the_labels_of_a_head_teaches_it(tmp_path: Path) -> None:
    made, path = teacher(), tmp_path / "teacher.npz"
    made.save(path)
    asked = Distillation(file=str(path)), {"expression": NAMES[::-1]}, made.ids
    found = distill.taught(*asked)["expression"]
    np.testing.assert_allclose(found, made.shares["plus"][:, ::-1], atol=1e-3)
    both = {"plus": made.shares["plus"], "minus": made.shares["plus"]}
    distill.Teacher(made.ids, both, {"plus": NAMES, "minus": NAMES}, {}).save(path)
    with pytest.raises(DataError, match="must answer 'expression'"):
        distill.taught(*asked)


def test_what_is_no_teacher_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="mien distill"):
        distill.open_teacher(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no")
    with pytest.raises(DataError, match=r"text\.npz must be a file"):
        distill.open_teacher(tmp_path / "text.npz")


def test_teachers_are_averaged_over_models_and_views(tmp_path: Path) -> None:
    paths = [models.expression_model(tmp_path / f"{seed}.onnx", seed=seed) for seed in (1, 2)]
    faces = np.random.default_rng(1).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    ids = np.array(list("abcde"))
    both = distill.teach(paths, faces, ids, views=2, quiet=True)
    alone = [distill.teach([path], faces, ids, views=2, quiet=True) for path in paths]
    for name, shares in both.shares.items():
        mean = (alone[0].shares[name] + alone[1].shares[name]) / 2
        np.testing.assert_allclose(shares, mean, atol=1e-5)
        np.testing.assert_allclose(shares.sum(1), 1.0, atol=1e-5)
    still = distill.teach(paths[:1], faces, ids, views=1, quiet=True)
    assert any(
        not np.allclose(still.shares[name], alone[0].shares[name], atol=1e-4)
        for name in still.shares
    )


def test_faces_may_lie_in_a_file_that_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(distill, "AT_ONCE", 2)
    path = models.expression_model(tmp_path / "a.onnx", seed=1)
    faces = np.random.default_rng(2).integers(0, 256, (5, 48, 48), dtype=np.uint8)
    np.save(tmp_path / "images.npy", faces)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    ids = np.array([*"abcde"])
    found = distill.teach([path], mapped, ids, views=2, quiet=True)
    monkeypatch.setattr(distill, "AT_ONCE", 512)
    whole = distill.teach([path], faces, ids, views=2, quiet=True)
    assert found.stated == whole.stated
    assert found.stated["faces_sha256"] == sha256(faces.tobytes()).hexdigest()
    for name, shares in whole.shares.items():
        np.testing.assert_allclose(found.shares[name], shares, atol=1e-5)


def test_no_teacher_is_refused() -> None:
    with pytest.raises(ModelError, match="at least one model"):
        distill.teach([], np.zeros((1, 48, 48), np.uint8), np.array(["a"]), quiet=True)


def test_the_loss_is_least_where_the_student_says_what_the_teacher_says() -> None:
    shares = torch.tensor([[0.7, 0.2, 0.1]])
    for temperature in (1.0, 3.0):
        logits = shares.log().requires_grad_()
        loss = distill.soft_loss(logits, shares, temperature).sum()
        torch.autograd.backward(loss)
        assert logits.grad is not None
        torch.testing.assert_close(logits.grad, torch.zeros_like(shares), atol=1e-5, rtol=0)
        assert distill.soft_loss(torch.zeros(1, 3), shares, temperature).item() > loss.item()
