import json
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import models
from mien.networks.denoising import Denoise
from mien.networks.residual import ResidualNetwork
from mien.session import Metadata, Model
from mien.training.export import export
from mien.training.quantize import join_pools, quantize

FILTERS = 4


def faces(count: int, seed: int = 0) -> np.ndarray:
    """Make faces that differ as much as a network's answers should."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(count, 1, 4, 4))
    return np.kron(coarse, np.ones((12, 12))).astype(np.float32)


@pytest.fixture(params=[False, True], ids=["plain", "denoised"])
def filters(request: pytest.FixtureRequest) -> int:
    """How many convolutions there are before the first that makes features."""
    return FILTERS if request.param else 0


@pytest.fixture
def exported(filters: int, tmp_path: Path) -> Model:
    torch.manual_seed(0)
    heads = {"ferplus": 8, "fer2013": 7, "hidden": 2}
    network = ResidualNetwork(heads, widths=(8, 16), blocks=(1, 1), stem_stride=2)
    for _ in range(50):
        network(torch.from_numpy(faces(64)))  # statistics of what it will see
    with torch.no_grad():
        for head in network.heads.values():
            head.weight *= 20
    metadata = Metadata.from_json(json.dumps(models.expression_metadata(48)))
    module = torch.nn.Sequential(Denoise(), network) if filters else network
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
    assert "AveragePool" in {node.op_type for node in graph.graph.node}
    join_pools(graph.graph)
    assert "AveragePool" not in {node.op_type for node in graph.graph.node}
    session = onnxruntime.InferenceSession(graph.SerializeToString())
    found = session.run(["ferplus"], {exported.input_name: faces(50, 1)})[0]
    np.testing.assert_allclose(found, floats, atol=1e-4)


def only_ferplus() -> Metadata:
    """Describe a network with one head."""
    told = models.expression_metadata(48)
    outputs = [output for output in told["outputs"] if output["name"] == "ferplus"]
    return Metadata.from_json(json.dumps({**told, "outputs": outputs}))


def in_floats(path: Path) -> int:
    """Count the convolutions up to the first that an 8-bit one follows."""
    kinds = [node.op_type for node in onnx.load(path).graph.node]
    return kinds[: kinds.index("QuantizeLinear")].count("Conv")


def test_what_comes_before_the_first_features_stays_in_floats(
    exported: Model, filters: int
) -> None:
    assert in_floats(quantize(exported, faces(64)).path) == filters + 1


def test_a_filter_of_colours_stays_in_floats_too(tmp_path: Path) -> None:
    torch.manual_seed(0)
    network = ResidualNetwork({"ferplus": 8}, widths=(8, 16), blocks=(1, 1), channels=3)
    coloured = np.repeat(faces(64), 3, axis=1)
    module = torch.nn.Sequential(Denoise(), network)
    model = export(module, only_ferplus(), tmp_path / "model.onnx", coloured[:20])
    assert in_floats(quantize(model, coloured).path) == FILTERS + 1


class Computed(torch.nn.Conv2d):
    """A convolution whose weights are computed anew each time."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        weight = self.weight + 0.0 * images[0, 0, 0, 0]
        return torch.nn.functional.conv2d(images, weight, padding=1)


class Named(torch.nn.Sequential):
    """Layers whose answer has a name."""

    def forward(self, images: torch.Tensor) -> dict[str, torch.Tensor]:
        return {"ferplus": super().forward(images)}


def test_a_convolution_whose_weights_are_computed_is_no_obstacle(tmp_path: Path) -> None:
    pool = [torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()]
    network = Named(Computed(1, 8, 3), torch.nn.ReLU(), torch.nn.Conv2d(8, 8, 3), *pool)
    model = export(network, only_ferplus(), tmp_path / "model.onnx", faces(20))
    before = model.run(faces(20))["ferplus"]
    after = quantize(model, faces(64)).run(faces(20))["ferplus"]
    assert np.abs(before - after).mean() < 0.1 * before.std()


def test_weights_keep_to_seven_bits(exported: Model) -> None:
    model = quantize(exported, faces(64))
    stored = [onnx.numpy_helper.to_array(t) for t in onnx.load(model.path).graph.initializer]
    weights = [array for array in stored if array.dtype == np.int8 and array.ndim == 4]
    assert len(weights) >= 4
    assert all(np.abs(array.astype(int)).max() <= 64 for array in weights)


def test_a_face_of_one_tone_has_an_answer(exported: Model) -> None:
    blank = np.zeros((2, 1, 48, 48), np.float32)
    assert np.isfinite(exported.run(blank)["ferplus"]).all()
    assert np.isfinite(quantize(exported, faces(64)).run(blank)["ferplus"]).all()


def test_a_face_alone_is_answered_as_among_others(exported: Model) -> None:
    model = quantize(exported, faces(64))
    together = model.run(faces(9, 3))["ferplus"]
    for row in range(9):
        alone = model.run(faces(9, 3)[row : row + 1])["ferplus"][0]
        np.testing.assert_allclose(alone, together[row], atol=1e-5)
