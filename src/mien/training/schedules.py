"""Learning rates over a run."""

from __future__ import annotations

import math

from mien.training.settings import Optimizer


def learning_rate(settings: Optimizer, epoch: float, epochs: int, drops: int = 0) -> float:
    """Give the rate at a moment of a run, in epochs from its start.

    drops: how often a `plateau` has been met. One-cycle rises in a line and falls in a cosine;
    from `restart_epoch` on it falls once more, from `restart_rate`.
    """
    rate = settings.learning_rate
    match settings.schedule:
        case "cosine":
            return rate * _fall(epoch / epochs)
        case "step":
            return rate * settings.step_factor ** (int(epoch) // settings.step_epochs)
        case "plateau":
            return rate * settings.step_factor**drops
        case "constant":
            return rate
    restart, share = settings.restart_epoch, settings.warmup_share
    if restart and epoch >= restart:
        return settings.restart_rate * _fall((epoch - restart) / (epochs - restart))
    done = epoch / (restart or epochs)
    if done < share:
        return rate * max(done / share, 0.02)
    return rate * _fall((done - share) / (1 - share))


def _fall(done: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * min(done, 1.0)))
