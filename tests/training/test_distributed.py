"""Two real processes train as one does, and what goes wrong between them is named."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from mien.errors import MienError, UsageError
from mien.training import batches, checkpoint, distributed
from mien.training.augment import Augmentation
from mien.training.distributed import World
from mien.training.faces import Faces
from tiny_training import BrightOrDark

SRC, TESTS = Path(__file__).parents[2] / "src", Path(__file__).parents[1]
# No batch statistics, no dropout, and batches of 9 and 8 faces: shares of 5 and 4.
SETTINGS = """
import atexit, sys, torch
from dataclasses import replace
from pathlib import Path
from torch import Tensor, nn
from mien.training import distributed, loop
from mien.training.augment import Augmentation
from mien.training.settings import Optimizer
from tiny_training import TINY, BrightOrDark

torch.set_num_threads(1)
RECIPE = replace(TINY, epochs=3, batch_size=9, augmentation=Augmentation(noise_share=0.0),
                 optimizer=Optimizer(learning_rate=0.02, momentum=0.9, ema=0.5))

class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(1, 6, 5, stride=3), nn.ReLU(), nn.Flatten(),
                                  nn.Linear(1350, 2))
    def forward(self, x):
        return {"bright": self.body(x)}

class Weighted(BrightOrDark):
    def build(self, network):
        torch.manual_seed(3)
        return Plain()
    def loss(self, outputs, faces, view):
        truth = torch.from_numpy(self.labels[faces])
        hidden = torch.from_numpy(view.hidden == 1).sum(1)
        weights = torch.from_numpy(1.0 + faces % 5).float() + hidden
        losses = nn.functional.cross_entropy(outputs["bright"], truth, reduction="none")
        return (losses * weights).sum() / weights.sum()
    def judge(self, answer):
        found = answer(self.source.images)["bright"]
        assert found.shape == (26, 2)
        return {"accuracy": float((found.argmax(1) == self.labels).mean()),
                "margin": float((found[:, 0] * range(1, 27)).sum())}

def threads():
    return [Path(one, "comm").read_text().strip() for one in Path("/proc/self/task").glob("*")]

atexit.register(lambda: print(*threads()))  # the last of all that is done at the end

def go(out):
    return loop.train(RECIPE, Weighted(RECIPE, faces=26), Path(out), quiet=True)
"""


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def environment(rank: int, port: str) -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": f"{SRC}{os.pathsep}{TESTS}",
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": port,
        "WORLD_SIZE": "2",
        "RANK": str(rank),
        "LOCAL_RANK": str(rank),
    }


def test_two_processes_give_the_losses_and_figures_of_one(tmp_path: Path) -> None:
    script = tmp_path / "work.py"
    script.write_text(SETTINGS + "\ngo(sys.argv[1])\n")
    alone = {**os.environ, "PYTHONPATH": f"{SRC}{os.pathsep}{TESTS}"}
    subprocess.run([sys.executable, script, tmp_path / "one"], env=alone, check=True, timeout=200)
    port = free_port()
    both = [
        subprocess.Popen(
            [sys.executable, script, tmp_path / "two"],
            env=environment(rank, port),
            stdout=-1,
            stderr=-1,
            text=True,
        )
        for rank in (0, 1)
    ]
    ends, errors = zip(*(run.communicate(timeout=200) for run in both), strict=True)
    assert [run.returncode for run in both] == [0, 0], errors
    assert not any("Warning" in text for text in errors)
    # Threads of the group that outlived Python could abort their process.
    assert not any("gloo" in names for names in ends)
    one, two = (
        [json.loads(line) for line in (tmp_path / name / "log.jsonl").read_text().splitlines()]
        for name in ("one", "two")
    )
    assert len(two) == len(one) == 3  # the first process writes, the other does not
    for expected, found in zip(one, two, strict=True):
        assert found["loss"] == pytest.approx(expected["loss"], rel=1e-3)
        assert found["margin"] == pytest.approx(expected["margin"], rel=1e-3)
        assert found["accuracy"] == expected["accuracy"]
    first, second = (
        checkpoint.load(tmp_path / name / "last.safetensors") for name in ("one", "two")
    )
    for group, tensors in first[0].items():
        torch.testing.assert_close(second[0][group], tensors, atol=1e-4, rtol=1e-3)


STOPPED = """
import signal
class Signalled(BrightOrDark):
    left = int(sys.argv[2]) if distributed.join().rank == 1 else 0
    def loss(self, *a):
        self.left -= 1
        if self.left == 0:
            signal.raise_signal(signal.SIGINT)
        return super().loss(*a)
