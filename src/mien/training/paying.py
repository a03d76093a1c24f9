"""Eight-bit integers where they pay: a file much faster, whose answers are hardly worse."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np

from mien.errors import ModelError
from mien.files import write
from mien.session import Model, open_model
from mien.training.quantize import Inputs, quantize

LEAST_FASTER = 1.5  # times as fast as floats
MOST_LOST = 0.003  # of the accuracy; as much is too much
LEAST_ALIKE = 0.9  # of a network that is sure of anything; a mistake here costs far more
WARMING, ROUNDS = 10, 300


@dataclass(frozen=True)
class Trial:
    """What 8-bit integers were found to be worth.

    faster: times as fast as floats, one face on one core. lost: share of the faces held out that
    are right no more. alike: share of faces with the same answer. always: whether they are kept
    however little they gain. judged_on: other faces than those held out.
    """

    faster: float
    lost: float
    alike: float
    always: bool = False
    judged_on: str = ""

    @property
    def kept(self) -> bool:
        pays = self.faster >= LEAST_FASTER and self.lost < MOST_LOST
        return self.alike >= LEAST_ALIKE and (pays or self.always)

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for JSON."""
        return {
            "kept": self.kept,
            "times_as_fast": round(self.faster, 2),
            "points_lost": round(self.lost * 100, 2),
            "same_answers": round(self.alike, 4),
            **({"judged_on": self.judged_on} if self.judged_on else {}),
        }

    def __str__(self) -> str:
        asked = f"{LEAST_FASTER:g} times and under {MOST_LOST * 100:g} points are asked"
        end = "kept" if self.kept else f"the file stays in floats, for {asked}"
        of = f" of {self.judged_on}" if self.judged_on else ""
        return (
            f"8-bit integers are {self.faster:.2f} times as fast as floats and lose"
            f" {self.lost * 100:.2f} points{of}, {self.alike:.1%} of the answers are the same:"
            f" {end}"
        )


def quantize_if_it_pays(
    floats: Model,
    examples: Inputs,
    judged: Inputs,
    worth: Callable[[Model], float],
    *,
    always: bool = False,
) -> tuple[Model, Trial]:
    """Let a model's file compute in 8-bit integers, or leave it as it is; say what was found.

    examples, judged: float32 (N, C, H, W); see `quantize`. worth: the share of the faces held out
    that a model is right about. always: keep integers that gain little, but for those that answer
    otherwise, which are an error.
    """
    path, content = floats.path, floats.path.read_bytes()
    before, slow = worth(floats), _on_one_core(floats)
    integers = quantize(floats, examples)
    found = Trial(
        faster=times_as_fast(slow, _on_one_core(integers), judged[:1]),
        lost=before - worth(integers),
        alike=same_answers(floats, integers, judged),
        always=always,
    )
    if found.kept:
        return integers, found
    write(path, content)
    if always:
        raise ModelError(
            f"with 8-bit integers {LEAST_ALIKE:.0%} of the answers must stay, {found.alike:.1%} do;"
            " train longer, or set quantize = false in the recipe"
        )
    return open_model(path, kind=floats.metadata.kind), found


def times_as_fast(slow: Model, fast: Model, face: Inputs) -> float:
    """Give how many times as fast one model answers as another: the median of their turns."""
    took: dict[Model, list[float]] = {slow: [], fast: []}
    for _ in range(WARMING + ROUNDS):
        for model, seconds in took.items():
            start = time.perf_counter()
            model.run(face)
            seconds.append(time.perf_counter() - start)
    turns = zip(took[slow][WARMING:], took[fast][WARMING:], strict=True)
    return median(long / short for long, short in turns)


def same_answers(floats: Model, integers: Model, inputs: Inputs) -> float:
    """Give the share of inputs to which the first outputs of two models have one top answer."""
    name = floats.metadata.outputs[0].name
    wanted, given = (model.run(inputs)[name].argmax(1) for model in (floats, integers))
    return float(np.mean(wanted == given))


def _on_one_core(model: Model) -> Model:
    return open_model(model.path, kind=model.metadata.kind, threads=1)
