"""Ctrl-C or SIGTERM in the middle: what is printed is whole, and no file is half written."""

import csv
import json
import signal
import subprocess
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from mien import images
from tiny_fer import tiny_fer

SLOW = """
import time
from mien.recognizer import Recognizer
at_once = Recognizer.__call__
def slow(self, source):
    time.sleep(0.05)
    return at_once(self, source)
Recognizer.__call__ = slow
"""
SLOW_FINDER = """
import time
from mien.faces.finding import FaceFinder
at_once = FaceFinder.find
def slow(self, image):
    time.sleep(0.02)
    return at_once(self, image)
FaceFinder.find = slow
"""
RECIPE = """
name = "tiny"
task = "expression"
epochs = 10000
batch_size = 16
precision = "float32"
validate_every = 10000
[network]
widths = [8, 16]
blocks = [1, 1]
stem_stride = 2
"""


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """A folder of photographs that takes a while."""
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(300):
        images.write(folder / f"{number:03}.png", np.full((48, 48), number % 256, np.uint8))
    return folder


def until(condition: Callable[[], bool], process: subprocess.Popen[str]) -> None:
    end = time.monotonic() + 240
    while not condition():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < end, "nothing happened"
        time.sleep(0.02)


def interrupt(process: subprocess.Popen[str], *stops: signal.Signals) -> tuple[str, str]:
    for stop in stops or (signal.SIGINT,):
        process.send_signal(stop)
    return process.communicate(timeout=240)


def test_what_predict_has_printed_is_whole(
    start: Callable, many: Path, expression_path: Path, tmp_path: Path
) -> None:
    words = ["predict", many, "--model", expression_path, "--detector", "whole", "--jobs", "2"]
    printed = tmp_path / "printed.jsonl"
    with printed.open("w") as stream:
        process = start(*words, first=SLOW, stdout=stream)
        until(lambda: printed.read_text().count("\n") > 2, process)
        _, errors = interrupt(process)
    found = printed.read_text()
    assert process.returncode == 130
    assert found.endswith("\n")
    records = [json.loads(line) for line in found.splitlines()]
    assert 3 <= len(records) < 300
    assert errors.startswith(f"interrupted: {len(records)} of 300 photographs")
    assert errors.count("\n") == 1


@pytest.mark.parametrize(
    ("stops", "code"), [([signal.SIGINT], 130), ([signal.SIGTERM, signal.SIGTERM], 143)]
)
def test_predict_leaves_no_half_file_and_keeps_the_old_one(
    stops: list[signal.Signals],
    code: int,
    start: Callable,
    many: Path,
    expression_path: Path,
    tmp_path: Path,
) -> None:
    out, drawn = tmp_path / "out" / "faces.csv", tmp_path / "drawn"
    out.parent.mkdir()
    out.write_text("old")
    words = ["predict", many, "--model", expression_path, "--detector", "whole", "--jobs", "2"]
    process = start(*words, "--out", out, "--draw", drawn, first=SLOW)
    until(lambda: drawn.is_dir() and len(list(drawn.iterdir())) > 3, process)
    _, errors = interrupt(process, *stops)
    assert process.returncode == code
    assert f"{out} was not written" in errors
    assert "the same command goes on from there" in errors
    assert set(out.parent.iterdir()) == {out, out.with_name(".faces.csv.part")}
    assert out.read_text() == "old"
    assert all(images.read(path).ndim == 3 for path in drawn.iterdir())
    assert {path.suffix for path in drawn.iterdir()} == {".png"}


def test_the_manifest_covers_every_picture_that_is_there(
    start: Callable, many: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    words = ["occlude", many, out, "--with", "eyes,nose", "--detector", "whole", "--jobs", "2"]
    process = start(*words, first=SLOW_FINDER)
    until(lambda: (out / "eyes").is_dir() and len(list((out / "eyes").iterdir())) > 6, process)
    _, errors = interrupt(process)
    assert process.returncode == 130
    assert "its manifest lists what is there; the same command goes on" in errors
    with (out / "manifest.csv").open(newline="") as file:
        listed = {row["file"] for row in csv.DictReader(file)}
    assert listed == {path.relative_to(out).as_posix() for path in out.rglob("*.png")}
    assert 6 < len(listed) < 600


def test_a_training_goes_on_where_it_was_stopped(start: Callable, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    faces = tiny_fer(per_split=8)
    faces.write(tmp_path / "fer2013.csv")
    faces.write_votes(tmp_path / "fer2013new.csv")
    faces.write_points(tmp_path / "landmarks68.npz", [True] * 24)
    recipe, out = tmp_path / "tiny.toml", tmp_path / "out"
    recipe.write_text(RECIPE)

    def epochs() -> list[int]:
        log = out / "log.jsonl"
        lines = log.read_text().splitlines(keepends=True) if log.exists() else []
        return [json.loads(line)["epoch"] for line in lines if line.endswith("\n")]

    for least in (2, 5):
        already = len(epochs())
        process = start("train", recipe, "--data", tmp_path, "--out", out)
        until(lambda least=least, already=already: len(epochs()) >= already + least, process)
        printed, errors = interrupt(process)
        assert process.returncode == 130
        assert printed == ""
        assert "Traceback" not in errors
        assert "the same command goes on from there" in errors
        assert not list(out.glob("*.part")) and not list(out.glob("*.onnx"))
    done = epochs()
    assert done[0] == 1 and done[-1] <= len(done)
    assert all(after - before in (0, 1) for before, after in pairwise(done))