signal.signal(signal.SIGINT, signal.default_int_handler)
small = replace(RECIPE, epochs=2, batch_size=2, network=TINY.network,
                augmentation=Augmentation(noise_share=1.0))
try:
    loop.train(small, Signalled(small, faces=26), Path(sys.argv[1]), quiet=True)
except KeyboardInterrupt:
    print("stopped")
"""


def test_processes_stop_at_one_step_and_go_on_to_the_same_weights(tmp_path: Path) -> None:
    script = tmp_path / "work.py"
    script.write_text(SETTINGS + STOPPED)

    def go(folder: str, at: int) -> str:
        port = free_port()
        both = [
            subprocess.Popen(
                [sys.executable, script, tmp_path / folder, str(at)],
                env=environment(rank, port),
                stdout=-1,
                text=True,
            )
            for rank in (0, 1)
        ]
        told = [run.communicate(timeout=200)[0] for run in both]
        assert [run.returncode for run in both] == [0, 0]
        assert told[0].count("stopped") == told[1].count("stopped")
        return told[0]

    assert "stopped" not in go("whole", 0)
    assert "stopped" in go("parts", 15)  # in the second of thirteen steps of epoch 2
    last = tmp_path / "parts" / "last.safetensors"
    assert checkpoint.load_state(last)["within"]["step"] == 8
    assert "stopped" not in go("parts", 0)
    (expected, told), (found, state) = (
        checkpoint.load(tmp_path / folder / "last.safetensors") for folder in ("whole", "parts")
    )
    assert state == told
    torch.testing.assert_close(found, expected, atol=0, rtol=0)


def test_a_port_in_use_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        for name, value in environment(0, port).items():
            monkeypatch.setenv(name, value)
        with pytest.raises(MienError, match=rf"meet at 127\.0\.0\.1:{port}.*set MASTER_PORT"):
            distributed.join("cpu")


def test_shares_hold_every_face_once() -> None:
    rows = np.arange(11)
    shares = [World(rank=rank, size=3).share(rows) for rank in range(3)]
    assert sorted(np.concatenate(shares)) == list(rows)


def test_each_process_draws_grain_of_its_own() -> None:
    recipe = replace(BrightOrDark().recipe, augmentation=Augmentation(noise_share=1.0))
    task = BrightOrDark(recipe)
    faces = [np.arange(8)]

    def images(rank: int) -> torch.Tensor:
        class Same(World):
            def share(self, rows: Faces) -> Faces:
                return rows

        viewer, world = task.viewer(), Same(rank=rank)
        grain = batches.grain_of(viewer, recipe, 0, world)
        (_, view), *_ = batches.views(viewer, faces, 0, world, grain)
        return view.images

    torch.testing.assert_close(images(0), images(0), atol=0, rtol=0)
    assert (images(0) - images(1)).abs().max() > 0.1


def test_more_processes_than_faces_of_a_batch_are_refused(tmp_path: Path) -> None:
    recipe = replace(BrightOrDark().recipe, batch_size=2)
    with pytest.raises(UsageError, match="a face for each of 4 processes, got 2"):
        batches.shuffled(BrightOrDark(recipe), recipe, 0, World(size=4))


def test_devices_are_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert distributed.device_named("auto") == "cpu"
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    assert distributed.device_named("auto") == "cuda"
    with pytest.raises(UsageError, match="cuda:3 must be there, found 1 cards"):
        distributed.device_named("cuda:3")
