"""Random numbers that belong to a face, whatever batch or process it lands in."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def _mix(x: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble 64-bit counters (the finaliser of SplitMix64, Steele et al. 2014)."""
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def face_keys(seed: int, epoch: int, faces: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    """Give one 64-bit key a face (N,) for this seed and epoch."""
    start = np.array([seed * 1_000_003 + epoch], dtype=np.uint64)
    with np.errstate(over="ignore"):
        return _mix(_mix(start * _GOLDEN) + faces.astype(np.uint64) * _GOLDEN)


def face_uniforms(keys: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.float64]:
    """Draw `count` numbers in [0, 1) for each key: (N, count)."""
    with np.errstate(over="ignore"):
        counters = keys[:, None] + (np.arange(1, count + 1, dtype=np.uint64) * _GOLDEN)[None]
        return (_mix(counters) >> np.uint64(11)).astype(np.float64) * 2.0**-53
