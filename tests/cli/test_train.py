"""The training command: what it hands on, and how it ends."""

import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def training(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Put a training in place that only notes what it is called with."""
    calls: list[dict[str, Any]] = []

    def run(recipe: Path, data: Path, out: Path, **named: Any) -> Path:
        calls.append({"recipe": recipe, "data": data, "out": out, **named})
        return out / "model.onnx"

    module = types.ModuleType("mien.training.run")
    module.run = run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "mien.training.run", module)
    return calls


def test_the_recipe_is_run_and_the_model_named(training: list[Any], mien: Callable) -> None:
    done = mien("train", "recipes/landmarks.toml", "--data", "data", "--out", "here")
    assert done[:2] == (0, "here/model.onnx\n")
    (call,) = training
    assert (call["recipe"], call["data"]) == (Path("recipes/landmarks.toml"), Path("data"))
    assert call["overrides"] == {"epochs": None, "seed": None, "start": None}


def test_settings_replace_the_recipes(training: list[Any], mien: Callable) -> None:
    mien("train", "a/b.toml", "--data", "data", "--epochs", "3", "--seed", "7", "--quiet")
    (call,) = training
    assert call["overrides"] == {"epochs": 3, "seed": 7, "start": None}
    assert call["out"] == Path("runs/b")
    assert call["quiet"]


def test_data_is_found_by_the_variable(
    training: list[Any], mien: Callable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MIEN_DATA", "/somewhere")
    mien("train", "a.toml")
    assert training[0]["data"] == Path("/somewhere")


def test_without_data_the_option_is_named(mien: Callable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MIEN_DATA", raising=False)
    done = mien("train", "a.toml")
    assert done.code == 2
    assert "--data" in done.err


@pytest.mark.parametrize("absent", ["torch", "safetensors"])
def test_without_its_extra_training_says_how_to_install_it(
    absent: str, fresh_python: Callable[[str], str]
) -> None:
    code = f"""
import contextlib, sys
sys.modules[{absent!r}] = None
from mien.cli import main
with contextlib.redirect_stderr(sys.stdout):
    print(main(["train", "a.toml", "--data", "data"]))
"""
    said = "error: training needs PyTorch: pip install 'mien[train]' (in a clone: '.[train]')\n7\n"
    assert fresh_python(code) == said


def test_a_recipe_that_is_not_there_is_named(mien: Callable, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    done = mien("train", tmp_path / "none.toml", "--data", tmp_path)
    assert done.code == 2
    assert "no recipe at" in done.err
