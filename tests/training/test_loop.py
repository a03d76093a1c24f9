"""The loop on a handful of faces: it learns, resumes, stops on nonsense."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import models
from mien.errors import DataError, MienError
from mien.training import checkpoint, loop
from mien.training.faces import Faces, Source, View
from mien.training.hiding import Hiding
from mien.training.settings import NetworkSettings, Optimizer, Recipe
from mien.training.validation import Answer

TINY = Recipe(
    name="tiny",
    task="expression",
    epochs=3,
    batch_size=8,
    precision="float32",
    validate_every=1,
    network=NetworkSettings(widths=(8, 16), blocks=(1, 1), dropout=0.2),
    optimizer=Optimizer(learning_rate=0.05, ema=0.5),
    hiding=Hiding(mask=0.2, blocks=0.3),
)


class BrightOrDark:
    """Tell bright faces from dark ones by a stripe that normalisation leaves."""

    selection = "accuracy"

    def __init__(self, loss_value: float | None = None) -> None:
        self.heads = {"bright": 2}
        rng = np.random.default_rng(0)
        images = rng.integers(100, 156, (24, 48, 48), dtype=np.uint8)
        self.labels = np.arange(24) % 2
        images[self.labels == 1, 20:] = 250
        points = np.tile(models.face_points(48), (24, 1, 1))
        self.source = Source(images, points, np.ones(24, dtype=bool))
        self.loss_value = loss_value

    def build(self, network: nn.Module) -> nn.Module:
        return network

    def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
        loss = nn.functional.cross_entropy(outputs["bright"], torch.from_numpy(self.labels[faces]))
        return loss * (1.0 if self.loss_value is None else self.loss_value)

    def judge(self, answer: Answer) -> dict[str, float]:
        answers = answer(self.source.images)["bright"].argmax(1)
        return {"accuracy": float((answers == self.labels).mean())}


def test_a_run_learns_and_logs_each_epoch(tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=12)
    best = loop.train(recipe, BrightOrDark(), tmp_path, quiet=True)
    _, state = checkpoint.load(best)
    assert state["figures"]["accuracy"] == 1.0
    entries = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    assert [entry["epoch"] for entry in entries] == list(range(1, 13))
    assert entries[-1]["loss"] < entries[0]["loss"]


def test_a_stopped_run_resumes_to_the_same_weights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    loop.train(TINY, BrightOrDark(), whole, quiet=True)
    original = loop._batches

    def killed(viewer: object, recipe: Recipe, epoch: int) -> object:
        for number, batch in enumerate(original(viewer, recipe, epoch)):  # type: ignore[arg-type]
            if epoch == 1 and number == 1:
                raise KeyboardInterrupt
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(loop, "_batches", killed)
        with pytest.raises(KeyboardInterrupt):
            loop.train(TINY, BrightOrDark(), parts, quiet=True)
    loop.train(TINY, BrightOrDark(), parts, quiet=True)
    expected, found = (checkpoint.load(p / "last.safetensors")[0] for p in (whole, parts))
    for group, tensors in expected.items():
        torch.testing.assert_close(found[group], tensors, atol=0, rtol=0)


def test_a_run_can_start_from_the_weights_of_another(tmp_path: Path) -> None:
    best = loop.train(replace(TINY, epochs=12), BrightOrDark(), tmp_path / "first", quiet=True)
    still = replace(TINY, epochs=1, start=str(best), optimizer=Optimizer(learning_rate=0.0))
    again = loop.train(still, BrightOrDark(), tmp_path / "second", quiet=True)
    assert checkpoint.load(again)[1]["figures"]["accuracy"] == 1.0


def test_a_start_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no checkpoint at .*none\.safetensors"):
        recipe = replace(TINY, start=str(tmp_path / "none.safetensors"))
        loop.train(recipe, BrightOrDark(), tmp_path, quiet=True)


def test_a_checkpoint_of_another_recipe_is_not_resumed(tmp_path: Path) -> None:
    loop.train(replace(TINY, epochs=1), BrightOrDark(), tmp_path, quiet=True)
    with pytest.raises(DataError, match="differs in seed, epochs"):
        loop.train(replace(TINY, seed=5), BrightOrDark(), tmp_path, quiet=True)


def test_what_concerns_the_file_alone_may_change_when_a_run_is_over(tmp_path: Path) -> None:
    once = replace(TINY, epochs=1)
    best = loop.train(once, BrightOrDark(), tmp_path, quiet=True)
    before = best.stat().st_mtime_ns
    loop.train(replace(once, mirror=True, quantize=True), BrightOrDark(), tmp_path, quiet=True)
    assert best.stat().st_mtime_ns == before


def test_a_loss_that_is_no_number_stops_and_saves_the_rows(tmp_path: Path) -> None:
    with pytest.raises(MienError, match=r"finite, got nan.*bad-batch\.json"):
        loop.train(TINY, BrightOrDark(loss_value=float("nan")), tmp_path, quiet=True)
    assert len(json.loads((tmp_path / "bad-batch.json").read_text())) == 8


def test_the_rate_rises_then_falls_to_nothing() -> None:
    settings = Optimizer(learning_rate=0.1, warmup_share=0.1)
    rates = [loop.learning_rate(settings, epoch, 10) for epoch in (0, 0.5, 1, 5.5, 10)]
    assert rates == pytest.approx([0.002, 0.05, 0.1, 0.05, 0.0])


def test_the_rate_may_fall_twice() -> None:
    settings = Optimizer(learning_rate=0.1, restart_epoch=10, restart_rate=0.04)
    rates = [loop.learning_rate(settings, epoch, 14) for epoch in (9.9999, 10, 12, 14)]
    assert rates == pytest.approx([0.0, 0.04, 0.02, 0.0], abs=1e-6)


def test_a_view_belongs_to_the_face_not_to_the_batch() -> None:
    from mien.training.augment import Augmentation
    from mien.training.faces import Viewer

    recipe = replace(TINY, augmentation=Augmentation(noise_share=0.0))
    viewer = Viewer(BrightOrDark().source, recipe)

    def view(faces: Faces) -> View:
        images, states = viewer.hide(faces, 1)
        return viewer.view(faces, 1, images, states, torch.Generator())

    together, alone = view(np.arange(10)), view(np.array([7]))
    torch.testing.assert_close(together.images[7:8], alone.images, atol=1e-4, rtol=0)
    np.testing.assert_allclose(together.points_xy[7:8], alone.points_xy, atol=1e-4)
