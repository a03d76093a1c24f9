"""What a study measured, and what is found in it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

ENOUGH = 20  # faces of an expression, below which nothing is said of it by itself

Floats = NDArray[np.float64]
Pair = tuple[str, str]  # what the network was trained on, what it was tested on


class Estimate(NamedTuple):
    """A number and its interval."""

    value: float
    low: float
    high: float

    @property
    def is_settled(self) -> bool:
        """Tell whether the interval leaves out 0."""
        return self.low > 0 or self.high < 0


@dataclass(frozen=True, eq=False, kw_only=True)
class Outcome:
    """What was answered of N faces.

    right: for each pair (S, N), a row a seed, 1 where the answer is the truth. own: the pair that a
    condition is judged by. truth: (N,) places in `expressions`. subject: (N,), "" where unknown.
    """

    conditions: tuple[str, ...]
    trained: tuple[str, ...]
    expressions: tuple[str, ...]
    truth: NDArray[np.int64]
    subject: NDArray[np.str_]
    right: Mapping[Pair, Floats]
    own: Mapping[str, Pair]


@dataclass(frozen=True)
class Effect:
    """A condition: accuracy, and what it costs against the whole face.

    p: of sign flips of people, or McNemar's, corrected by Holm; None for several seeds.
    """

    condition: str
    accuracy: Estimate
    balanced: Estimate
    cost: Estimate
    p: float | None = None


@dataclass(frozen=True)
class Contrast:
    """How much more it costs to hide one part than another, over all faces or one expression's."""

    more: str
    less: str
    difference: Estimate


@dataclass(frozen=True)
class ForExpression:
    """An expression: how often it is found on whole faces, what each condition costs it.

    most: the part that costs most. ahead: by how much it does so of the next one.
    """

    expression: str
    faces: int
    accuracy: Estimate
    costs: Mapping[str, Estimate]
    most: str
    ahead: Estimate | None
    contrast: Estimate | None

    @property
    def has_enough(self) -> bool:
        """Tell whether there are faces enough to say anything of the expression by itself."""
        return self.faces >= ENOUGH

    @property
    def matters_most(self) -> str:
        """Name the part that matters most, and whether that is settled."""
        if not self.has_enough:
            return "too few faces"
        settled = self.ahead is None or self.ahead.is_settled
        return self.most if settled else f"{self.most}, not settled"


@dataclass(frozen=True, kw_only=True)
class Findings:
    """Everything that a report says in numbers.

    matrix, deviations: accuracies, and their standard deviations over seeds, None for one seed.
    """

    answer: str
    settled: bool
    faces: int
    people: int
    effects: tuple[Effect, ...]
    contrast: Contrast | None
    expressions: tuple[ForExpression, ...]
    trained: tuple[str, ...]
    conditions: tuple[str, ...]
    matrix: tuple[tuple[float, ...], ...]
    deviations: tuple[tuple[float | None, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return asdict(self)
