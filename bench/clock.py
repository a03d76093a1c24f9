"""Times of works side by side."""

import time
from collections.abc import Callable, Mapping

Work = Callable[[], object]


def best_of(works: Mapping[str, Work], rounds: int) -> dict[str, float]:
    """Give the least seconds of each work over the rounds.

    They take turns, so that a slow moment of the machine meets all of them; a first round that
    does not count warms caches.
    """
    best = dict.fromkeys(works, float("inf"))
    for number in range(rounds + 1):
        for name, work in works.items():
            took = seconds(work)
            if number:
                best[name] = min(best[name], took)
    return best


def seconds(work: Work) -> float:
    """Time one run."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start
