"""Pure functions of counts, labels and probabilities. A confusion has the truth in its rows."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.floating[Any]]

Z95 = 1.959963984540054
LEAST_LOG = -745.0


def softmax(logits: Floats) -> NDArray[np.float64]:
    """Turn logits (N, C) into probabilities."""
    wide = logits.astype(np.float64)
    powers = np.exp(wide - wide.max(axis=1, keepdims=True))
    shares: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return shares


def log_odds(logits: Floats) -> NDArray[np.float64]:
    """Give the log-odds (N, C) of each class against all others, exact where a softmax is 1.

    A logit that is infinite counts as that of the least number above 0.
    """
    classes = logits.shape[1]
    finite = np.nan_to_num(logits.astype(np.float64), posinf=-LEAST_LOG, neginf=LEAST_LOG)
    others = np.repeat(finite[:, None], classes, axis=1)
    others[:, np.arange(classes), np.arange(classes)] = -np.inf
    most = others.max(axis=2, keepdims=True)
    rest = most[:, :, 0] + np.log(np.exp(others - most).sum(axis=2))
    return np.asarray(finite - rest)


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
    return shares(np.diag(counts), counts.sum(axis=1))


def precisions(counts: Integers) -> NDArray[np.float64]:
    """Give the share right of each answer, nan for an answer that was never given."""
    return shares(np.diag(counts), counts.sum(axis=0))


def f1s(counts: Integers) -> NDArray[np.float64]:
    """Give F1 of each label, nan for one that occurs in neither truth nor prediction."""
    return shares(2 * np.diag(counts), counts.sum(axis=0) + counts.sum(axis=1))


def shares(parts: Any, wholes: Any) -> NDArray[np.float64]:
    """Divide, nan where the whole is 0; the whole is broadcast to the parts."""
    over, under = np.asarray(parts, np.float64), np.asarray(wholes, np.float64)
    empty = np.full(over.shape, np.nan)
    found: NDArray[np.float64] = np.divide(
        over, under, out=empty, where=np.broadcast_to(under != 0, over.shape)
    )
    return found


def balanced_accuracy(counts: Integers) -> float:
    """Average the recall of the labels that occur."""
    found = recalls(counts)
    return _mean(found[~np.isnan(found)])


def macro_f1(counts: Integers) -> float:
    """Average F1 over the labels that occur in truth or prediction."""
    found = f1s(counts)
    return _mean(found[~np.isnan(found)])


def reliability(probabilities: Floats, labels: Integers, bins: int = 15) -> NDArray[np.float64]:
    """Give each bin's mean confidence, share right and number of faces (B, 3).

    The bins go from the least sure to the surest and hold equally many faces; equal probabilities
    keep their order, and without as many faces as bins there are fewer. A label of -1 is one that
    no column stands for.
    """
    confidence = probabilities.max(axis=1).astype(np.float64)
    correct = probabilities.argmax(axis=1) == labels
    order = np.argsort(confidence, kind="stable")
    found = [
        (confidence[part].mean(), correct[part].mean(), len(part))
        for part in np.array_split(order, bins)
        if len(part)
    ]
    return np.array(found, np.float64).reshape(-1, 3)


def ece(probabilities: Floats, labels: Integers, bins: int = 15) -> float:
    """Measure how far the top probability (N, C) is from the share it is right.

    Bins and labels are those of `reliability`.
    """
    confidence, right, faces = reliability(probabilities, labels, bins).T
    return _ratio((faces * np.abs(right - confidence)).sum(), len(labels))


def risk_coverage(
    confidence: Floats, right: NDArray[np.bool_]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give coverages and the share wrong among the faces covered, the surest first.

    Equally sure faces (N,) are covered together: a step (K,) for each different confidence.
    """
    order = np.argsort(-confidence, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(confidence[order]) != 0, True)[: len(order)])
    wrong = np.cumsum(~right[order])[ends]
    return (ends + 1) / max(1, len(order)), wrong / (ends + 1)


def aurc(confidence: Floats, right: NDArray[np.bool_]) -> float:
    """Average the risk over all coverages; 0 is a model that is only unsure where it is wrong."""
    coverage, risk = risk_coverage(confidence, right)
    return float((np.diff(coverage, prepend=0) * risk).sum())


def kl(true: Floats, probabilities: Floats, least: float = 1e-6) -> NDArray[np.float64]:
    """Give the divergence (N,) in nats of probabilities (N, C) from true shares (N, C).

    A probability counts as at least `least`.
    """
    told = np.log(np.maximum(probabilities, least))
    terms = true * (np.log(np.where(true > 0, true, 1)) - told)
    found: NDArray[np.float64] = terms.sum(axis=1)
    return found


