"""Pure functions of counts, labels and probabilities. A confusion has the truth in its rows."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]

Z95 = 1.959963984540054


def softmax(logits: Floats) -> NDArray[np.float64]:
    """Turn logits (N, C) into probabilities."""
    wide = logits.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def sigmoid(logits: Floats) -> NDArray[np.float64]:
    """Turn logits of any shape into probabilities, each by itself."""
    return np.asarray(0.5 + 0.5 * np.tanh(logits / 2))


def confusion(labels: Integers, predicted: Integers, n: int) -> NDArray[np.int64]:
    """Count (n, n) faces by label and prediction, both from 0 to n - 1."""
    counts: NDArray[np.int64] = np.bincount(
        labels.astype(np.int64) * n + predicted, minlength=n * n
    )
    return counts.reshape(n, n)


def accuracy(counts: Integers) -> float:
    """Give the share on the diagonal."""
    return _ratio(np.trace(counts), counts.sum())


def wilson(correct: int, n: int) -> tuple[float, float]:
    """Give the 95 % interval of a proportion by Wilson's score; no face leaves it at 0 to 1."""
    if n == 0:
        return 0.0, 1.0
    share, z2 = correct / n, Z95**2
    centre = share + z2 / (2 * n)
    spread = Z95 * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return max(0.0, (centre - spread) / (1 + z2 / n)), min(1.0, (centre + spread) / (1 + z2 / n))


def recalls(counts: Integers) -> NDArray[np.float64]:
    """Give the share found of each label, nan for a label that no face has."""
    totals = counts.sum(axis=1)
    empty = np.full(len(counts), np.nan)
    found: NDArray[np.float64] = np.divide(np.diag(counts), totals, out=empty, where=totals > 0)
    return found


def balanced_accuracy(counts: Integers) -> float:
    """Average the recall of the labels that occur."""
    found = recalls(counts)
    return _mean(found[~np.isnan(found)])


def macro_f1(counts: Integers) -> float:
    """Average F1 over the labels that occur in truth or prediction."""
    either = counts.sum(axis=0) + counts.sum(axis=1)
    present = either > 0
    return _mean(2 * np.diag(counts)[present] / either[present])


def ece(probabilities: Floats, labels: Integers, bins: int = 15) -> float:
    """Measure how far the top probability (N, C) is from the share it is right.

    The bins hold equally many faces; equal probabilities keep their order. A label of -1 is one
    that no column stands for.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    order = np.argsort(confidence, kind="stable")
    gaps = [
        abs(float((correct[part] - confidence[part]).sum())) for part in np.array_split(order, bins)
    ]
    return _ratio(sum(gaps), len(labels))


def nll(probabilities: Floats, labels: Integers) -> float:
    """Average the negative logarithm of the probability of each label."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return _mean(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)))


def bootstrap(
    values: Floats, rng: np.random.Generator, *, draws: int = 2000
) -> tuple[float, float]:
    """Give the 95 % percentile interval of the mean of values (N,)."""
    n = len(values)
    means = [float(values[rng.integers(0, n, n)].mean()) for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5]).tolist()
    return low, high


def mcnemar(correct_a: NDArray[np.bool_], correct_b: NDArray[np.bool_]) -> float:
    """Give the exact two-sided p that two models err equally often on the same faces (N,)."""
    only_a = int((correct_a & ~correct_b).sum())
    only_b = int((correct_b & ~correct_a).sum())
    n, least = only_a + only_b, min(only_a, only_b)
    tail = sum(math.comb(n, k) for k in range(least + 1))
    return min(1.0, float(2 * tail / 2**n))


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
