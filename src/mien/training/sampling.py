"""Which faces an epoch shows, how often, and what each of them weighs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mien.data.augmented import DEGREES, SETS
from mien.errors import UsageError, unknown_name

Rows = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Copies:
    """The rows of a larger set: a face each (M,), turned by degrees (M,), then mirrored (M,)."""

    rows: Rows
    degrees: npt.NDArray[np.int64]
    mirrored: npt.NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.rows)

    def matrices(self, rows: Rows, width: int, height: int) -> npt.NDArray[np.float64]:
        """Give for rows (n,) the maps (n, 2, 3) from a face's pixels to those of its copy."""
        angle = -np.radians(self.degrees[rows])
        cosine, sine = np.cos(angle), np.sin(angle)
        linear = np.stack([np.stack([cosine, -sine], -1), np.stack([sine, cosine], -1)], -2)
        middle = np.array([(width - 1) / 2, (height - 1) / 2])
        offset = middle - linear @ middle
        mirrored = self.mirrored[rows]
        linear[mirrored, 0] *= -1
        offset[mirrored, 0] = width - 1 - offset[mirrored, 0]
        return np.concatenate([linear, offset[:, :, None]], axis=2)


def copies(labels: Rows, expressions: Sequence[str], name: str) -> Copies | None:
    """Make one of the SETS A to E of labels (N,), in the order of `mien.data.augmented`.

    None stands for the faces as they are.
    """
    if name not in SETS:
        raise UsageError(unknown_name("augmentation set", name, SETS))
    turning, mirroring = (np.isin(np.array(expressions), part)[labels] for part in SETS[name])
    if not mirroring.any():
        return None
    turned = np.flatnonzero(turning)
    rows = np.concatenate([np.arange(len(labels)), *(turned for _ in DEGREES)])
    degrees = np.repeat([0, *DEGREES], [len(labels), *(len(turned) for _ in DEGREES)])
    again = mirroring[rows]
    return Copies(
        np.concatenate([rows, rows[again]]),
        np.concatenate([degrees, degrees[again]]),
        np.repeat([False, True], [len(rows), int(again.sum())]),
    )


def class_weights(counts: Rows, kind: str, beta: float) -> npt.NDArray[np.float32]:
    """Give the weight of each class (C,) by its number of faces; over all faces they average 1.

    `inverse` of the number, or of the `effective` number (1 - beta^n) / (1 - beta).
    """
    if kind not in ("inverse", "effective"):
        return np.ones(len(counts), np.float32)
    number = counts.astype(np.float64)
    if kind == "effective":
        number = (1 - beta**number) / (1 - beta)
    weights = np.where(counts > 0, 1 / np.maximum(number, 1e-12), 0.0)
    return np.asarray(weights * counts.sum() / (weights * counts).sum(), np.float32)


def prior(counts: npt.NDArray[Any]) -> tuple[float, ...]:
    """Give the share of each class from how much it counted in training; none of them is 0."""
    shares = np.maximum(counts, 0.5)
    return tuple(round(float(share), 5) for share in shares / shares.sum())


def balanced(labels: Rows, rng: np.random.Generator) -> Rows:
    """Draw as many faces as there are labels (N,), all classes equally often, with replacement.

    A face drawn twice counts on by N, so that its views differ: `Source.originals` knows both.
    """
    _, own, counts = np.unique(labels, return_inverse=True, return_counts=True)
    chances = 1 / counts[own]
    drawn = rng.choice(len(labels), len(labels), p=chances / chances.sum())
    return np.asarray(drawn + len(labels) * np.arange(len(labels)), np.int64)