def lone_voter(votes: Floats) -> NDArray[np.float64]:
    """Give how often (N,) one voter says what most of the others say; votes (N, C) are counts.

    Where the others tie, the voter gets the share of having met one of them by chance.
    """
    right = np.zeros(len(votes))
    for one in range(votes.shape[1]):
        others = votes.astype(np.float64)
        others[:, one] -= 1
        top = others == others.max(axis=1, keepdims=True)
        right += votes[:, one] * top[:, one] / top.sum(axis=1)
    return shares(right, votes.sum(axis=1))


def nll(probabilities: Floats, labels: Integers) -> float:
    """Average the negative logarithm of the probability of each label."""
    chosen = probabilities[np.arange(len(labels)), labels].astype(np.float64)
    return _mean(-np.log(np.maximum(chosen, np.finfo(np.float64).tiny)))


def deviation(values: Floats) -> float | None:
    """Give the standard deviation of a sample; one value alone has none."""
    return float(np.std(values, ddof=1)) if len(values) > 1 else None


def bootstrap(
    values: Floats, rng: np.random.Generator, *, draws: int = 2000
) -> tuple[float, float]:
    """Give the 95 % percentile interval of the mean of values (N,)."""
    n = len(values)
    means = [float(values[rng.integers(0, n, n)].mean()) for _ in range(draws)]
    low, high = np.percentile(means, [2.5, 97.5]).tolist()
    return low, high


def resampled(
    counts: Integers, measure: Callable[[Integers], float], seed: int, rounds: int = 2000
) -> tuple[float, float]:
    """Give the 95 % percentile interval of a measure of a confusion, its faces drawn anew."""
    total = int(counts.sum())
    drawn = np.random.default_rng(seed).multinomial(total, counts.ravel() / total, rounds)
    values = [measure(one.reshape(counts.shape)) for one in drawn]
    low, high = np.percentile(values, [2.5, 97.5]).tolist()
    return low, high


def mcnemar(correct_a: NDArray[np.bool_], correct_b: NDArray[np.bool_]) -> float:
    """Give the exact two-sided p that two models err equally often on the same faces (N,)."""
    only_a = int((correct_a & ~correct_b).sum())
    only_b = int((correct_b & ~correct_a).sum())
    n, ways, tail = only_a + only_b, 1, 0
    for k in range(min(only_a, only_b) + 1):
        tail += ways
        ways = ways * (n - k) // (k + 1)
    return min(1.0, float(2 * tail / 2**n))


def sign_flip(
    correct_a: NDArray[np.bool_], correct_b: NDArray[np.bool_], groups: NDArray[Any]
) -> float:
    """Give the exact two-sided p that two models err equally often on groups of faces (N,).

    If they do, what sets them apart on a group, such as a subject's faces, might as well be the
    other way round: p is the share of all ways to turn the groups whose sum is as far from 0. With
    a face a group it is McNemar's.
    """
    gains = correct_a.astype(np.int64) - correct_b
    own = np.unique(groups, return_inverse=True)[1]
    sums = np.abs(np.rint(np.bincount(own, gains)).astype(np.int64))
    reach = int(sums.sum())
    law = np.zeros(2 * reach + 1)  # of the sum, from -reach to reach
    law[reach] = 1
    for size in sums[sums > 0].tolist():
        law = (np.roll(law, size) + np.roll(law, -size)) / 2
    far = np.abs(np.arange(-reach, reach + 1)) >= abs(int(gains.sum()))
    return min(1.0, float(law[far].sum()))


def paired_bootstrap(
    correct_a: NDArray[np.bool_],
    correct_b: NDArray[np.bool_],
    seed: int,
    rounds: int = 10_000,
    groups: NDArray[Any] | None = None,
) -> tuple[float, float]:
    """Give the 95 % percentile interval of a's share right less b's on the same faces (N,).

    Whole groups of faces (N,) are drawn where they are given, such as those of one subject.
    """
    gains = correct_a.astype(np.int64) - correct_b
    rng = np.random.default_rng(seed)
    if groups is None:
        # A sample of faces is told by how many gain, lose and tie: quick, and the same law.
        drawn = rng.multinomial(len(gains), [(gains == g).mean() for g in (1, -1, 0)], rounds)
        means = (drawn[:, 0] - drawn[:, 1]) / len(gains)
    else:
        _, own = np.unique(groups, return_inverse=True)
        sums, sizes = np.bincount(own, gains), np.bincount(own)
        times = rng.multinomial(len(sums), np.full(len(sums), 1 / len(sums)), rounds)
        means = (times @ sums) / (times @ sizes)
    low, high = np.percentile(means, [2.5, 97.5]).tolist()
    return low, high


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct p-values of a family of tests by Holm's method, in their order."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    corrected, worst = [0.0] * len(p_values), 0.0
    for place, test in enumerate(order):
        worst = max(worst, min(1.0, (len(p_values) - place) * p_values[test]))
        corrected[test] = worst
    return corrected


def _ratio(part: Any, whole: Any) -> float:
    return float(part) / float(whole) if whole else 0.0


def _mean(values: NDArray[np.float64]) -> float:
    return float(values.mean()) if len(values) else 0.0
