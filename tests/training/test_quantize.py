import json
from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import models
from mien.networks.denoising import Denoised
from mien.networks.residual import ResidualNetwork
from mien.session import Metadata, Model
from mien.training.export import export
from mien.training.quantize import join_pools, quantize


def faces(count: int, seed: int = 0) -> np.ndarray:
    """Make faces that differ as much as a network's answers should."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(count, 1, 4, 4))
    return np.kron(coarse, np.ones((12, 12))).astype(np.float32)


@pytest.fixture(params=[False, True], ids=["plain", "denoised"])
def exported(request: pytest.FixtureRequest, tmp_path: Path) -> Model:
    torch.manual_seed(0)
    heads = {"ferplus": 8, "fer2013": 7, "hidden": 2}
    network = ResidualNetwork(heads, widths=(8, 16), blocks=(1, 1), stem_stride=2)
    for _ in range(50):
        network(torch.from_numpy(faces(64)))  # statistics of what it will see
    with torch.no_grad():
        for head in network.heads.values():
            head.weight *= 20
    metadata = Metadata.from_json(json.dumps(models.expression_metadata(48)))
    module = Denoised(network) if request.param else network
    return export(module, metadata, tmp_path / "model.onnx", faces(20))


def test_a_file_of_integers_is_smaller_and_answers_alike(exported: Model) -> None:
    floats, before = exported.run(faces(200, 1))["ferplus"], exported.path.stat().st_size
    model = quantize(exported, faces(64))
    integers = model.run(faces(200, 1))["ferplus"]
    assert model.path == exported.path
    assert model.metadata == exported.metadata
    assert model.path.stat().st_size < before
    assert (floats.argmax(1) == integers.argmax(1)).mean() > 0.9
    assert np.abs(floats - integers).mean() < 0.1 * floats.std()


def test_an_average_before_a_convolution_becomes_part_of_it(exported: Model) -> None:
    floats = exported.run(faces(50, 1))["ferplus"]
    graph = onnx.load(exported.path)
    before = Counter(node.op_type for node in graph.graph.node)
    join_pools(graph.graph)
    left = Counter(node.op_type for node in graph.graph.node)
    of_the_filter = 2 if "Sqrt" in before else 0
    assert before["AveragePool"] > left["AveragePool"] == of_the_filter
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    found = session.run(["ferplus"], {exported.input_name: faces(50, 1)})[0]
    np.testing.assert_allclose(found, floats, atol=1e-4)


def test_what_comes_before_the_first_features_stays_in_floats(exported: Model) -> None:
    nodes = onnx.load(quantize(exported, faces(64)).path).graph.node
    convolutions = [list(node.input) for node in nodes if node.op_type == "Conv"]
    plain = [one for one in convolutions if not any("DequantizeLinear" in name for name in one)]
    filters = [node for node in nodes if node.op_type == "Sqrt"]
    assert len(plain) == (3 if filters else 1)
    first = next(at for at, node in enumerate(nodes) if "Quantize" in node.op_type)
    assert all(node.op_type != "Pad" for node in nodes[first:])


def test_weights_keep_to_seven_bits(exported: Model) -> None:
    model = quantize(exported, faces(64))
    stored = [onnx.numpy_helper.to_array(t) for t in onnx.load(model.path).graph.initializer]
    weights = [array for array in stored if array.dtype == np.int8 and array.ndim == 4]
    assert len(weights) >= 4
    assert all(np.abs(array.astype(int)).max() <= 64 for array in weights)


def test_a_face_alone_is_answered_as_among_others(exported: Model) -> None:
    model = quantize(exported, faces(64))
    together = model.run(faces(9, 3))["ferplus"]
    for row in range(9):
        alone = model.run(faces(9, 3)[row : row + 1])["ferplus"][0]
        np.testing.assert_allclose(alone, together[row], atol=1e-5)
