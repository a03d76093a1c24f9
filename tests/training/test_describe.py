"""What an exported file is calibrated on."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

import models
from mien import metrics
from mien.data.table import FaceTable
from mien.expressions import EXPRESSIONS, EXPRESSIONS_7
from mien.readings import certain_answers, hidden_regions
from mien.session import Output, open_model
from mien.training.describe import CALIBRATED
from tiny_tables import table

N = 400
LABELS = {"ferplus": EXPRESSIONS, "fer2013": EXPRESSIONS_7}
RIGHT_FROM = {"": 0.6, "eyes": 0.7, "mouth": 0.9}  # by what is drawn over
TOP = np.linspace(0.5, 0.99, N)
STRAY = np.arange(N) % 20 == 0  # of these the model says the contrary, and is surely wrong


def logits(faces: FaceTable, labels: tuple[str, ...], drawn: str) -> npt.NDArray[Any]:
    """Answer with the probabilities TOP, rightly from the stated one on."""
    truth = np.array([labels.index(name) for name in faces.expression_names().tolist()])
    right = (TOP >= RIGHT_FROM[drawn]) & ~STRAY
    top = np.where(STRAY, 0.999, TOP)
    made = np.zeros((N, len(labels)))
    odds = np.log(top * (len(labels) - 1) / (1 - top))
    made[np.arange(N), np.where(right, truth, (truth + 1) % len(labels))] = odds
    return made


def answers(faces: FaceTable, drawn: str) -> dict[str, npt.NDArray[Any]]:
    said = np.stack([(drawn == region) ^ STRAY for region in models.REGIONS], axis=1)
    hidden = np.where(said, 3.0, np.linspace(-4, -3, N)[:, None])
    return {**{name: logits(faces, of, drawn) for name, of in LABELS.items()}, "hidden": hidden}


@pytest.fixture(scope="module")
def faces() -> FaceTable:
    found = table(N)
    votes = np.zeros((N, 10))
    places = [EXPRESSIONS.index(name) for name in found.expression_names().tolist()]
    votes[np.arange(N), places] = 10
    return replace(found, votes=votes)


def test_certain_answers_are_right_whatever_the_model_says_is_hidden(
    faces: FaceTable, expression_path: Path
) -> None:
    def answer(shown: npt.NDArray[np.uint8]) -> dict[str, npt.NDArray[Any]]:
        changed = (shown != faces.images).any(axis=(0, 2))
        drawn = "mouth" if changed[22:].any() else "eyes" if changed.any() else ""
        return answers(faces, drawn)

    raw = tuple(Output(name, "expression", labels) for name, labels in LABELS.items())
    model = open_model(expression_path, kind="expression")
    made = CALIBRATED["expression"](
        (*raw, Output("hidden", "regions", models.REGIONS)), answer, faces, model
    )
    *outputs, regions = made
    for drawn, limit in RIGHT_FROM.items():
        found = answers(faces, drawn)
        _, hidden = hidden_regions(regions, found["hidden"])
        for output in outputs:
            probabilities = metrics.softmax(found[output.name] / output.temperature)
            certain = certain_answers(output, probabilities, regions.labels, hidden)[~STRAY]
            expected = (TOP >= limit)[~STRAY]
            assert 0.95 <= expected.sum() / certain.sum() < 0.99
            assert certain[expected].all()
