"""What ends a training before it begins: each is named, with a code and no traceback."""

import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

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
        (("--set", "distillation.file=none.npz"), 4, "no teacher at none.npz"),
        (("--splits", "none.json"), 4, "cannot read none.json"),
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
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "lock").write_text(str(os.getppid()))
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
