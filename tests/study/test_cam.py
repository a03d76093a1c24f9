from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("safetensors")

import models  # noqa: E402
from mien.errors import DataError, MissingExtraError  # noqa: E402
from mien.expressions import EXPRESSIONS, EXPRESSIONS_7  # noqa: E402
from mien.networks import registry  # noqa: E402
from mien.preparation import Preparation  # noqa: E402
from mien.study.cam import Opened, columns, grad_cam, layer_of, open_network  # noqa: E402
from mien.training import checkpoint  # noqa: E402
from mien.training.labelled import LabelledTask  # noqa: E402
from mien.training.loop import train  # noqa: E402
from mien.training.material import gather  # noqa: E402
from mien.training.settings import Losses, NetworkSettings, Recipe  # noqa: E402
from tiny_training import LABELLED, labelled_faces  # noqa: E402
from tiny_training import save_checkpoint as save  # noqa: E402

OWN = [name for name in registry.names() if not registry.network(name).hub]


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    return save(tmp_path / "best.safetensors")


def made(network: Any, side: int) -> Opened:
    steps = Preparation((side, side), crop="whole")
    return Opened(Path("made"), network.eval(), {"expression": ("fear", "anger")}, steps)


def trained(folder: Path, recipe: Recipe) -> Path:
    """Train on a tiny set and give the checkpoint that is kept."""
    task = LabelledTask(gather(recipe, labelled_faces(folder / "faces")), recipe)
    return train(recipe, task, folder / "run", quiet=True)


def noise(side: int, faces: int = 1) -> Any:
    return np.random.default_rng(0).normal(size=(faces, 1, side, side)).astype(np.float32)


def test_a_checkpoint_is_opened_with_its_own_shape(saved: Path) -> None:
    opened = open_network(saved)
    assert not opened.network.training and opened.preparation.size_hw == (48, 48)


def test_a_checkpoint_of_another_kind_is_refused(tmp_path: Path) -> None:
    other = save(tmp_path / "landmarks.safetensors", task="landmarks")
    with pytest.raises(DataError, match="of a recipe with task 'landmarks'"):
        open_network(other)


def test_the_map_is_as_large_as_the_face(saved: Path) -> None:
    pytest.importorskip("captum")
    inputs, opened = noise(16, 2), open_network(saved)
    layer = layer_of(opened, inputs[:1], "ferplus")
    found = grad_cam(opened, inputs, np.array([0, 3]), layer=layer, head="ferplus")
    assert found.shape == (2, 16, 16) and found.min() >= 0 and found.max() in (0, 1)


@pytest.mark.parametrize("name", OWN)
def test_every_network_has_a_map_that_shows_parts_of_a_face(name: str) -> None:
    opened = made(registry.build(name, {"expression": 2}, side=48, channels=1), 48)
    layer = opened.network.get_submodule(layer_of(opened, noise(48), "expression"))
    shapes: list[tuple[int, ...]] = []
    layer.register_forward_hook(lambda _, __, output: shapes.append(tuple(output.shape)))
    opened.network(torch.from_numpy(noise(48)))
    assert shapes[0][2] == shapes[0][3] >= 6


def test_the_deepest_map_counts_that_no_shortcut_goes_around() -> None:
    sides = {"base": 48, "mini-xception": 64}
    found = {}
    for name, side in sides.items():
        opened = made(registry.build(name, {"expression": 2}, side=side, channels=1), side)
        found[name] = layer_of(opened, noise(side), "expression")
    assert found == {"base": "stages.4", "mini-xception": "blocks.2"}


class Odd(torch.nn.Module):
    """A network made of some layers and one output."""

    def __init__(self, *layers: Any) -> None:
        super().__init__()
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, x: Any) -> dict[str, Any]:
        return {"expression": self.layers(x).flatten(1)[:, :2]}


def test_a_map_that_pooling_only_enlarged_is_not_taken() -> None:
    nn = torch.nn
    layers = nn.Conv2d(1, 4, 3, padding=1), nn.MaxPool2d(16), nn.AdaptiveAvgPool2d(7)
    assert layer_of(made(Odd(*layers), 48), noise(48), "expression") == "layers.0"


def test_a_network_without_maps_is_refused() -> None:
    nn = torch.nn
    tokens = nn.Conv2d(1, 4, 4, 4), nn.Flatten(2), nn.Unflatten(2, (144, 1)), nn.Flatten(1, 2)
    for layers in ((*tokens, nn.LayerNorm(1)), (nn.Flatten(), nn.Linear(48 * 48, 2))):
        with pytest.raises(DataError, match="no map of 6x6 places or more"):
            layer_of(made(Odd(*layers), 48), noise(48), "expression")


