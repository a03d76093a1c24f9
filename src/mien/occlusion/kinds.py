"""What an occluder is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]  # (H, W) grey or (H, W, 3) RGB
Points = NDArray[np.floating[Any]]  # (68, 2) in pixels of the image, some perhaps outside it
Mask = NDArray[np.bool_]  # (H, W), the pixels that were painted over
Draw = Callable[[Image, Points, np.random.Generator], tuple[Image, Mask]]

STYLES = ("flat", "realistic")


@dataclass(frozen=True)
class Kind:
    """An occluder of the registry: what makes it, its style, and what it hides in words."""

    make: Callable[..., Draw]
    style: str
    doc: str
