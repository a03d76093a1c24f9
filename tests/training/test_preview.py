"""A sheet of what a network is going to see, and what its first batches hold."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien import images
from mien.cli import main
from mien.training import preview
from mien.training.hiding import Hiding
from mien.training.material import DataSource
from mien.training.run import prepare
from mien.training.settings import DataSettings, Losses
from tiny_training import LABELLED, TINY, BrightOrDark, labelled_faces


def test_faces_are_drawn_and_their_expressions_counted(tmp_path: Path) -> None:
    recipe = replace(
        LABELLED, losses=Losses(class_weights="sampler"), data=DataSettings(set="C"), batch_size=16
    )
    source: DataSource = labelled_faces(tmp_path / "faces")
    task = prepare(recipe, source).task
    lines = list(preview.preview(task, recipe, tmp_path / "seen.png"))
    sheet = images.read(tmp_path / "seen.png")
    assert sheet.shape[0] > preview.FACES * preview.SIDE
    assert sheet.shape[1] > (preview.DRAWS + 1) * preview.SIDE
    assert lines[0].endswith("seen.png: 10 of 40 training faces as the network gets them")
    assert [line.partition(":")[0] for line in lines[1:]] == [
        *(f"batch {number} of 3" for number in (1, 2, 3)),
        "epoch 1",
    ]
    counts = [int(word.strip(",")) for word in lines[-1].split() if word.strip(",").isdigit()]
    assert counts[0] == 40 == sum(counts[1:])
    names = task.shows(preview.chosen(task))
    assert names == sorted(names) and len(set(names)) == len(task.outputs()[0].labels)


def test_the_faces_of_an_epoch_are_those_of_its_batches() -> None:
    recipe = replace(TINY, hiding=Hiding(blocks=1.0))
    task = BrightOrDark(recipe)
    faces = np.arange(4)
    plain, first, *_ = preview.seen(task, recipe, faces)
    viewer = task.viewer()
    assert not torch.equal(plain, first)
    grain = torch.Generator().manual_seed(recipe.seed)
    again = viewer.view(faces, 0, *viewer.hide(faces, 0), grain)
    torch.testing.assert_close(first, again.images, atol=0, rtol=0)


def test_the_command_trains_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    labelled_faces(tmp_path / "faces")
    words = ["train", "--table", f"{tmp_path}/faces", "--network", "two-layer-32"]
    words += ["--preview", f"{tmp_path}/a.png", "--out", f"{tmp_path}/run"]
    assert main(words) == 0
    assert "batch 1 of 1: 20 faces: " in capsys.readouterr().out
    assert (tmp_path / "a.png").stat().st_size and not (tmp_path / "run").exists()
    assert main([*words, "--seeds", "2"]) == 2
