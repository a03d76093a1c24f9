"""What ends a training before it begins: each is named, with a code and no traceback."""

import shutil
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tiny_runs import another_run
from tiny_tables import table

TINY = ("--set", "network.widths=4,8", "--set", "network.blocks=1,1", "--network", "residual")
QUICK = (
    *TINY,
    "--set",
    "data.folds=3",
    "--set",
    "side=32",
    "--set",
    "precision=float32",
    "--epochs",
    "1",
    "--quiet",
)


@pytest.fixture(scope="module")
def faces(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A table of faces of six people."""
    pytest.importorskip("torch")
    folder = tmp_path_factory.mktemp("data") / "faces"
    table(36, people=6).save(folder)
    return folder


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--set", "data.expressions=happiness,anger"), 4, "data.expressions names anger"),
        (("--set", "data.expressions=happines"), 2, "did you mean 'happiness'"),
        (("--set", "data.protocol=official"), 4, "no official splits"),
        (("--fold", "99"), 2, "no fold 99"),
        (("--network", "smal"), 2, "did you mean 'small'"),
        (("--network", "small", "--pretrained"), 2, "needs a network of torchvision or timm"),
        (("--start", "none.safetensors"), 4, "no checkpoint at none.safetensors"),
        (("--set", "losses.kind=votes"), 4, "needs faces with FER+ votes"),
        (("--set", "hiding.flat=0.5"), 2, "hiding.occluders"),
        (("--set", "data.set=F"), 2, "unknown augmentation set 'F'"),
        (
            ("--set", "distillation.file=none.npz"),
            4,
            "make it: mien distill MODEL.onnx --data DIR --out none.npz",
        ),
        (("--splits", "none.json"), 4, "cannot read none.json"),
        (("--set", "data.validation_share=0"), 2, "share"),
        (("--tensorboard",), 2, "needs the package tensorboard"),
    ],
)
def test_what_cannot_be_trained_is_named(
    words: tuple[str, ...],
    code: int,
    message: str,
    faces: Path,
    tmp_path: Path,
    mien: Callable,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    done = mien("train", "--table", faces, "--out", tmp_path / "run", *QUICK, *words)
    assert done.code == code and message in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "run" / "last.safetensors").exists()


def test_a_folder_in_which_another_process_trains_is_refused(
    faces: Path, tmp_path: Path, mien: Callable
) -> None:
    with another_run(tmp_path / "run"):
        done = mien("train", "--table", faces, "--out", tmp_path / "run", *QUICK)
    assert done.code == 6 and "another run, process" in done.err


def test_a_checkpoint_of_another_network_is_named(
    faces: Path, tmp_path: Path, mien: Callable
) -> None:
    assert mien("train", "--table", faces, "--out", tmp_path / "run", *QUICK).code == 0
    best = tmp_path / "run" / "best.safetensors"
    words = ("--set", "network.widths=4,12", "--start", best)
    done = mien("train", "--table", faces, "--out", tmp_path / "other", *QUICK, *words)
    assert done.code == 4 and "is of another network" in done.err
    changed = mien("train", "--table", faces, "--out", tmp_path / "run", *QUICK, "--seed", "9")
    assert changed.code == 4 and "another recipe" in changed.err


def test_faces_that_changed_since_a_run_began_are_named(tmp_path: Path, mien: Callable) -> None:
    pytest.importorskip("torch")
    made, folder = table(36, people=6), tmp_path / "faces"
    made.save(folder)
    words = ("train", "--table", folder, "--out", tmp_path / "run", *QUICK)
    assert mien(*words).code == 0
    last = (tmp_path / "run" / "last.safetensors").read_bytes()
    shutil.rmtree(folder)
    made.images[:, 0, 0] ^= 1
    made.save(folder)
    done = mien(*words)
    assert done.code == 4 and "the training data must be those" in done.err
    assert "Traceback" not in done.err
    assert (tmp_path / "run" / "last.safetensors").read_bytes() == last


def test_a_port_that_another_run_uses_is_named(
    faces: Path, tmp_path: Path, mien: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        for name, value in {
            "WORLD_SIZE": 2,
            "RANK": 0,
            "LOCAL_RANK": 0,
            "MASTER_PORT": port,
        }.items():
            monkeypatch.setenv(name, str(value))
        monkeypatch.setenv("MASTER_ADDR", "127.0.0.1")
        done = mien("train", "--table", faces, "--out", tmp_path / "run", *QUICK)
    assert done.code == 1 and f"meet at 127.0.0.1:{port}" in done.err
    assert "set MASTER_PORT" in done.err and "Traceback" not in done.err
    assert not (tmp_path / "run" / "lock").exists()


def test_a_batch_that_memory_has_no_room_for_names_one_that_fits(
    faces: Path, tmp_path: Path, mien: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.training.labelled import LabelledTask

    loss = LabelledTask.loss

    def small(task: LabelledTask, outputs: Any, faces: Any, view: Any) -> Any:
        if len(faces) > 3:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to")
        return loss(task, outputs, faces, view)

    monkeypatch.setattr(LabelledTask, "loss", small)
    words = (*QUICK, "--batch-size", "8")
    done = mien("train", "--table", faces, "--out", tmp_path / "run", *words)
    assert done.code == 1 and "2 faces fit: set batch_size = 2 (--batch-size)" in done.err
    assert "Traceback" not in done.err and not (tmp_path / "run" / "lock").exists()


def test_a_disk_that_is_full_at_a_checkpoint_leaves_the_old_one(
    faces: Path, tmp_path: Path, mien: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mien.training import checkpoint

    save, written = checkpoint.save_file, []

    def full(flat: Any, path: Path, metadata: Any) -> None:
        written.append(path)
        if len(written) > 2:  # best and last of the first epoch
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        save(flat, path, metadata=metadata)

    monkeypatch.setattr(checkpoint, "save_file", full)
    words = ("--set", "validate_every=1", "--epochs", "2")
    done = mien("train", "--table", faces, "--out", tmp_path / "run", *QUICK, *words)
    assert done.code == 6 and "No space left" in done.err and "old one is intact" in done.err
    assert "Traceback" not in done.err
    assert checkpoint.load(tmp_path / "run" / "last.safetensors")[1]["epoch"] == 1
    assert not list((tmp_path / "run").glob(".*.part"))
