from pathlib import Path

import pytest
import torch

from mien.networks.residual import ResidualNetwork
from mien.training.building import residual
from mien.training.expression import HEADS
from mien.training.landmarks import HEADS as LANDMARK_HEADS
from mien.training.recipe import read_recipe

RECIPES = Path(__file__).parents[2] / "recipes"


@pytest.mark.parametrize(
    ("name", "heads", "most"),
    [("expression", HEADS, 1_800_000), ("landmarks", LANDMARK_HEADS, 600_000)],
)
def test_shipped_networks_stay_small(name: str, heads: dict[str, int], most: int) -> None:
    network = residual(read_recipe(RECIPES / f"{name}.toml").network, heads)
    assert sum(p.numel() for p in network.parameters()) <= most


@pytest.mark.parametrize("side", [47, 48, 64])
def test_each_head_gives_a_row_a_face(side: int) -> None:
    network = ResidualNetwork({"a": 3, "b": 5}, widths=(8, 16), blocks=(1, 2), stem_stride=2)
    outputs = network(torch.zeros(2, 1, side, side))
    assert {name: tuple(rows.shape) for name, rows in outputs.items()} == {"a": (2, 3), "b": (2, 5)}


def test_in_evaluation_a_face_does_not_depend_on_its_batch() -> None:
    torch.manual_seed(0)
    network = ResidualNetwork({"a": 3}, widths=(8, 16), blocks=(1, 1)).eval()
    faces = torch.randn(5, 1, 48, 48)
    together, alone = network(faces)["a"], network(faces[3:4])["a"]
    torch.testing.assert_close(together[3:4], alone, atol=1e-5, rtol=0)
