"""Temperatures and thresholds, fitted on the public part with the exported file."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from mien.metrics import softmax

Logits = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.int64]

GRID = np.exp(np.linspace(np.log(0.3), np.log(4.0), 400))
CERTAIN_ACCURACY = 0.95
LEAST = 0.01  # share of the answers: fewer than that are right by chance
FALSE_ALARMS = 0.05


def fit_temperature(logits: Logits, labels: Labels) -> float:
    """Find the temperature under which the labels are likeliest (Guo et al., arXiv 1706.04599)."""
    rows = np.arange(len(labels))
    losses = [-np.log(softmax(logits / t)[rows, labels] + 1e-12).mean() for t in GRID]
    return round(float(GRID[int(np.argmin(losses))]), 4)


def certain_threshold(
    probabilities: npt.NDArray[np.float64], labels: Labels, accuracy: float = CERTAIN_ACCURACY
) -> float:
    """Find the lowest top probability from which on answers are right in that share of cases.

    Gives 1, which makes none certain, where no threshold reaches it or hardly any answer passes.
    """
    top, right = probabilities.max(1), probabilities.argmax(1) == labels
    order = np.argsort(-top, kind="stable")
    share = np.cumsum(right[order]) / np.arange(1, len(order) + 1)
    reached = np.flatnonzero(share >= accuracy)
    if not len(reached) or reached[-1] + 1 < LEAST * len(order):
        return 1.0
    return round(float(top[order][reached[-1]]) + 5e-5, 4)


def alarm_threshold(logits: Logits, false_alarms: float = FALSE_ALARMS) -> float:
    """Find the probability that this share of faces with nothing hidden exceeds."""
    quantile = float(np.quantile(logits.astype(np.float64), 1 - false_alarms))
    return round(float(1 / (1 + np.exp(-quantile))), 4)
