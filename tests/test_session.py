"""Opening model files: what is read from them, and how a wrong one is refused."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

import models
from mien import session, weights
from mien.errors import ModelError


def test_outputs_come_by_name_with_one_row_an_input(expression_path: Path) -> None:
    model = session.open_model(expression_path, kind="expression")
    found = model.run(np.zeros((3, 1, 48, 48), np.float32))
    assert {name: rows.shape for name, rows in found.items()} == {
        "ferplus": (3, 8),
        "fer2013": (3, 7),
        "hidden": (3, 2),
    }


def test_a_batch_changes_nothing(expression_path: Path, rng: np.random.Generator) -> None:
    model = session.open_model(expression_path, kind="expression", threads=1)
    inputs = rng.normal(size=(5, 1, 48, 48)).astype(np.float32)
    together = model.run(inputs)["ferplus"]
    alone = [model.run(inputs[i : i + 1])["ferplus"][0] for i in range(5)]
    np.testing.assert_allclose(together, alone, atol=1e-5)


def test_metadata_is_read_as_it_was_written(expression_path: Path) -> None:
    model = session.open_model(expression_path, kind="expression")
    written = models.expression_metadata()
    assert model.metadata.size_hw == (48, 48)
    assert model.metadata.preparation == written["preparation"]
    assert model.metadata.output("hidden").thresholds == {"eyes": 0.5, "mouth": 0.5}
    assert json.loads(model.metadata.to_json()) == written
    assert session.Metadata.from_json(model.metadata.to_json()) == model.metadata


def test_the_hash_of_the_opened_file_is_known(expression_path: Path) -> None:
    model = session.open_model(expression_path, kind="expression")
    assert model.sha256 == weights.sha256_file(expression_path)
    assert model.path == expression_path


def test_the_detector_takes_any_batch_and_size_that_its_stride_divides() -> None:
    model = session.open_model("centerface", kind="detector", threads=1)
    found = model.run(np.zeros((2, 3, 64, 96), np.float32))
    assert found["heatmap"].shape == (2, 1, 16, 24)
    assert found["landmarks"].shape == (2, 10, 16, 24)


def test_an_unknown_output_is_named_with_the_known_ones(expression_path: Path) -> None:
    model = session.open_model(expression_path, kind="expression")
    with pytest.raises(ModelError, match=r"'ferpluss'; did you mean 'ferplus'"):
        model.metadata.output("ferpluss")


@pytest.mark.parametrize(
    "inputs",
    [
        np.zeros((1, 1, 48, 47), np.float32),
        np.zeros((1, 3, 48, 48), np.float32),
        np.zeros((48, 48), np.float32),
        np.zeros((1, 1, 48, 48), np.float64),
    ],
)
def test_an_input_of_another_shape_is_refused(expression_path: Path, inputs: Any) -> None:
    model = session.open_model(expression_path, kind="expression")
    with pytest.raises(ModelError, match=r"takes float32 \(batch, 1, 48, 48\), got"):
        model.run(inputs)


def test_a_failure_inside_the_model_is_a_model_error() -> None:
    model = session.open_model("centerface", kind="detector", threads=1)
    with pytest.raises(ModelError, match="cannot be run"):
        model.run(np.zeros((1, 3, 64, 97), np.float32))


@pytest.mark.parametrize(
    "damage",
    [lambda content: b"", lambda content: b"hello", lambda content: content[: len(content) // 2]],
    ids=["empty", "text", "cut short"],
)
def test_a_file_that_is_not_whole_onnx_is_refused(
    tmp_path: Path, expression_path: Path, damage: Callable[[bytes], bytes]
) -> None:
    path = tmp_path / "broken.onnx"
    path.write_bytes(damage(expression_path.read_bytes()))
    with pytest.raises(ModelError, match=r"expected an ONNX file at .*broken\.onnx"):
        session.open_model(path, kind="expression")


def test_a_file_newer_than_onnxruntime_is_refused(tmp_path: Path, expression_path: Path) -> None:
    model = onnx.load(expression_path)
    model.ir_version = 99
    onnx.save(model, tmp_path / "newer.onnx")
    with pytest.raises(ModelError, match="IR version"):
        session.open_model(tmp_path / "newer.onnx", kind="expression")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"unknown model .*none\.onnx"):
        session.open_model(tmp_path / "none.onnx", kind="expression")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="expected a model file"):
        session.open_model(tmp_path, kind="expression")


def write(tmp_path: Path, **changes: Any) -> Path:
    """Write an expression model whose metadata differs; a change to None leaves the field out."""
    fields = {**models.expression_metadata(), **changes}
    kept = {name: value for name, value in fields.items() if value is not None}
    return models.expression_model(tmp_path / "model.onnx", fields=kept)


def test_a_file_without_metadata_is_refused(tmp_path: Path) -> None:
    layers = {"ferplus": (np.zeros((4, 8)), np.zeros(8))}
    path = models.write(tmp_path / "bare.onnx", 2, layers, None)
    with pytest.raises(ModelError, match="must carry metadata under the key 'mien', found none"):
        session.open_model(path, kind="expression")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"format": 2}, "expected format 1, found 2"),
        ({"format": None}, "expected format 1, found None"),
        ({"name": None}, "missing 1 required positional argument: 'name'"),
        ({"preparation": None, "results": None}, "'preparation' and 'results'"),
        ({"kind": "emotion"}, "unknown kind 'emotion'"),
        ({"surprise": 1}, "unexpected keyword argument 'surprise'"),
        ({"outputs": [{"name": "ferplus"}]}, "'kind' and 'labels'"),
        ({"outputs": [models.output("other", "expression", ["a"])]}, "must have an output 'other'"),
        ({"outputs": [models.output("ferplus", "expression", ["a"])]}, "its 1 labels, found 8"),
        ({"outputs": [{**models.output("ferplus", "x", []), "temperature": 0}]}, "must be > 0"),
    ],
)
def test_metadata_that_cannot_be_used_is_refused(
    tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(ModelError, match=message):
        session.open_model(write(tmp_path, **changes), kind="expression")


def test_metadata_that_is_no_object_is_refused(tmp_path: Path) -> None:
    path = models.expression_model(tmp_path / "model.onnx")
    model = onnx.load(path)
    model.metadata_props[0].value = "[1]"
    onnx.save(model, path)
    with pytest.raises(ModelError, match="expected an object, found list"):
        session.open_model(path, kind="expression")


def test_a_model_of_another_kind_is_refused(landmarks_path: Path) -> None:
    with pytest.raises(ModelError, match="kind 'expression', found 'landmarks'"):
        session.open_model(landmarks_path, kind="expression")


def test_a_provider_that_is_not_there_is_refused(expression_path: Path) -> None:
    with pytest.raises(ModelError, match=r"unknown provider 'warp'.*cpu"):
        session.open_model(expression_path, kind="expression", provider="warp")


def test_a_provider_that_falls_back_is_refused(
    expression_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fall_back(name: str) -> tuple[str, dict[str, str]]:
        return "CUDAExecutionProvider", {}

    monkeypatch.setattr(session, "_provider", fall_back)
    with pytest.warns(UserWarning), pytest.raises(ModelError, match="got CPUExecutionProvider"):
        session.open_model(expression_path, kind="expression", provider="cuda")


def test_a_hash_that_differs_is_refused_with_both_named(expression_path: Path) -> None:
    found = weights.sha256_file(expression_path)
    with pytest.raises(ModelError, match=f"must have SHA-256 {'0' * 64}, found {found}"):
        session.open_model(expression_path, kind="expression", sha256="0" * 64)


def test_a_shipped_file_that_was_changed_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tmp_path / "centerface.onnx"
    changed.write_bytes(weights.path_of("centerface").read_bytes() + b"\0")
    monkeypatch.setattr(weights, "FOLDER", tmp_path)
    with pytest.raises(ModelError, match=r"must have SHA-256 .*, found .* reinstall mien"):
        session.open_model("centerface", kind="detector")


def test_every_shipped_model_opens_under_its_pinned_hash(shipped_models: None) -> None:
    for entry in weights.list_models():
        model = session.open_model(entry.name, kind=entry.kind, threads=1)
        assert model.sha256 == entry.sha256
