"""What is found in a photograph: faces, and the expressions they show."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien.errors import UsageError
from mien.geometry import Box


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """A face: its box, how sure the detector is of it, and its 68 points once they are known."""

    box_xyxy: Box
    score: float
    points_xy: NDArray[np.float32] | None = field(default=None, repr=False)
    faceness: float | None = None

    def __post_init__(self) -> None:
        _check_box(self.box_xyxy)
        _check_share("score", self.score)
        if self.faceness is not None:
            _check_share("faceness", self.faceness)
        if self.points_xy is not None:
            _check_points(self.points_xy)

    @property
    def area(self) -> float:
        """The area of the box in square pixels."""
        x0, y0, x1, y1 = self.box_xyxy
        return (x1 - x0) * (y1 - y0)


@dataclass(frozen=True, slots=True, eq=False)
class Prediction:
    """The expression a face shows, how probable each is, and what of the face is hidden.

    `hidden` is None where nobody knows: not every model says it.
    """

    face: Face
    expression: str
    probability: float
    probabilities: Mapping[str, float]
    hidden: tuple[str, ...] | None = None
    certain: bool = False

    def __post_init__(self) -> None:
        if self.expression not in self.probabilities:
            raise UsageError(
                f"expression must be one of {', '.join(self.probabilities)},"
                f" got {self.expression!r}"
            )
        for value in (self.probability, *self.probabilities.values()):
            _check_share("probability", value)

    @property
    def hidden_note(self) -> str:
        """Say for people what is hidden, or that nobody knows; nothing where nothing is."""
        if self.hidden is None:
            return "hidden: not known"
        return f"{' and '.join(self.hidden)} hidden" if self.hidden else ""

    def to_dict(self, *, points: bool = False) -> dict[str, Any]:
        """Give plain values for JSON; box and points in pixels, rounded to hundredths."""
        record: dict[str, Any] = {
            "box_xyxy": [round(value, 2) for value in self.face.box_xyxy],
            "score": round(self.face.score, 6),
            "expression": self.expression,
            "probability": round(self.probability, 6),
            "probabilities": {name: round(p, 6) for name, p in self.probabilities.items()},
            "hidden": None if self.hidden is None else list(self.hidden),
            "certain": self.certain,
        }
        if points:
            record["points_xy"] = _plain_points(self.face.points_xy)
        return record


def percent(share: float) -> str:
    """Write a share for people; only nothing is 0 % and only everything 100 %."""
    if 0 < share <= 0.005:
        return "<1%"
    return ">99%" if 0.995 <= share < 1 else f"{share:.0%}"


def _plain_points(points_xy: NDArray[np.float32] | None) -> list[list[float]] | None:
    if points_xy is None:
        return None
    return [[round(value, 2) for value in point] for point in points_xy.tolist()]


def _check_box(box_xyxy: Box) -> None:
    finite = len(box_xyxy) == 4 and all(math.isfinite(value) for value in box_xyxy)
    if not finite or box_xyxy[0] >= box_xyxy[2] or box_xyxy[1] >= box_xyxy[3]:
        raise UsageError(
            f"box_xyxy must be left, top, right, bottom with left < right and top < bottom,"
            f" got {box_xyxy}"
        )


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:
        raise UsageError(f"{name} must lie between 0 and 1, got {value}")


def _check_points(points_xy: NDArray[np.float32]) -> None:
    shape, kind = points_xy.shape, points_xy.dtype
    if shape != (68, 2) or kind != np.float32 or not np.isfinite(points_xy).all():
        raise UsageError(f"points_xy must be finite float32 (68, 2), got {kind} {shape}")
