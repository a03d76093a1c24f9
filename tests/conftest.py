"""Fixtures that many tests share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import models
from mien import weights


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


@pytest.fixture(scope="session")
def expression_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny expression model with three outputs and 48x48 input."""
    return models.expression_model(tmp_path_factory.mktemp("models") / "expression.onnx")


@pytest.fixture(scope="session")
def landmarks_path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny landmark model that finds one and the same face in every 64x64 crop."""
    return models.landmark_model(tmp_path_factory.mktemp("models") / "landmarks.onnx")


@pytest.fixture(scope="session")
def portrait_path() -> Path:
    """The sample portrait: 512x512, one face."""
    return weights.sample_portrait()


@pytest.fixture(scope="session")
def shipped_models() -> None:
    """Fail at once, and clearly, where a model that ships is not in the tree."""
    kinds = {entry.kind for entry in weights.list_models() if entry.path.is_file()}
    missing = {"detector", "landmarks", "expression"} - kinds
    if missing:
        pytest.fail(f"no {', '.join(sorted(missing))} model under {weights.FOLDER}")


@pytest.fixture(scope="session")
def mien_data() -> Path:
    """The folder of real data; tests that need it are skipped where MIEN_DATA is not set."""
    root = os.environ.get("MIEN_DATA")
    if not root:
        pytest.skip("MIEN_DATA is not set: no real data to test on")
    return Path(root)


@pytest.fixture
def fresh_python() -> Callable[[str], str]:
    """Run code in a new interpreter and give what it printed."""

    def run(code: str) -> str:
        command = [sys.executable, "-W", "error", "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run
