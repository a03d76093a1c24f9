"""What a reading or a preparation leaves out: images by name, with reasons, counted by class."""

import csv
from collections import Counter
from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

# Why an image that can be read is left out; whatever else is said of one, it cannot be read.
NO_FACE = "no face found"
NO_POINTS = "it has no points"
OUTSIDE = "its points lie outside the image: they are those of another"


@dataclass(frozen=True)
class Rejected:
    """One image left out; `expression` is empty where it has no label."""

    source_id: str
    expression: str
    reason: str

    @property
    def unreadable(self) -> bool:
        """Tell whether the image could not be read."""
        return self.reason not in (NO_FACE, NO_POINTS, OUTSIDE)


def by_class(rejected: Iterable[Rejected]) -> dict[str, int]:
    """Count them by expression."""
    return dict(Counter(one.expression for one in rejected))


def write_csv(path: Path, rejected: Iterable[Rejected]) -> None:
    """Write a line each under a header."""
    with path.open("w", encoding="utf-8", errors="backslashreplace", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(field.name for field in fields(Rejected))
        writer.writerows(map(astuple, rejected))
