"""When a batch does not fit into memory: how large one may be."""

from __future__ import annotations

from collections.abc import Callable

import torch

_SIGNS = ("can't allocate memory", "not enough memory", "out of memory")


def is_exhausted(error: BaseException) -> bool:
    """Tell whether an error is torch's, CUDA's or Python's for lack of memory."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _SIGNS)


def fitting(attempt: Callable[[int], None], size: int) -> int:
    """Halve a batch size until an attempt with so many faces fits; 0 where even one does not."""
    while size > 1:
        size //= 2
        if _fits(attempt, size):
            return size
    return 0


def _fits(attempt: Callable[[int], None], size: int) -> bool:
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
    try:
        attempt(size)
    except (RuntimeError, MemoryError) as error:
        if not is_exhausted(error):
            raise
        return False
    return True


def advice(fits: int, processes: int = 1) -> str:
    """Word what to do about it."""
    if fits == 0:
        return "not even one face does; take a smaller network or side"
    return f"{fits * processes} faces fit: set batch_size = {fits * processes} (--batch-size)"
