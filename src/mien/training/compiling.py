"""Whether torch.compile can do its work here, said before the work and in a line."""

from __future__ import annotations

import os
import shutil
import sys

from mien.errors import MienError, UsageError

USUAL = {"win32": "cl", "darwin": "clang++"}  # as torch chooses; g++ elsewhere
OFF = "leave compile off (--set compile=false)"


def check(device: str) -> None:
    """Refuse a processor without the C++ compiler that torch would call."""
    name = os.environ.get("CXX", USUAL.get(sys.platform, "g++"))
    if device == "cpu" and not shutil.which(name):
        raise UsageError(
            f"compile needs a C++ compiler, found no {name!r}; install one (Debian, Ubuntu: apt"
            f" install g++), name yours by the variable CXX, or {OFF}"
        )


def explain(error: BaseException) -> None:
    """Raise what torch.compile could not do as an error of ours; pass over any other."""
    from torch._dynamo.exc import TorchDynamoException

    if isinstance(error, TorchDynamoException):
        lines = str(error).split("\n")
        raise MienError(f"torch.compile failed: {lines[0]}; {OFF}") from error
