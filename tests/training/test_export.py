import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

import models
from mien.errors import ModelError
from mien.networks.residual import ResidualNetwork
from mien.session import Metadata, open_model
from mien.training import export

HEADS = {"ferplus": 8, "fer2013": 7, "hidden": 2}


@pytest.fixture(scope="module")
def network() -> ResidualNetwork:
    torch.manual_seed(0)
    network = ResidualNetwork(HEADS, widths=(8, 16), blocks=(1, 1), stem_stride=2)
    network(torch.randn(8, 1, 48, 48))  # moves the batch statistics from where they start
    return network


@pytest.fixture(scope="module")
def metadata() -> Metadata:
    return Metadata.from_json(json.dumps(models.expression_metadata(48)))


@pytest.fixture(scope="module")
def exported(
    network: ResidualNetwork, metadata: Metadata, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    path = tmp_path_factory.mktemp("export") / "model.onnx"
    export.export(network, metadata, path, faces(20))
    return path


def faces(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 1, 48, 48)).astype(np.float32)


def test_the_file_answers_like_torch_for_any_batch(
    network: ResidualNetwork, exported: Path
) -> None:
    model = open_model(exported, kind="expression")
    with torch.inference_mode():
        wanted = network.eval()(torch.from_numpy(faces(7)))
    for name, rows in model.run(faces(7)).items():
        np.testing.assert_allclose(rows, wanted[name].numpy(), atol=1e-4)
    assert model.run(faces(1))["ferplus"].shape == (1, 8)


def test_the_file_stands_alone_and_holds_no_path_of_the_machine(exported: Path) -> None:
    assert list(exported.parent.iterdir()) == [exported]
    assert b"site-packages" not in exported.read_bytes()


def test_a_file_that_differs_from_torch_is_not_kept(
    network: ResidualNetwork,
    metadata: Metadata,
    exported: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def write_another(
        module: object, names: object, metadata: object, path: Path, _: object
    ) -> None:
        path.write_bytes(exported.read_bytes())

    monkeypatch.setattr(export, "_write", write_another)
    torch.manual_seed(1)
    other = ResidualNetwork(HEADS, widths=(8, 16), blocks=(1, 1), stem_stride=2)
    with pytest.raises(ModelError, match="must equal torch"):
        export.export(other, metadata, tmp_path / "model.onnx", faces(2))
    assert list(tmp_path.iterdir()) == []


def test_metadata_can_be_replaced(metadata: Metadata, exported: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(exported.read_bytes())
    export.rewrite_metadata(path, replace(metadata, name="renamed"))
    assert open_model(path, kind="expression").metadata.name == "renamed"
    assert onnx.load(path).graph == onnx.load(exported).graph
