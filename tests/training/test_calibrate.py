import numpy as np
import pytest

from mien import metrics
from mien.training import calibrate


def test_softmax_sums_to_one_and_survives_large_logits() -> None:
    probabilities = metrics.softmax(np.array([[1000.0, 0.0], [0.0, 0.0]]))
    np.testing.assert_allclose(probabilities, [[1, 0], [0.5, 0.5]])


def test_the_temperature_that_made_the_labels_is_found(rng: np.random.Generator) -> None:
    logits = rng.normal(0, 3, (20_000, 5))
    truth = metrics.softmax(logits / 1.7)
    labels = np.array([rng.choice(5, p=p) for p in truth])
    assert calibrate.fit_temperature(logits, labels) == pytest.approx(1.7, rel=0.06)


def test_answers_above_the_certain_threshold_are_right_often_enough() -> None:
    top = np.linspace(0.5, 1.0, 101)[:-1]
    probabilities = np.stack([top, 1 - top], 1)
    labels = np.where(np.arange(100) % 4 == 0, 1, 0)
    labels[60:] = 0  # right from 0.8 on, three of four below
    threshold = calibrate.certain_threshold(probabilities, labels, 0.95)
    kept = top >= threshold
    assert (labels[kept] == 0).mean() >= 0.95
    assert 40 <= kept.sum() < 60


def test_no_threshold_may_be_enough() -> None:
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2]])
    assert calibrate.certain_threshold(probabilities, np.array([1, 1])) == 1.0


def test_hardly_any_answer_is_too_few_to_be_sure_of() -> None:
    top = np.linspace(0.9, 0.6, 300)
    probabilities, labels = np.stack([top, 1 - top], 1), np.ones(300, np.int64)
    labels[:2] = 0
    assert calibrate.certain_threshold(probabilities, labels) == 1.0
    labels[:3] = 0
    assert calibrate.certain_threshold(probabilities, labels) < 0.9


def test_the_alarm_threshold_is_passed_by_the_stated_share(rng: np.random.Generator) -> None:
    logits = rng.normal(size=10_000)
    threshold = calibrate.alarm_threshold(logits, 0.05)
    assert (1 / (1 + np.exp(-logits)) > threshold).mean() == pytest.approx(0.05, abs=0.002)
