"""The landmark network: a residual trunk whose points start from the mean face."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn


class LandmarkNetwork(nn.Module):
    """Give points (N, 68, 2) in pixels of the input, and a logit (N, 1) that this is a face."""

    template: Tensor

    def __init__(self, trunk: nn.Module, template_xy: npt.NDArray[np.float32], side: int) -> None:
        super().__init__()
        self.trunk = trunk
        self.reach = side / 8
        self.register_buffer("template", torch.from_numpy(template_xy.copy()))

    def forward(self, x: Tensor) -> dict[str, Tensor]:
        outputs = self.trunk(x)
        # float32 whatever the trunk runs in: bfloat16 rounds a pixel number of 40 to quarters.
        offsets = outputs["points"].float().unflatten(1, (-1, 2))
        return {"points": self.template + offsets * self.reach, "face": outputs["face"]}
