"""Labels from FER+ votes, by the rules of the FER+ authors and by plain argmax.

Votes are (N, 10): the eight expressions in canonical order, `unknown` and `NF` (no face).
The rules of the authors first drop single votes:

majority                   the expression with more than half of the votes
probability, crossentropy  the top expressions until they hold 75 % of the votes, three at most
multi-target               every expression with at least 30 % of the votes
argmax                     the most votes, single ones counted; the first column wins a tie

The authors train on any of them and always score on `majority`.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError, unknown_name
from mien.expressions import EXPRESSIONS

Votes = NDArray[np.floating[Any]]
Shares = NDArray[np.float64]

EXPRESSION_COLUMNS = len(EXPRESSIONS)


def targets(votes: Votes, rule: str) -> Shares:
    """Give (N, 8) shares of the expressions, all zero for a face that the rule drops."""
    if rule not in _RULES:
        raise UsageError(unknown_name("rule", rule, RULES))
    chosen = _RULES[rule](np.asarray(votes, dtype=np.float64))
    top_is_expression = chosen.argmax(axis=1) < EXPRESSION_COLUMNS
    shares: Shares = np.where(top_is_expression[:, None], chosen[:, :EXPRESSION_COLUMNS], 0.0)
    shares /= np.maximum(shares.sum(axis=1, keepdims=True), 1e-12)
    return shares


def labels(votes: Votes, rule: str) -> NDArray[np.int64]:
    """Give (N,) indices into EXPRESSIONS, -1 for a face that the rule drops."""
    shares = targets(votes, rule)
    return np.where(shares.any(axis=1), shares.argmax(axis=1), -1)


def tied(votes: Votes) -> NDArray[np.bool_]:
    """Mark the faces (N,) on which two expressions have most of the expressions' votes."""
    of_expressions = votes[:, :EXPRESSION_COLUMNS]
    most = of_expressions.max(axis=1)
    winners = (of_expressions == most[:, None]).sum(axis=1)
    marked: NDArray[np.bool_] = (winners > 1) & (most > 0)
    return marked


def _majority(votes: Shares) -> Shares:
    votes = _without_single(votes)
    return np.where(votes > 0.5 * votes.sum(axis=1, keepdims=True), votes, 0.0)


def _probability(votes: Shares) -> Shares:
    left = _without_single(votes)
    total = left.sum(axis=1)
    chosen = np.zeros_like(left)
    taken, count = np.zeros(len(left)), np.zeros(len(left), dtype=int)
    for _ in range(3):
        going = (taken < 0.75 * total) & (count < 3)
        level = np.where(left == left.max(axis=1, keepdims=True), left, 0.0) * going[:, None]
        left[level > 0] = 0
        chosen += _without_late_unknown(chosen, level)
        count = (chosen > 0).sum(axis=1)
        ended = (level[:, EXPRESSION_COLUMNS:] > 0).any(axis=1)
        taken = np.where(ended, np.inf, taken + level.sum(axis=1))
    chosen[(chosen.sum(axis=1) <= 0.5 * total) | (count > 3)] = 0
    return chosen


def _multi_target(votes: Shares) -> Shares:
    votes = _without_single(votes)
    total = votes.sum(axis=1, keepdims=True)
    chosen = np.where(votes >= 0.3 * total, votes, 0.0)
    return np.where(chosen.sum(axis=1, keepdims=True) > 0.5 * total, chosen, 0.0)


def _argmax(votes: Shares) -> Shares:
    first = np.arange(votes.shape[1]) == votes.argmax(axis=1, keepdims=True)
    return np.where(first, votes, 0.0)


def _without_single(votes: Shares) -> Shares:
    return np.where(votes > 1, votes, 0.0)


def _without_late_unknown(chosen: Shares, level: Shares) -> Shares:
    """Drop `unknown` and `NF` from a level of equal votes when an expression came before."""
    late = chosen.any(axis=1) | level[:, :EXPRESSION_COLUMNS].any(axis=1)
    kept = level.copy()
    kept[late, EXPRESSION_COLUMNS:] = 0
    return kept


_RULES: dict[str, Callable[[Shares], Shares]] = {
    "majority": _majority,
    "probability": _probability,
    "crossentropy": _probability,
    "multi-target": _multi_target,
    "argmax": _argmax,
}
RULES = tuple(_RULES)
