from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")
pytest.importorskip("safetensors")

SHAPE = {
    "widths": (4, 8),
    "blocks": (1, 1),
    "stem_stride": 1,
    "excited_stages": 1,
    "dropout": 0.0,
    "pool": 1,
}


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    from mien.networks.residual import ResidualNetwork
    from mien.training import checkpoint
    from mien.training.expression import HEADS

    network = ResidualNetwork(HEADS, **SHAPE)
    path = tmp_path / "best.safetensors"
    recipe = {"task": "expression", "network": SHAPE}
    checkpoint.save(path, {"average": network.state_dict()}, {"recipe": recipe})
    return path


def test_a_checkpoint_is_opened_with_its_own_shape(saved: Path) -> None:
    from mien.study.cam import open_network

    assert not open_network(saved).training


def test_a_checkpoint_of_another_kind_is_refused(saved: Path, tmp_path: Path) -> None:
    from mien.errors import DataError
    from mien.study.cam import open_network
    from mien.training import checkpoint

    groups, _ = checkpoint.load(saved)
    other = tmp_path / "landmarks.safetensors"
    checkpoint.save(other, groups, {"recipe": {"task": "landmarks"}})
    with pytest.raises(DataError, match="no checkpoint of an expression network"):
        open_network(other)


def test_the_map_is_as_large_as_the_face(saved: Path) -> None:
    pytest.importorskip("captum")
    from mien.study.cam import grad_cam, open_network

    inputs = np.random.default_rng(0).normal(size=(2, 1, 16, 16)).astype(np.float32)
    found = grad_cam(open_network(saved), inputs, np.array([0, 3]))
    assert found.shape == (2, 16, 16) and found.min() >= 0 and found.max() in (0, 1)


def test_without_captum_the_extra_is_named(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from mien.errors import MissingExtraError
    from mien.study.cam import grad_cam, open_network

    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mien\[study\]'"):
        grad_cam(open_network(saved), np.zeros((1, 1, 16, 16), np.float32), np.zeros(1, np.int64))
