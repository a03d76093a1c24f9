"""What the outputs of a model say of faces: expressions, hidden regions, and what is certain."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mien import metrics
from mien.geometry import Floats
from mien.session import Output

CERTAIN = "certain"  # the threshold of an output; `certain_eyes` that with the eyes hidden


@dataclass(frozen=True, slots=True)
class Readings:
    """What a model reads off N faces, with C expressions and R regions; R may be 0.

    The softmax of the logits (N, C) are the probabilities.
    """

    logits: NDArray[np.float64]
    probabilities: NDArray[np.float64]
    hidden_probability: NDArray[np.float64]
    hidden: NDArray[np.bool_]
    certain: NDArray[np.bool_]


def hidden_regions(regions: Output | None, logits: Floats) -> tuple[Floats, NDArray[np.bool_]]:
    """Say of each region (N, R) how likely it is hidden, and whether it counts as hidden."""
    if regions is None:
        return logits, np.zeros(logits.shape, dtype=bool)
    probability = metrics.sigmoid(logits / regions.temperature)
    return probability, probability >= [regions.thresholds.get(o, 0.5) for o in regions.labels]


def certain_answers(
    output: Output, probabilities: Floats, regions: Sequence[str], hidden: NDArray[np.bool_]
) -> NDArray[np.bool_]:
    """Say which answers (N,) are certain, of probabilities (N, C) and hidden regions (N, R).

    With a region hidden fewer answers are right at the same probability, so it has a threshold of
    its own, if the model has one; of two the higher counts. From 1 on none is certain.
    """
    usual = output.thresholds.get(CERTAIN, np.inf)
    own = [output.thresholds.get(f"{CERTAIN}_{region}", usual) for region in regions]
    needed = np.where(hidden, own, -np.inf).max(axis=1, initial=-np.inf)
    needed[~hidden.any(axis=1)] = usual
    certain: NDArray[np.bool_] = (probabilities.max(axis=1) >= needed) & (needed < 1)
    return certain
