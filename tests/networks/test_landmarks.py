import numpy as np
import torch

from mien.networks.landmarks import LandmarkNetwork
from mien.networks.residual import ResidualNetwork


def test_points_start_from_the_template_and_are_float32_under_autocast() -> None:
    template = np.arange(136, dtype=np.float32).reshape(68, 2) / 3
    trunk = ResidualNetwork({"points": 136, "face": 1}, widths=(8, 16), blocks=(1, 1), pool=3)
    with torch.no_grad():
        trunk.heads["points"].weight.zero_()
        trunk.heads["points"].bias.zero_()
    network = LandmarkNetwork(trunk, template, 48).eval()
    with torch.autocast("cpu", torch.bfloat16):
        points = network(torch.randn(2, 1, 48, 48))["points"]
    assert points.dtype == torch.float32
    np.testing.assert_array_equal(points[1].detach().numpy(), template)