@pytest.mark.parametrize("kind", ["cross-entropy", "binary"])
def test_a_run_on_any_set_is_explained_by_its_own_expressions_and_preparation(
    kind: str, tmp_path: Path
) -> None:
    pytest.importorskip("captum")
    network = NetworkSettings(name="triple")
    recipe = replace(LABELLED, epochs=1, losses=Losses(kind=kind), network=network)
    opened = open_network(trained(tmp_path, recipe).parent)
    assert opened.answers == {"expression": ("happiness", "fear")}
    assert opened.preparation.normalize == "unit"
    crops = np.random.default_rng(0).integers(0, 256, (2, 30, 30), dtype=np.uint8)
    inputs = opened.inputs(crops, Preparation((30, 30), crop="whole"))
    assert inputs.shape == (2, 1, 24, 24) and 0 <= inputs.min() and inputs.max() <= 1
    layer = layer_of(opened, inputs[:1], "expression")
    maps = grad_cam(opened, inputs, np.array([0, 1]), layer=layer, head="expression")
    assert maps.shape == (2, 24, 24) and np.isfinite(maps).all()


def test_an_older_checkpoint_of_any_set_asks_the_model_file_beside_it(tmp_path: Path) -> None:
    path = trained(tmp_path, replace(LABELLED, epochs=1))
    groups, state = checkpoint.load(path)
    del state["shown"]
    checkpoint.save(path, groups, state)
    with pytest.raises(DataError, match=r"put the model file of its run, tiny\.onnx, beside it"):
        open_network(path)
    output = models.output("expression", "expression", ("happiness", "fear"))
    weights = {"expression": (np.zeros((24 * 24, 2)), np.zeros(2))}
    fields = models.metadata("expression", 24, [output])
    models.write(path.with_name("tiny.onnx"), 24, weights, fields)
    opened = open_network(path)
    assert opened.answers == {"expression": ("happiness", "fear")}
    assert opened.preparation == Preparation.from_json(fields["preparation"])


def test_faces_that_are_equalised_already_are_not_equalised_again(saved: Path) -> None:
    steps = Preparation((48, 48), crop="whole", equalize="clahe")
    opened = replace(open_network(saved), preparation=steps)
    crops = np.random.default_rng(0).integers(0, 256, (1, 48, 48), dtype=np.uint8)
    np.testing.assert_array_equal(opened.inputs(crops, steps)[0, 0], crops[0])
    other = opened.inputs(crops, replace(steps, equalize="none"))
    assert (other[0, 0] != crops[0]).any()


def test_targets_are_found_by_name(saved: Path) -> None:
    opened = open_network(saved)
    mine = ("happiness", "contempt", "anger")
    head, found = columns(opened, mine, np.array([2, 1]))
    assert head == "ferplus" and [EXPRESSIONS[at] for at in found] == ["anger", "contempt"]
    head, found = columns(opened, ("anger", "neutral"), np.array([0]))
    assert head == "fer2013" and [EXPRESSIONS_7[at] for at in found] == ["anger"]
    few = replace(opened, answers={"expression": ("anger", "fear")})
    assert columns(few, mine, np.array([2]))[1].tolist() == [0]
    with pytest.raises(DataError, match="must know anger, contempt, which is to be explained"):
        columns(few, mine, np.array([1, 2]))


def test_grain_is_taken_off_where_the_file_of_the_run_does_so(tmp_path: Path) -> None:
    from mien.networks.denoising import Denoise

    plain = open_network(save(tmp_path / "plain.safetensors")).network
    other = open_network(save(tmp_path / "other.safetensors", denoise=True)).network
    grainy = torch.randn(2, 1, 48, 48)
    calm = Denoise()(grainy)
    torch.testing.assert_close(other(grainy)["ferplus"], plain(calm)["ferplus"])
    assert not torch.allclose(other(grainy)["ferplus"], plain(grainy)["ferplus"])


def test_without_captum_the_extra_is_named(saved: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "captum.attr", None)
    with pytest.raises(MissingExtraError, match=r"pip install 'mien\[study\]'"):
        grad_cam(open_network(saved), noise(16), np.zeros(1, np.int64), layer="", head="ferplus")
