"""A run that was stopped, at whatever moment, ends as one that was not."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from mien.errors import DataError, OutputError
from mien.training import checkpoint, loop, resuming, stopping
from mien.training.distributed import World
from mien.training.faces import Faces, Source, View
from mien.training.settings import DataSettings, Optimizer, Recipe, Selection
from mien.training.validation import Answer
from tiny_training import TINY, BrightOrDark

SRC, TESTS = Path(__file__).parents[2] / "src", Path(__file__).parents[1]
ADAM = Optimizer(
    kind="adam", learning_rate=0.003, ema=0.5, schedule="plateau", step_epochs=1, step_factor=0.3
)
RECIPES = {
    "sgd": TINY,
    "adam, plateau, patience, sampler": replace(
        TINY, epochs=5, optimizer=ADAM, selection=Selection(patience=4)
    ),
}


class Sampled(BrightOrDark):
    """Draw faces with repetition, as a sampler of rare expressions does."""

    def order(self, epoch: int, rng: np.random.Generator) -> Faces:
        return rng.integers(0, len(self.source), len(self.source))


def task_of(recipe: Recipe) -> BrightOrDark:
    return (BrightOrDark if recipe is TINY else Sampled)(recipe)


def same_end(whole: Path, parts: Path) -> None:
    for name in ("last.safetensors", "best.safetensors"):
        (expected, told), (found, state) = (checkpoint.load(p / name) for p in (whole, parts))
        assert state == told
        assert found.keys() == expected.keys()
        for group, tensors in expected.items():
            torch.testing.assert_close(found[group], tensors, atol=0, rtol=0)


@pytest.mark.parametrize("name", RECIPES)
def test_a_stopped_run_resumes_to_the_same_weights(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts, recipe = tmp_path / "whole", tmp_path / "parts", RECIPES[name]
    loop.train(recipe, task_of(recipe), whole, quiet=True)
    original = loop.views

    def stopped(
        viewer: object, batches: object, epoch: int, world: object, grain: object
    ) -> object:
        views = original(viewer, batches, epoch, world, grain)  # type: ignore[arg-type]
        for number, batch in enumerate(views):
            if epoch == 2 and number == 1:
                raise KeyboardInterrupt
            yield batch

    with monkeypatch.context() as patch:
        patch.setattr(loop, "views", stopped)
        with pytest.raises(KeyboardInterrupt):
            loop.train(recipe, task_of(recipe), parts, quiet=True)
    assert checkpoint.load(parts / "last.safetensors")[1]["epoch"] == 2
    loop.train(recipe, task_of(recipe), parts, quiet=True)
    same_end(whole, parts)


@pytest.fixture
def signals_raise() -> Iterator[None]:
    """Let SIGINT and SIGTERM do what they do in a command."""
    before = {number: signal.getsignal(number) for number in stopping.SIGNALS}
    for number in before:
        signal.signal(number, signal.default_int_handler)
    yield
    for number, mind in before.items():
        signal.signal(number, mind)


def signalled(recipe: Recipe, at: int, *numbers: signal.Signals) -> BrightOrDark:
    """Give a task in whose loss number `at` signals come."""

    class Signalled(type(task_of(recipe))):  # type: ignore[misc]
        left = at

        def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
            self.left -= 1
            for number in numbers if self.left == 0 else ():
                signal.raise_signal(number)
            return super().loss(outputs, faces % len(self.source), view)  # type: ignore[no-any-return]

    task: BrightOrDark = Signalled(recipe)
    return task


SAM = Optimizer(kind="sam", learning_rate=0.05, ema=0.5)
AMID = {**RECIPES, "sam, bfloat16": replace(TINY, optimizer=SAM, precision="bfloat16")}


@pytest.mark.parametrize("name", AMID)
def test_a_signal_amid_an_epoch_saves_the_step_and_ends_the_run(
    name: str, tmp_path: Path, signals_raise: None, capfd: pytest.CaptureFixture[str]
) -> None:
    whole, parts, recipe = tmp_path / "whole", tmp_path / "parts", AMID[name]
    loop.train(recipe, task_of(recipe), whole, quiet=True)
    at = 9 if recipe.optimizer is SAM else 5  # the second of three steps
    twice = (signal.SIGTERM, signal.SIGTERM)  # as `timeout` does
    with pytest.raises(KeyboardInterrupt):
        loop.train(recipe, signalled(recipe, at, *twice), parts)
    assert capfd.readouterr().err.count(stopping.NOTED) == 1
    state = checkpoint.load_state(parts / "last.safetensors")
    assert state["epoch"] == 1 and state["within"]["step"] == 2
    assert not (parts / "lock").exists()
    loop.train(recipe, task_of(recipe), parts, quiet=True)
    same_end(whole, parts)
    logs = [Path(folder, "log.jsonl").read_text().splitlines() for folder in (whole, parts)]
    told = [[{**json.loads(line), "seconds": 0} for line in lines] for lines in logs]
    assert told[0] == told[1]


def test_a_signal_saves_the_step_where_nobody_reads_what_is_said(
    tmp_path: Path, signals_raise: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*given: object) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(stopping.os, "write", gone)
    watch = stopping.Watch(0)
    with pytest.raises(KeyboardInterrupt), watch:
        signal.raise_signal(signal.SIGINT)
        assert watch.wish() == stopping.END
        watch.saved(stopping.END, World())


def test_a_second_signal_ends_a_run_at_once(
    tmp_path: Path, signals_raise: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stopping, "TWICE_S", -1)
    twice = (signal.SIGINT, signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        loop.train(TINY, signalled(TINY, 5, *twice), tmp_path, quiet=True)
    assert "within" not in checkpoint.load_state(tmp_path / "last.safetensors")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_while_faces_are_judged_ends_the_run_after_the_epoch(
    tmp_path: Path, signals_raise: None
) -> None:
    class Judged(BrightOrDark):
        def judge(self, answer: Answer) -> dict[str, float]:
            signal.raise_signal(signal.SIGINT)
            return super().judge(answer)

    with pytest.raises(KeyboardInterrupt):
        loop.train(TINY, Judged(), tmp_path, quiet=True)
    state = checkpoint.load_state(tmp_path / "last.safetensors")
    assert state["epoch"] == state["best_epoch"] == 1 and "within" not in state


@pytest.mark.parametrize("name", RECIPES)
def test_a_long_epoch_is_saved_within_and_changes_nothing(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole, parts, recipe = tmp_path / "whole", tmp_path / "parts", RECIPES[name]
    loop.train(recipe, task_of(recipe), whole, quiet=True)
    often = replace(recipe, checkpoint_minutes=1e-9)
    assert often.sha256() == recipe.sha256()
    original, saved = checkpoint.save, []

    def lost(path: Path, groups: object, state: dict[str, object]) -> None:
        original(path, groups, state)  # type: ignore[arg-type]
        saved.append(path.name)
        if len(saved) in (1, 6):
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save", lost)
        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                loop.train(often, task_of(recipe), parts, quiet=True)
    assert checkpoint.load_state(parts / "last.safetensors")["within"]["step"] < 3
    loop.train(recipe, task_of(recipe), parts, quiet=True)
    (expected, told), (found, state) = (
        checkpoint.load(folder / "last.safetensors") for folder in (whole, parts)
    )
    assert {**state, "recipe": None} == {**told, "recipe": None}
    torch.testing.assert_close(found, expected, atol=0, rtol=0)


def test_a_killed_run_resumes_to_the_same_weights(tmp_path: Path) -> None:
    whole, parts, within = (tmp_path / name for name in ("whole", "parts", "within"))
    recipe = replace(TINY, epochs=6)
    torch.set_num_threads(1)
    loop.train(recipe, BrightOrDark(recipe), whole, quiet=True)
    script = (
        "import time, torch, tiny_training as t; from dataclasses import replace\n"
        "from pathlib import Path; from mien.training import loop\n"
        "torch.set_num_threads(1)\n"
        f"parts, within = Path({str(parts)!r}), Path({str(within)!r})\n"
        "class Held(t.BrightOrDark):\n"
        "    late = 0\n"
        "    def loss(self, *a):\n"
        "        self.late += (parts / 'last.safetensors').exists()\n"
        "        if self.late == 2:\n"
        "            within.touch(); time.sleep(600)\n"
        "        return super().loss(*a)\n"
        f"recipe = replace(t.TINY, epochs={recipe.epochs})\n"
        "loop.train(recipe, Held(recipe), parts, quiet=True)\n"
    )
    run = subprocess.Popen(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": f"{SRC}{os.pathsep}{TESTS}"},
    )
    wait_for(within, run)  # the second batch of an epoch
    run.send_signal(signal.SIGKILL)
    assert run.wait() == -signal.SIGKILL
    assert (parts / "lock").read_text() == str(run.pid)  # it could not clean up
    assert checkpoint.load(parts / "last.safetensors")[1]["epoch"] == 1
    loop.train(recipe, BrightOrDark(recipe), parts, quiet=True)
    same_end(whole, parts)


def wait_for(path: Path, run: subprocess.Popen[bytes]) -> None:
    ends = time.monotonic() + 600
    while not path.exists() and run.poll() is None and time.monotonic() < ends:
        time.sleep(0.01)


def test_a_checkpoint_of_another_recipe_is_not_resumed(tmp_path: Path) -> None:
    loop.train(replace(TINY, epochs=1), BrightOrDark(), tmp_path, quiet=True)
    with pytest.raises(DataError, match="differs in seed, epochs"):
        loop.train(replace(TINY, seed=5), BrightOrDark(), tmp_path, quiet=True)


@pytest.mark.parametrize("what", ["pixels", "labels", "names"])
def test_data_that_changed_are_not_trained_on(tmp_path: Path, what: str) -> None:
    loop.train(replace(TINY, epochs=1), BrightOrDark(), tmp_path, quiet=True)
    task = BrightOrDark()
    if what == "pixels":
        images = task.source.images.copy()
        images[23, 47, 47] ^= 1
        task.source = Source(images, task.source.points_xy, task.source.found)
    elif what == "labels":
        task.labels = task.labels[::-1].copy()
    else:
        task.source_ids = task.source_ids[::-1].copy()
    with pytest.raises(DataError, match="they have changed"):
        loop.train(replace(TINY, epochs=1), task, tmp_path, quiet=True)


class Judged(BrightOrDark):
    """Rests on faces that do not train."""

    held = 0

    def besides(self) -> dict[str, np.ndarray]:
        return {"held": np.full(3, self.held)}


def test_faces_that_choose_the_epoch_may_not_change(tmp_path: Path) -> None:
    once, last = replace(TINY, epochs=1), tmp_path / "last.safetensors"
    loop.train(once, Judged(), tmp_path, quiet=True)
    other = Judged()
    other.held = 1
    with pytest.raises(DataError, match=r"the faces that choose the epoch .* they have changed"):
        loop.train(once, other, tmp_path, quiet=True)
    groups, state = checkpoint.load(last)
    del state[resuming.BESIDES]  # as checkpoints were before it was kept
    checkpoint.save(last, groups, state)
    loop.train(once, other, tmp_path, quiet=True)


def test_a_run_of_before_a_setting_goes_on_with_its_default(tmp_path: Path) -> None:
    once = replace(TINY, epochs=1)
    last = loop.train(once, BrightOrDark(), tmp_path, quiet=True).with_name(resuming.LAST)
    groups, state = checkpoint.load(last)
    del state["recipe"]["data"]["set"], state["recipe"]["batch_size"], state["recipe"]["losses"]
    checkpoint.save(last, groups, state)
    set_c = replace(once, data=DataSettings(set="C"), batch_size=192)
    with pytest.raises(DataError, match=r"\(differs in data\)"):
        loop.train(set_c, BrightOrDark(), tmp_path, quiet=True)
    loop.train(replace(once, batch_size=192), BrightOrDark(), tmp_path, quiet=True)


def test_what_concerns_the_file_alone_may_change_when_a_run_is_over(tmp_path: Path) -> None:
    once = replace(TINY, epochs=1)
    best = loop.train(once, BrightOrDark(), tmp_path, quiet=True)
    before = best.stat().st_mtime_ns
    loop.train(replace(once, mirror=True, quantize=True), BrightOrDark(), tmp_path, quiet=True)
    assert best.stat().st_mtime_ns == before


@pytest.mark.parametrize("before", [False, True])
def test_a_run_goes_on_compiled_or_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bool
) -> None:
    monkeypatch.setenv("CXX", sys.executable)  # a program that is there
    monkeypatch.setattr(torch.nn.Module, "compile", lambda network, **how: None)
    once = replace(TINY, epochs=1, compile=before)
    best = loop.train(once, BrightOrDark(), tmp_path, quiet=True)
    written = best.stat().st_mtime_ns
    loop.train(replace(once, compile=not before), BrightOrDark(), tmp_path, quiet=True)
    assert best.stat().st_mtime_ns == written


def test_a_full_disk_stops_a_run_and_leaves_its_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    original, epochs = checkpoint.save_file, []

    def full(flat: object, path: Path, metadata: object) -> None:
        if "last" in path.name:
            epochs.append(path)
        if len(epochs) > 1:
            path.write_bytes(b"half")
            raise OSError(28, "No space left on device")
        original(flat, path, metadata=metadata)

    with monkeypatch.context() as patch:
        patch.setattr(checkpoint, "save_file", full)
        with pytest.raises(OutputError, match=r"No space left .* the old one is intact"):
            loop.train(TINY, BrightOrDark(), tmp_path / "parts", quiet=True)
    assert checkpoint.load(tmp_path / "parts" / "last.safetensors")[1]["epoch"] == 1
    loop.train(TINY, BrightOrDark(), tmp_path / "whole", quiet=True)
    loop.train(TINY, BrightOrDark(), tmp_path / "parts", quiet=True)
    same_end(tmp_path / "whole", tmp_path / "parts")
