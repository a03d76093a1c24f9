"""What is shipped, as the command tells it."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

import models
from mien import weights


@pytest.fixture
def shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that ships one tiny model."""
    fields = models.expression_metadata()
    fields["results"] = {"public": {"accuracy": 0.875}}
    path = models.expression_model(tmp_path / "tiny.onnx", fields=fields)
    entry = {
        "file": "tiny.onnx",
        "kind": "expression",
        "sha256": weights.sha256_file(path),
        "bytes": path.stat().st_size,
        "licence": "MIT",
        "description": "A tiny model",
        "default": True,
    }
    (tmp_path / "manifest.json").write_text(json.dumps({"tiny": entry}))
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    monkeypatch.setattr(weights, "MANIFEST", tmp_path / "manifest.json")
    weights.entries.cache_clear()
    yield path
    weights.entries.cache_clear()


def test_json_tells_all_of_a_model(shelf: Path, mien: Callable) -> None:
    done = mien("models", "--format", "json")
    (model,) = json.loads(done.out)
    assert done.code == 0
    assert model["sha256"] == weights.sha256_file(shelf)
    assert model["bytes"] == shelf.stat().st_size
    assert (model["name"], model["kind"], model["default"]) == ("tiny", "expression", True)
    assert model["licence"] == "MIT"
    assert model["results"] == {"public": {"accuracy": 0.875}}
    assert model["trained_on"][0]["licence"] == "none"


def test_the_table_names_size_hash_licence_and_results(shelf: Path, mien: Callable) -> None:
    out = mien("models").out
    assert weights.sha256_file(shelf) in out
    assert "MIT" in out and "0.875" in out and "MB" in out and "tiny" in out


def test_a_changed_file_is_an_error(shelf: Path, mien: Callable) -> None:
    shelf.write_bytes(shelf.read_bytes() + b" ")
    done = mien("models")
    assert done.code == 5
    assert "must have SHA-256" in done.err


def test_the_shipped_models_are_listed(shipped_models: None, mien: Callable) -> None:
    listed = json.loads(mien("models", "--format", "json").out)
    assert {model["kind"] for model in listed} == {"detector", "expression", "landmarks"}
    assert all(model["results"] for model in listed if model["kind"] != "detector")
