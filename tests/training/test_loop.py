"""The loop on a handful of faces: it learns, resumes, stops on nonsense."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mien.data.picked import Picked
from mien.errors import DataError, MienError, UsageError
from mien.training import checkpoint, compiling, loop
from mien.training.augment import Augmentation
from mien.training.distributed import World
from mien.training.faces import Faces, View, Viewer
from mien.training.settings import NetworkSettings, Optimizer, Recipe, Selection
from mien.training.validation import BATCH, answers_of
from tiny_training import FACES, TINY, BrightOrDark, Scored

STILL = Optimizer(learning_rate=0.0)
SLOWLY = Optimizer(learning_rate=0.005, ema=0.0)


def log(folder: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (folder / "log.jsonl").read_text().splitlines()]


def test_a_run_learns_and_logs_each_epoch(tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=12)
    best = loop.train(recipe, BrightOrDark(), tmp_path, quiet=True)
    _, state = checkpoint.load(best)
    assert state["figures"]["accuracy"] == 1.0
    entries = log(tmp_path)
    assert [entry["epoch"] for entry in entries] == list(range(1, 13))
    assert entries[-1]["loss"] < entries[0]["loss"]
    assert not (tmp_path / "lock").exists()


@pytest.mark.parametrize(
    "changes",
    [
        {"optimizer": Optimizer(kind="adam", learning_rate=0.003, ema=0.5)},
        {"optimizer": Optimizer(kind="adamw", learning_rate=0.003, ema=0.0, clip=0.0)},
        {"optimizer": Optimizer(kind="sam", learning_rate=0.05, ema=0.5, schedule="cosine")},
        {"optimizer": Optimizer(learning_rate=0.05, ema=0.5), "precision": "bfloat16"},
        {"network": NetworkSettings(name="two-layer-48"), "optimizer": SLOWLY},
    ],
    ids=["adam", "adamw", "sam", "bfloat16", "another-network"],
)
def test_it_learns_by_every_means(tmp_path: Path, changes: dict[str, object]) -> None:
    recipe = replace(TINY, epochs=10, **changes)  # type: ignore[arg-type]
    loop.train(recipe, BrightOrDark(recipe), tmp_path, quiet=True)
    entries = log(tmp_path)
    assert entries[-1]["accuracy"] == 1.0
    assert entries[-1]["loss"] < entries[0]["loss"]


def test_without_a_memory_the_network_itself_is_judged_and_kept(tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=1, optimizer=Optimizer(ema=0.0))
    best = loop.train(recipe, BrightOrDark(), tmp_path, quiet=True)
    last, _ = checkpoint.load(tmp_path / "last.safetensors")
    assert "average" not in last
    kept = checkpoint.load(best)[0]["average"]
    torch.testing.assert_close(kept, last["network"], atol=0, rtol=0)


def test_the_best_epoch_is_kept_and_patience_ends_a_run(tmp_path: Path) -> None:
    recipe = replace(TINY, epochs=9, selection=Selection(patience=2), optimizer=STILL)
    scores = [0.1, 0.5, 0.4, 0.4]
    best = loop.train(recipe, Scored(scores, recipe), tmp_path, quiet=True)
    assert checkpoint.load(best)[1]["best_epoch"] == 2
    assert len(log(tmp_path)) == 4
    loop.train(recipe, Scored([], recipe), tmp_path, quiet=True)  # it stays ended
    assert len(log(tmp_path)) == 4


def test_a_plateau_lowers_the_rate(tmp_path: Path) -> None:
    settings = Optimizer(schedule="plateau", step_epochs=2, learning_rate=0.0)
    recipe = replace(TINY, epochs=7, optimizer=settings)
    scores = [0.5, 0.5, 0.5, 0.6, 0.6, 0.6, 0.6]
    loop.train(recipe, Scored(scores, recipe), tmp_path, quiet=True)
    state = checkpoint.load(tmp_path / "last.safetensors")[1]
    assert (state["drops"], state["dropped"]) == (2, 6)


def test_an_epoch_shows_the_faces_that_the_task_orders(tmp_path: Path) -> None:
    seen: list[int] = []

    class Chosen(BrightOrDark):
        def order(self, epoch: int, rng: np.random.Generator) -> Faces:
            return np.array([3, 5, 3, 9, 9 + FACES])  # the last: once more, changed otherwise

        def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
            seen.extend(faces.tolist())
            return super().loss(outputs, faces % FACES, view)

    loop.train(replace(TINY, epochs=1), Chosen(), tmp_path, quiet=True)
    assert seen == [3, 5, 3, 9, 9 + FACES]


def test_a_run_can_start_from_the_weights_of_another(tmp_path: Path) -> None:
    best = loop.train(replace(TINY, epochs=12), BrightOrDark(), tmp_path / "first", quiet=True)
    still = replace(TINY, epochs=1, start=str(best), optimizer=STILL)
    again = loop.train(still, BrightOrDark(), tmp_path / "second", quiet=True)
    assert checkpoint.load(again)[1]["figures"]["accuracy"] == 1.0


def test_dropout_reaches_every_network_that_has_some() -> None:
    def drops(**settings: float) -> set[float]:
        recipe = replace(TINY, network=NetworkSettings(name="double", **settings))  # type: ignore[arg-type]
        built = loop.build_network(recipe, BrightOrDark())
        return {layer.p for layer in built.modules() if isinstance(layer, torch.nn.Dropout)}

    assert drops() == {0.5, 0.2} and drops(dropout=0.1) == {0.1}
    with pytest.raises(UsageError, match="has no dropout layer"):
        network = NetworkSettings(name="two-layer-32", dropout=0.1)
        loop.build_network(replace(TINY, side=32, network=network), BrightOrDark())


def test_a_start_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no checkpoint at .*none\.safetensors"):
        recipe = replace(TINY, start=str(tmp_path / "none.safetensors"))
        loop.train(recipe, BrightOrDark(), tmp_path, quiet=True)


def test_a_start_of_another_network_is_named(tmp_path: Path) -> None:
    best = loop.train(replace(TINY, epochs=1), BrightOrDark(), tmp_path / "first", quiet=True)
    wide = NetworkSettings(widths=(8, 24), blocks=(1, 1))
    recipe = replace(TINY, start=str(best), network=wide)
    with pytest.raises(DataError, match="is of another network"):
        loop.train(recipe, BrightOrDark(), tmp_path / "second", quiet=True)


@pytest.mark.parametrize(
    ("changes", "device", "message"),
    [
        ({"precision": "float16"}, "cpu", "take bfloat16"),
        ({}, "cuda", "torch .* finds no CUDA for 'cuda'"),
        ({}, "cdua", "unknown device 'cdua'"),
        ({}, "cuda:x", "unknown device 'cuda:x'"),
        ({}, "cuda:-1", "unknown device 'cuda:-1'"),
    ],
)
def test_what_this_machine_cannot_do_is_named(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, str],
    device: str,
    message: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=message):
        recipe = replace(TINY, **changes)  # type: ignore[arg-type]
        loop.train(recipe, BrightOrDark(), tmp_path, device=device, quiet=True)


def test_the_network_that_trains_is_compiled_and_the_one_that_is_kept_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled: list[tuple[torch.nn.Module, dict[str, object]]] = []
    monkeypatch.setenv("CXX", sys.executable)  # a program that is there
    monkeypatch.setattr(
        torch.nn.Module, "compile", lambda network, **how: compiled.append((network, how))
    )
    plain = loop.train(replace(TINY, epochs=1), BrightOrDark(), tmp_path / "plain", quiet=True)
    assert not compiled
    recipe = replace(TINY, epochs=1, compile=True)
    best = loop.train(recipe, BrightOrDark(), tmp_path / "compiled", quiet=True)
    ((network, how),) = compiled
    assert how == {"dynamic": False}
    last, _ = checkpoint.load(best.with_name("last.safetensors"))
    torch.testing.assert_close(dict(network.state_dict()), last["network"], atol=0, rtol=0)
    torch.testing.assert_close(checkpoint.load(best)[0], checkpoint.load(plain)[0], atol=0, rtol=0)


def test_compiling_needs_a_compiler(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = replace(TINY, compile=True)
    monkeypatch.setenv("CXX", "no-such-compiler")
    with pytest.raises(UsageError, match=r"found no 'no-such-compiler'; install one .* CXX, or"):
        loop.train(recipe, BrightOrDark(), tmp_path / "run", quiet=True)
    assert not (tmp_path / "run").exists()
    compiling.check("cuda")  # which needs none


def test_what_cannot_be_compiled_is_told_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from torch._dynamo.exc import TorchDynamoException

    class Lost(BrightOrDark):
        def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
            raise TorchDynamoException("C++ compile error\nand a page of it")

    monkeypatch.setenv("CXX", sys.executable)
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network, **how: None)
    with pytest.raises(MienError, match=r"failed: C\+\+ compile error; leave compile off \(--set"):
        loop.train(replace(TINY, compile=True), Lost(), tmp_path, quiet=True)


def test_a_batch_that_does_not_fit_names_one_that_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Small(BrightOrDark):
        def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
            if len(faces) > 3:
                raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to")
            return super().loss(outputs, faces, view)

    with pytest.raises(MienError, match=r"a batch of 8 does not fit .*set batch_size = 2"):
        loop.train(TINY, Small(), tmp_path, quiet=True)


def test_a_loss_that_is_no_number_stops_and_saves_the_faces(tmp_path: Path) -> None:
    class Lost(BrightOrDark):
        def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
            return super().loss(outputs, faces, view) * (float("nan") if 5 in faces else 1)

    with pytest.raises(MienError, match=r"finite, got nan.*bad-batch\.json"):
        loop.train(TINY, Lost(), tmp_path, quiet=True)
    found = json.loads((tmp_path / "bad-batch.json").read_text())
    assert len(found["rows"]) == 8 and 5 in found["rows"]
    assert found["source_ids"] == [f"face-{row:02}" for row in found["rows"]]


def test_a_view_belongs_to_the_face_not_to_the_batch() -> None:
    recipe: Recipe = replace(TINY, augmentation=Augmentation(noise_share=0.0))
    viewer = Viewer(BrightOrDark().source, recipe)

    def view(faces: Faces) -> View:
        images, states = viewer.hide(faces, 1)
        return viewer.view(faces, 1, images, states, torch.Generator())

    together, alone = view(np.arange(10)), view(np.array([7]))
    torch.testing.assert_close(together.images[7:8], alone.images, atol=1e-4, rtol=0)
    np.testing.assert_allclose(together.points_xy[7:8], alone.points_xy, atol=1e-4)


def test_a_judgement_sees_each_face_once() -> None:
    task = BrightOrDark(faces=301)
    network = loop.build_network(TINY, task)
    answer = answers_of(network, task.plain, World())
    assert answer(task.source.images)["bright"].shape == (301, 2)


def test_a_judgement_reads_faces_on_disk_a_batch_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    task, read = BrightOrDark(faces=301), list[int]()
    network, original = loop.build_network(TINY, task), Picked.__getitem__

    def noted(images: Picked, index: Any) -> Any:
        found = original(images, index)
        read.append(len(found))
        return found

    monkeypatch.setattr(Picked, "__getitem__", noted)
    answers_of(network, task.plain, World())(Picked(task.source.images))  # type: ignore[arg-type]
    assert read == [BATCH, 301 - BATCH]
