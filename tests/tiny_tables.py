"""Generated faces whose expression shows in one part of the face each."""

import numpy as np

import models
from mien.data.table import FaceTable

SIDE = 32
EXPRESSIONS = ("happiness", "fear")


def table(n: int = 24, *, people: int = 6, seed: int = 0, split: str = "") -> FaceTable:
    """Make grey faces: happiness has a bright mouth, fear a dark one; the eyes say the same."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    points = np.repeat(models.face_points(SIDE)[None], n, axis=0)
    images = rng.integers(110, 140, (n, SIDE, SIDE), dtype=np.uint8)
    tone = np.where(labels == 0, 230, 20).astype(np.uint8)[:, None, None]
    images[:, 21:27, 9:23] = tone
    return FaceTable(
        images=images,
        labels=labels,
        expressions=EXPRESSIONS,
        points_xy=points,
        subject=np.array([f"s{row // 2 % people}" if people else "" for row in range(n)]),
        sequence=np.full(n, ""),
        source_id=np.array([f"face-{row:03}" for row in range(n)]),
        split=np.full(n, split),
    )
