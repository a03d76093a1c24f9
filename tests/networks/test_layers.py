"""What is told of a network's layers, and the picture of it."""

from xml.etree import ElementTree

import pytest

torch = pytest.importorskip("torch")

from mien.errors import UsageError  # noqa: E402
from mien.networks import diagram, layers, registry  # noqa: E402
from mien.networks.layers import Layer  # noqa: E402

OWN = [name for name, entry in registry.NETWORKS.items() if not entry.hub]


@pytest.mark.parametrize("name", OWN)
def test_the_layers_hold_all_parameters_and_all_arithmetic(name: str) -> None:
    run = layers.run(name)
    assert sum(row.parameters for row in run.layers) == run.parameters
    assert sum(row.multiply_adds for row in run.layers) == run.multiply_adds
    assert run.parameters == registry.NETWORKS[name].parameters - registry.NETWORKS[name].statistics
    assert run.layers[-1].name == "heads.expression"


def test_multiply_adds_are_those_of_a_count_by_hand() -> None:
    found = {row.name: row for row in layers.run("two-layer-32").layers}
    assert found["body.0"] == Layer(
        "body.0", "convolution 5x5", (32, 28, 28), 832, 28 * 28 * 25 * 32
    )
    assert found["body.3"].multiply_adds == 10 * 10 * 25 * 32 * 64
    assert found["heads.expression"] == Layer("heads.expression", "dense", (7,), 11_207, 11_200)
    assert found["body.2"] == Layer("body.2", "max pool", (32, 14, 14), 0, 0)


def test_side_channels_and_classes_change_what_is_counted() -> None:
    run = layers.run("double", side=32, channels=3, classes=8)
    assert run.shape == (3, 32, 32)
    assert run.layers[0].parameters == 10 * 27 + 10
    assert run.layers[-1].shape == (8,)
    with pytest.raises(UsageError, match="side must be larger"):
        layers.run("triple", side=4)


def test_what_depends_on_weights_of_its_own_between_layers_is_counted() -> None:
    class Scaled(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.inner = torch.nn.Module()
            self.inner.scale = torch.nn.Parameter(torch.ones(3))
            self.inner.dense = torch.nn.Linear(3, 2)
            self.inner.forward = lambda x: self.inner.dense(x.mean((2, 3)) * self.inner.scale)

        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return self.inner(x) @ x.new_ones(2, 5)

    found, total = layers.measured(Scaled(), torch.zeros(1, 3, 4, 4))
    assert [(row.name, row.parameters) for row in found] == [("inner.dense", 8), ("inner", 3)]
    assert total == 3 * 2 + 2 * 5


def row(kind: str, *shape: int) -> Layer:
    return Layer(kind, kind, shape, 10, 100)


def test_layers_of_one_shape_share_a_box_and_gates_belong_to_their_maps() -> None:
    rows = [row("a", 8, 6, 6), row("gate", 8), row("b", 8, 6, 6), row("c", 4, 3, 3), row("d", 4)]
    found = diagram.blocks(rows)
    assert [box.shape for box in found] == [(8, 6, 6), (4, 3, 3), (4,)]
    assert found[0].kinds == ("a", "gate", "b") and found[0].parameters == 30


def test_in_a_long_network_all_of_a_side_share_a_box() -> None:
    rows = [row("a", 8 + i % 2, 48 >> i // 10, 48 >> i // 10) for i in range(30)]
    assert [box.shape[1] for box in diagram.blocks(rows)] == [48, 24, 12]


@pytest.mark.parametrize("name", OWN)
def test_a_picture_is_drawn_of_every_network(name: str) -> None:
    text = diagram.svg(layers.run(name))
    found = ElementTree.fromstring(text)
    boxes = found.findall("{http://www.w3.org/2000/svg}rect")[1:]
    assert 4 <= len(boxes) <= diagram.MOST + 1
    width, height = float(found.get("width")), float(found.get("height"))
    for box in boxes:
        x, y, w, h = (float(box.get(key)) for key in ("x", "y", "width", "height"))
        assert 0 <= x < x + w < width and 60 < y < y + h < height
    words = " ".join("".join(part.itertext()) for part in found)
    assert f"{name}: " in words and "multiply-adds" in words


@pytest.mark.parametrize(
    ("number", "text"),
    [(999, "999"), (1_234, "1.23 k"), (56_951, "57.0 k"), (471_000_000, "471 M")],
)
def test_numbers_are_shortened(number: int, text: str) -> None:
    assert diagram.short(number) == text
