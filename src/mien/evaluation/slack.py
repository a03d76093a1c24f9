"""By how much measures may differ where probabilities differ a little.

A face whose confidence lies next to the edge of a bin may fall on either side of it, and one next
to a threshold may pass it: what is counted there may differ by as many faces as lie so near.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.evaluation.receipts import DECIMALS, Receipt

LOOSE = 0.01
CROWDED = 2  # times as many faces may lie about a threshold as if they were spread evenly

Floats = NDArray[np.float64]


def slacks(told: Receipt, found: Receipt, gap: float) -> dict[str, Any]:
    """Give by how much each measure of probabilities may differ, shaped like the measure.

    `gap`: by how much the probabilities of the two differ at most, rounded as they are there.
    """
    moved = gap + 10.0**-DECIMALS
    rising = np.sort(told.probabilities.max(axis=1))
    n, result = len(rising), found.result
    bins = _bins(rising, [size for _, _, size in result["reliability"]], moved)
    # What must be reached depends on the regions said to be hidden, each by a threshold of its own.
    passing = _passing(n, moved) * (1 + len(result["hidden"]))
    fewest = result["certain"]["faces"] - passing
    of_certain = 2 * passing / fewest if fewest > 0 else math.inf
    few = max(LOOSE, 4 / n)  # two faces that change places move no average by more
    counted = zip(bins, result["reliability"], strict=True)
    return {
        "reliability": bins,
        "ece": min(few, moved + sum(of[1] * size for of, (_, _, size) in counted) / n),
        "risk_coverage": _risk(rising, result["risk_coverage"]["coverage"], moved, few),
        "votes": LOOSE,
        "certain": {
            "faces": passing,
            "share": passing / n,
            "accuracy": of_certain,
            "interval95": of_certain,
        },
        "hidden": {name: _hidden(of, n, moved) for name, of in result["hidden"].items()},
    }


def near(told: Any, found: Any, by: Any) -> bool:
    """Compare plain values; numbers may differ by `by`, one for all or shaped like them."""
    if isinstance(told, dict) and isinstance(found, dict):
        of = by if isinstance(by, dict) else dict.fromkeys(told, by)
        alike = told.keys() == found.keys()
        return alike and all(near(told[name], found[name], of.get(name, 0)) for name in told)
    if isinstance(told, list) and isinstance(found, list):
        each = by if isinstance(by, list) else [by] * len(told)
        return len(told) == len(found) and all(map(near, told, found, each))
    if isinstance(told, int) and isinstance(found, int):
        return bool(abs(told - found) <= by)
    if isinstance(told, float) and isinstance(found, float):
        return bool(abs(told - found) <= by + 1e-9 * max(1.0, abs(told)))
    return bool(told == found) or (by == math.inf and None in (told, found))


def _bins(rising: Floats, sizes: list[float], moved: float) -> list[list[float]]:
    """Give for each bin by how much confidence, share right and number of faces may differ."""
    ends = np.cumsum([0, *sizes]).astype(int)
    crossing = np.zeros(len(ends))
    for place, end in enumerate(ends[1:-1], 1):
        below = int((rising[:end] >= rising[end] - 2 * moved).sum())
        above = int((rising[end:] <= rising[end - 1] + 2 * moved).sum())
        crossing[place] = min(below, above)  # as many leave a bin as come into it
    shares = (crossing[:-1] + crossing[1:]) / np.diff(ends)
    return [[moved, share, 0.0] for share in shares.tolist()]


def _risk(rising: Floats, coverage: list[float], moved: float, few: float) -> dict[str, Any]:
    n, falling = len(rising), rising[::-1]
    alike = np.searchsorted(rising, falling + 2 * moved, "right")
    alike -= np.searchsorted(rising, falling - 2 * moved, "left")
    risks = np.minimum(1, 2 * (alike - 1) / np.arange(1, n + 1))
    at = np.rint(np.array(coverage) * n).astype(int) - 1
    return {
        "aurc": min(few, float(risks.mean())),
        "coverage": ((alike[at] - 1) / n).tolist(),
        "right": risks[at].tolist(),
    }


def _hidden(found: dict[str, Any], n: int, moved: float) -> dict[str, float]:
    of = {"reported": n, "recall": found["hidden_faces"], "false_alarms": found["visible_faces"]}
    return {name: _passing(faces, moved) / max(1, faces) for name, faces in of.items()}


def _passing(faces: int, moved: float) -> int:
    """Say how many faces may pass a threshold."""
    return max(1, math.ceil(2 * moved * CROWDED * faces))
