"""Commands run in this process, and as processes of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest

from mien import images, weights
from mien.cli import main

# A shell may have told its background jobs to ignore Ctrl-C; children inherit that.
HEARS_CTRL_C = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)
"""


class Done(NamedTuple):
    """A command that has ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Done]
Start = Callable[..., subprocess.Popen[str]]


@pytest.fixture
def mien(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in this process."""

    def run(*words: str | Path) -> Done:
        code = main([str(word) for word in words])
        return Done(code, *capsys.readouterr())

    return run


@pytest.fixture
def start() -> Run:
    """Start a command as a process of its own, after some lines of Python."""

    def started(*words: str | Path, first: str = "", **options: object) -> subprocess.Popen[str]:
        code = f"{HEARS_CTRL_C}{first}\nfrom mien.cli import run\nrun()"
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = [sys.executable, "-W", "error", "-c", code, *map(str, words)]
        environment = {**os.environ, "COLUMNS": "100"}
        return subprocess.Popen(command, text=True, env=environment, **streams)

    return started


@pytest.fixture
def photographs(tmp_path: Path, rng: np.random.Generator) -> Path:
    """A folder of three images that each are one face."""
    folder = tmp_path / "photographs"
    folder.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        images.write(folder / name, rng.integers(0, 256, (48, 48), dtype=np.uint8))
    return folder


@pytest.fixture
def predict(mien: Run, expression_path: Path) -> Run:
    """Predict with the tiny model, each image taken as one face."""

    def run(*words: str | Path) -> Done:
        return mien("predict", *words, "--model", expression_path, "--detector", "whole")

    return run


@pytest.fixture
def tiny_weights(
    expression_path: Path, landmarks_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ship tiny models beside the real detector."""

    def entry(name: str, path: Path) -> weights.Entry:
        digest, size = weights.sha256_file(path), path.stat().st_size
        return weights.Entry(name, str(path), name, digest, size, "MIT", "tiny", True)

    entries = {
        "centerface": weights.entries()["centerface"],
        "expression": entry("expression", expression_path),
        "landmarks": entry("landmarks", landmarks_path),
    }
    monkeypatch.setattr(weights, "entries", lambda: entries)
