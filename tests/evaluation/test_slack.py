"""What may differ between two processors, and what may not."""

import json
from dataclasses import replace

import numpy as np
import pytest

from mien.evaluation import Receipt
from mien.evaluation.answers import Answers
from mien.evaluation.measures import result
from mien.evaluation.slack import near, slacks
from mien.occlusion.regions import REGIONS
from tiny_receipts import tiny_receipt
from tiny_tables import table

N = 400
MEASURES = ("reliability", "ece", "risk_coverage", "certain", "hidden")


def receipt(rng: np.random.Generator, noise: float) -> Receipt:
    """Measure answers whose probabilities were rounded otherwise by a little."""
    fixed = np.random.default_rng(1)
    doubt = np.where(fixed.random(N) < 0.3, 10 ** -fixed.uniform(4, 9, N), 0.45 * fixed.random(N))
    sure = 1 - doubt * (1 + rng.uniform(-noise, noise, N))
    probabilities = np.stack([sure, 1 - sure], axis=1)
    truth, zeros = (fixed.random(N) > sure.round(2)).astype(int), np.zeros(N, int)
    found = Answers(
        faces=table(N),
        labels=("happiness", "fear"),
        truth=truth,
        predicted=zeros,
        probabilities=probabilities,
        certain=sure >= 0.8,
        regions=tuple(REGIONS),
        reported=np.stack([sure >= 0.7, sure >= 0.9], axis=1),
        covered=np.tile([1.0, 0.0], (N, 1)),
        condition={"occluder": "none", "seed": 0},
        shared={},
    )
    made = tiny_receipt(truth, zeros, labels=found.labels)
    measured = json.loads(json.dumps(result(found, {}, "0" * 64).to_dict()))
    return replace(made, probabilities=probabilities.round(4), result=measured)


@pytest.mark.parametrize("noise", [1e-6, 1e-4, 3e-3])
def test_measures_of_answers_rounded_otherwise_are_near(noise: float) -> None:
    told = receipt(np.random.default_rng(0), 0)
    for seed in range(20):
        found = receipt(np.random.default_rng(seed), noise)
        gap = float(np.abs(told.probabilities - found.probabilities).max())
        slack = slacks(told, found, gap)
        for name in MEASURES:
            assert near(told.result[name], found.result[name], slack[name]), name


def test_an_answer_may_turn_uncertain_as_a_region_turns_hidden() -> None:
    told, found = (receipt(np.random.default_rng(0), 0) for _ in range(2))
    found.result["certain"]["faces"] -= 1 + len(REGIONS)
    slack = slacks(told, found, 0.0)["certain"]["faces"]
    assert near(told.result["certain"]["faces"], found.result["certain"]["faces"], slack)


@pytest.mark.parametrize(
    "path",
    [("certain", "faces"), ("certain", "share"), ("ece",), ("risk_coverage", "aurc")],
)
def test_measures_made_better_by_hand_are_not_near(path: tuple[str, ...]) -> None:
    told, found = (receipt(np.random.default_rng(0), 0) for _ in range(2))
    slack, inner = slacks(told, found, 0.0), told.result
    for key in path[:-1]:
        inner = inner[key]
    assert near(told.result[path[0]], found.result[path[0]], slack[path[0]])
    inner[path[-1]] += 20 if path[-1] == "faces" else 0.05
    assert not near(told.result[path[0]], found.result[path[0]], slack[path[0]])
