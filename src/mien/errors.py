"""The errors a user can cause, each with the exit code its command ends with.

MienError          1  anything below
├── UsageError         2  an argument or setting that cannot be meant
├── InputError         3  an image that cannot be read
├── DataError          4  the files of a data set
├── ModelError         5  a model file
├── OutputError        6  a result that cannot be written
└── MissingExtraError  7  a package that an extra installs
"""

from collections.abc import Iterable
from difflib import get_close_matches


class MienError(Exception):
    """Say what was expected, what was found and what to do."""

    exit_code: int = 1


class UsageError(MienError):
    exit_code = 2


class InputError(MienError):
    exit_code = 3


class DataError(MienError):
    exit_code = 4


class ModelError(MienError):
    exit_code = 5


class OutputError(MienError):
    exit_code = 6


class MissingExtraError(MienError):
    exit_code = 7

    def __init__(self, what: str, package: str, *extras: str) -> None:
        """Name the work, the package it needs and the extras of which each installs it."""
        released, cloned = (
            " or ".join(f"'{where}[{extra}]'" for extra in extras) for where in ("mien", ".")
        )
        super().__init__(f"{what} needs {package}: pip install {released} (in a clone: {cloned})")


def unknown_name(kind: str, name: str, known: Iterable[str]) -> str:
    """Word the message for a name that is none of the known ones; suggest the nearest."""
    names = sorted(known)
    if not names:
        return f"unknown {kind} {name!r}; there is none"
    near = get_close_matches(name, names, n=1)
    suggestion = f"; did you mean {near[0]!r}?" if near else "; expected one of"
    return f"unknown {kind} {name!r}{suggestion} ({', '.join(names)})"
