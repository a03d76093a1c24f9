"""Tiny model files with the metadata of real ones, so that no test needs a training."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from mien.expressions import EXPRESSIONS, EXPRESSIONS_7

# onnx writes newer files than onnxruntime reads unless told otherwise.
IR_VERSION, OPSET = 10, 18
REGIONS = ("eyes", "mouth")


def face_points(size: float = 48.0) -> NDArray[np.float32]:
    """Lay 68 points on a square of the given side the way a frontal face lies (68, 2)."""

    def arc(centre_xy: tuple[float, float], radii_xy: tuple[float, float], degrees: Any) -> Any:
        turn = np.radians(degrees)
        return np.array(centre_xy) + np.array(radii_xy) * np.stack([np.cos(turn), np.sin(turn)], 1)

    closed = np.arange(6) * 60.0 + 180.0
    parts = [
        arc((0.5, 0.45), (0.42, 0.5), np.linspace(180, 0, 17)),
        arc((0.3, 0.34), (0.14, 0.08), np.linspace(200, 340, 5)),
        arc((0.7, 0.34), (0.14, 0.08), np.linspace(200, 340, 5)),
        np.stack([np.full(4, 0.5), np.linspace(0.38, 0.56, 4)], 1),
        arc((0.5, 0.58), (0.1, 0.04), np.linspace(180, 0, 5)),
        arc((0.31, 0.4), (0.08, 0.03), closed),
        arc((0.69, 0.4), (0.08, 0.03), closed),
        arc((0.5, 0.76), (0.16, 0.07), np.arange(12) * 30.0 + 180.0),
        arc((0.5, 0.76), (0.12, 0.03), np.arange(8) * 45.0 + 180.0),
    ]
    return np.concatenate(parts).astype(np.float32) * np.float32(size - 1)


def preparation(size: int = 48, **changes: Any) -> dict[str, Any]:
    """Describe the steps of the tiny expression model."""
    return {
        "align": "similarity-68",
        "crop": "template",
        "size_hw": [size, size],
        "colour": "grey",
        "equalize": "none",
        "normalize": "per-image",
        "template_xy": face_points(size).tolist(),
        **changes,
    }


def output(name: str, kind: str, labels: Sequence[str], **thresholds: float) -> dict[str, Any]:
    return {
        "name": name,
        "kind": kind,
        "labels": list(labels),
        "temperature": 1.0,
        "prior": [],
        "thresholds": thresholds,
    }


def metadata(kind: str, size: int, outputs: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "format": 1,
        "kind": kind,
        "name": f"tiny-{kind}",
        "size_hw": [size, size],
        "preparation": preparation(size),
        "outputs": list(outputs),
        "trained_on": [{"data_set": "none", "licence": "none", "redistribution": "free"}],
        "recipe_sha256": "0" * 64,
        "results": {},
        "extra": {},
    }


def expression_metadata(size: int = 48) -> dict[str, Any]:
    """Describe the tiny expression model; change it and hand it to `expression_model`."""
    outputs = [
        output("ferplus", "expression", EXPRESSIONS, certain=0.5),
        output("fer2013", "expression", EXPRESSIONS_7, certain=0.5),
        output("hidden", "regions", REGIONS, eyes=0.5, mouth=0.5),
    ]
    return metadata("expression", size, outputs)


def landmark_metadata(size: int = 64) -> dict[str, Any]:
    """Describe the tiny landmark model; change it and hand it to `landmark_model`."""
    outputs = [output("points", "points", ()), output("face", "face", ["face"], face=0.5)]
    fields = metadata("landmarks", size, outputs)
    fields["extra"] = {"box_side": 1.2, "box_dx": 0.0, "box_dy": 0.0}
    return fields


def expression_model(
    path: Path, *, size: int = 48, seed: int = 0, fields: Mapping[str, Any] | None = None
) -> Path:
    """Write a linear model of the pixels with three outputs of logits."""
    rng = np.random.default_rng(seed)
    heads = {"ferplus": 8, "fer2013": 7, "hidden": 2}
    layers = {
        name: (rng.normal(0, 0.05, (size * size, n)), np.zeros(n)) for name, n in heads.items()
    }
    return write(path, size, layers, fields or expression_metadata(size))


def landmark_model(path: Path, *, size: int = 64, fields: Mapping[str, Any] | None = None) -> Path:
    """Write a model that sees the same upright face in every crop, whatever the pixels are."""
    layers = {
        "points": (np.zeros((size * size, 136)), face_points(size).ravel()),
        "face": (np.zeros((size * size, 1)), np.full(1, 3.0)),
    }
    return write(path, size, layers, fields or landmark_metadata(size))


def write(
    path: Path,
    size: int,
    layers: Mapping[str, tuple[NDArray[Any], NDArray[Any]]],
    fields: Mapping[str, Any] | None,
    channels: int = 1,
) -> Path:
    """Write one linear layer an output; without fields the file carries no metadata."""
    nodes = [helper.make_node("Flatten", ["images"], ["pixels"])]
    constants, values = [], []
    for name, (weight, bias) in layers.items():
        constants += [constant(f"{name}_weight", weight), constant(f"{name}_bias", bias)]
        points = name == "points"
        row = f"{name}_row" if points else name
        nodes.append(helper.make_node("Gemm", ["pixels", f"{name}_weight", f"{name}_bias"], [row]))
        if points:
            constants.append(numpy_helper.from_array(np.array([-1, 68, 2]), "points_shape"))
            nodes.append(helper.make_node("Reshape", [row, "points_shape"], [name]))
        shape = ["batch", 68, 2] if points else ["batch", bias.size]
        values.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
    images = helper.make_tensor_value_info(
        "images", TensorProto.FLOAT, ["batch", channels, size, size]
    )
    graph = helper.make_graph(nodes, "tiny", [images], values, constants)
    opsets = [helper.make_opsetid("", OPSET)]
    model = helper.make_model(graph, ir_version=IR_VERSION, opset_imports=opsets)
    if fields is not None:
        helper.set_model_props(model, {"mien": json.dumps(fields)})
    onnx.checker.check_model(model)
    onnx.save(model, path)
    return path


def constant(name: str, values: NDArray[Any]) -> TensorProto:
    return numpy_helper.from_array(values.astype(np.float32), name)
