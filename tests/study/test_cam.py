from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

from tiny_training import save_checkpoint as save  # noqa: E402


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save(tmp_path / "best.safetensors")


def test_a_checkpoint_is_opened_with_its_own_shape(saved: Path) -> None:
    from mien.study.cam import open_network

    assert not open_network(saved).training


def test_a_checkpoint_of_another_kind_is_refused(tmp_path: Path) -> None:
    from mien.errors import DataError
    from mien.study.cam import open_network

    other = save(tmp_path / "landmarks.safetensors", task="landmarks")
    with pytest.raises(DataError, match="of a recipe with task 'landmarks'"):
        open_network(other)


def test_the_map_is_as_large_as_the_face(saved: Path) -> None:
    pytest.importorskip("captum")
    from mien.study.cam import grad_cam, open_network

    inputs = np.random.default_rng(0).normal(size=(2, 1, 16, 16)).astype(np.float32)
    found = grad_cam(open_network(saved), inputs, np.array([0, 3]))
    assert found.shape == (2, 16, 16) and found.min() >= 0 and found.max() in (0, 1)


def test_targets_are_found_by_name() -> None:
    from mien.expressions import EXPRESSIONS, EXPRESSIONS_7
    from mien.study.cam import columns

    mine = ("happiness", "contempt", "anger")
    head, found = columns(mine, np.array([2, 1]))
    assert head == "ferplus" and [EXPRESSIONS[at] for at in found] == ["anger", "contempt"]
    head, found = columns(("anger", "neutral"), np.array([0]))
    assert head == "fer2013" and [EXPRESSIONS_7[at] for at in found] == ["anger"]


def test_grain_is_taken_off_where_the_file_of_the_run_does_so(tmp_path: Path) -> None:
    from mien.networks.denoising import Denoise
    from mien.study.cam import open_network

    plain = open_network(save(tmp_path / "plain.safetensors"))
    other = open_network(save(tmp_path / "other.safetensors", denoise=True))
    grainy = torch.randn(2, 1, 48, 48)
    calm = Denoise()(grainy)
    torch.testing.assert_close(other(grainy)["ferplus"], plain(calm)["ferplus"])
    assert not torch.allclose(other(grainy)["ferplus"], plain(grainy)["ferplus"])


def test_without_captum_the_extra_is_named(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    from mien.errors import MissingExtraError
    from mien.study.cam import grad_cam, open_network

    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mien\[study\]'"):
        grad_cam(open_network(saved), np.zeros((1, 1, 16, 16), np.float32), np.zeros(1, np.int64))
