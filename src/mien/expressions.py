"""The canonical expressions, and the check that a data set's labels all have one."""

from collections.abc import Iterable, Mapping
from typing import TypeVar

from mien.errors import DataError

EXPRESSIONS = (
    "neutral",
    "happiness",
    "surprise",
    "sadness",
    "anger",
    "disgust",
    "fear",
    "contempt",
)
EXPRESSIONS_7 = tuple(name for name in EXPRESSIONS if name != "contempt")

Label = TypeVar("Label", int, str)


def check_mapping(
    data_set: str, mapping: Mapping[Label, str | None], found_labels: Iterable[Label]
) -> None:
    """Check that every label found in a data set has a canonical expression.

    A mapping to None says that the label is known and carries no expression (FER+'s `unknown`).
    """
    strange = sorted({name for name in mapping.values() if name} - set(EXPRESSIONS))
    if strange:
        raise DataError(
            f"{data_set} maps to {', '.join(strange)}; expected canonical expressions:"
            f" {', '.join(EXPRESSIONS)}"
        )
    unmapped = sorted(set(found_labels) - set(mapping))
    if unmapped:
        raise DataError(
            f"{data_set} has the label {', '.join(map(repr, unmapped))}; expected one of"
            f" {', '.join(map(repr, mapping))}: correct the file or complete the mapping"
        )
