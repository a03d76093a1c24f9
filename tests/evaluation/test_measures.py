"""What is measured of answers, against scikit-learn where it knows the measure."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn import metrics as reference

from mien.data.table import FaceTable
from mien.evaluation.answers import Answers
from mien.evaluation.measures import few_people, known_people, result
from mien.expressions import EXPRESSIONS, EXPRESSIONS_7
from mien.metrics import wilson


def answers(
    truth: NDArray[np.int64],
    probabilities: NDArray[np.float64],
    votes: NDArray[np.float64] | None = None,
    labels: tuple[str, ...] = EXPRESSIONS,
) -> Answers:
    n = len(truth)
    faces = FaceTable(
        images=np.zeros((n, 4, 4), np.uint8),
        labels=truth,
        expressions=labels,
        votes=votes,
        **{name: np.full(n, "") for name in ("subject", "sequence", "source_id", "split")},
    )
    return Answers(
        faces=faces,
        labels=labels,
        truth=truth,
        predicted=probabilities.argmax(axis=1),
        probabilities=probabilities,
        certain=probabilities.max(axis=1) > 0.6,
        regions=(),
        reported=np.zeros((n, 0), bool),
        covered=np.zeros((n, 2)),
        condition={"occluder": "none", "style": None, "severity": 1.0, "seed": 0},
        shared={},
    )


def measured(*arguments: Any, **protocol: Any) -> dict[str, Any]:
    return result(answers(*arguments), protocol, "0" * 64).to_dict()


def test_the_measures_of_a_result_equal_scikit_learn(rng: np.random.Generator) -> None:
    truth, told = rng.integers(0, 7, 400), rng.dirichlet(np.full(8, 0.4), 400)
    found, said = measured(truth, told), told.argmax(axis=1)
    seen = np.isin(said, truth)
    assert found["accuracy"] == pytest.approx(reference.accuracy_score(truth, said))
    assert found["macro_f1"] == pytest.approx(reference.f1_score(truth, said, average="macro"))
    balanced = reference.recall_score(truth, said, average="macro", labels=range(7))
    assert found["balanced_accuracy"] == pytest.approx(balanced)
    counts = reference.confusion_matrix(truth, said, labels=range(8))
    assert found["confusion"] == counts.tolist() and not seen.all()
    assert found["distribution"] == {
        "true": np.bincount(truth, minlength=8).tolist(),
        "answered": np.bincount(said, minlength=8).tolist(),
    }
    assert found["confusion_shares"][7] == [None] * 8
    assert sum(found["confusion_shares"][0]) == pytest.approx(1)


def test_an_expression_has_counts_shares_and_an_interval() -> None:
    told = np.eye(8)[[0, 0, 1, 1]]
    found = measured(np.array([0, 1, 1, 1]), told)["expressions"]
    assert list(found) == list(EXPRESSIONS)
    happiness = found["happiness"]
    assert (happiness["faces"], happiness["answered"]) == (3, 2)
    assert (happiness["recall"], happiness["precision"]) == (pytest.approx(2 / 3), 1)
    low, high = happiness["recall_interval95"]
    assert low < 2 / 3 < high
    assert found["fear"]["recall"] is None and found["fear"]["f1"] is None


def test_the_expression_found_least_is_named_with_its_faces() -> None:
    told = np.eye(8)[[0, 0, 1, 1, 0]]
    worst = measured(np.array([0, 0, 1, 1, 1]), told)["worst"]
    assert (worst["expression"], worst["faces"]) == ("happiness", 3)
    assert worst["recall"] == pytest.approx(2 / 3)
    assert worst["recall_interval95"] == wilson(2, 3)


def test_intervals_surround_their_measures(rng: np.random.Generator) -> None:
    truth, told = rng.integers(0, 8, 300), rng.dirichlet(np.full(8, 0.4), 300)
    told[np.arange(300), truth] += 0.3
    told /= told.sum(axis=1, keepdims=True)
    found = measured(truth, told)
    for name, of in (("balanced_accuracy", "balanced"), ("macro_f1", "macro_f1")):
        low, high = found[f"{of}_interval95"]
        assert low < found[name] < high
    assert found["subjects_interval95"] is None


def test_people_are_drawn_anew_where_they_are_known() -> None:
    told = np.eye(8)[[0] * 10 + [1] * 10]
    answered = answers(np.array([0, 1] * 5 + [1] * 10), told)
    subject = np.array(["p"] * 10 + ["q"] * 10)
    known = replace(answered, faces=replace(answered.faces, subject=subject))
    # p is read right half of the time, q always: other people may be like either.
    assert result(known, {}, "").subjects_interval95 == (0.5, 1)


def test_reliability_and_calibration_error_tell_the_same(rng: np.random.Generator) -> None:
    found = measured(rng.integers(0, 8, 90), rng.dirichlet(np.full(8, 0.4), 90))
    bins = np.array(found["reliability"])
    error = (bins[:, 2] * np.abs(bins[:, 0] - bins[:, 1])).sum() / 90
    assert bins.shape == (15, 3) and found["ece"] == pytest.approx(error)


def test_risk_falls_where_the_unsure_answers_are_wrong() -> None:
    sure, unsure = [0.9] + [0.1 / 7] * 7, [0.3] + [0.1] * 7
    found = measured(np.array([0] * 15 + [1] * 5), np.array([sure] * 15 + [unsure] * 5))
    curve = found["risk_coverage"]
    assert curve["right"][-1] == 0.75 and curve["coverage"][-1] == 1
    assert curve["right"][0] == 1 and curve["coverage"][0] == 0.75  # equally sure ones together
    assert curve["aurc"] == pytest.approx(0.25 * 0.25)


def votes(*rows: dict[str, int]) -> NDArray[np.float64]:
    """Make votes (N, 10) from counts by name."""
    names = [*EXPRESSIONS, "unknown", "NF"]
    return np.array([[row.get(name, 0) for name in names] for row in rows], np.float64)


def test_people_who_voted_are_the_measure_of_the_model() -> None:
    given = votes({"neutral": 8, "sadness": 2}, {"happiness": 5, "neutral": 4, "NF": 1})
    told = np.full((2, 8), 0.02)
    told[:, 0] = 0.86  # neutral, both times
    found = measured(np.array([0, 1]), told, given)["votes"]
    assert found["faces"] == 2
    assert found["agree"] == pytest.approx((8 + 4) / 2)
    assert found["agree_at_most"] == pytest.approx((8 + 5) / 2)
    assert found["voter"] == pytest.approx((0.8 + 0.5) / 2)
    assert found["ties"] == 0 and 0 < found["lone_voter"] < 1
    first = 0.8 * np.log(0.8 / 0.86) + 0.2 * np.log(0.2 / 0.02)
    second = 5 / 9 * np.log(5 / 9 / 0.02) + 4 / 9 * np.log(4 / 9 / 0.86)
    assert found["kl"] == pytest.approx((first + second) / 2)


def test_votes_for_what_the_model_cannot_say_are_left_out_of_the_divergence() -> None:
    told = np.eye(7)[[0]] * 0.93 + 0.01
    given = votes({"neutral": 5, "contempt": 5})
    found = measured(np.array([0]), told, given, EXPRESSIONS_7)["votes"]
    assert found["kl"] == pytest.approx(-np.log(0.94))
    assert found["agree"] == 5 and found["ties"] == 1


def test_faces_nobody_voted_on_are_not_held_against_votes() -> None:
    told = np.eye(8)[[0, 1]]
    given = votes({"neutral": 10}, {})
    assert measured(np.array([0, 1]), told, given)["votes"]["faces"] == 1
    assert measured(np.array([0, 1]), told, votes({}, {}))["votes"] is None
    assert measured(np.array([0, 1]), told)["votes"] is None


def test_a_result_says_how_it_is_without_copies_of_training_faces() -> None:
    answered = answers(np.array([0, 1, 1, 1]), np.eye(8)[[0, 0, 1, 1]])
    named = replace(answered, faces=replace(answered.faces, source_id=np.array(list("abcd"))))
    said = result(named, {}, "", {"a", "elsewhere"}).warnings
    assert said[-1] == "1 of 4 faces equal a training face; without them 66.7 %"
    assert result(named, {}, "", set("abcd")).warnings[-1] == "4 of 4 faces equal a training face"
    assert not any("training face" in text for text in result(named, {}, "").warnings)


def test_a_result_says_what_to_mind() -> None:
    few = measured(np.array([0, 1]), np.eye(8)[[0, 1]], subjects_overlap=True)["warnings"]
    assert few == [
        "only 2 faces: mind the interval",
        "fewer than 10 faces of neutral, happiness",
        "subjects are in training and test: the result is too good",
    ]
    assert [text for text, holds in few_people(known_people(["p"] * 9)).items() if holds] == [
        "the faces are all of one person: intervals are over faces alone"
    ]
    assert [text for text, holds in few_people(known_people(["p", "q"] * 9)).items() if holds] == [
        "only 2 people: intervals drawn over people are rough"
    ]
    assert (known_people(["p", ""]), known_people([])) == (0, 0)
    assert not any([*few_people(0).values(), *few_people(20).values()])
    one = measured(np.zeros(120, int), np.eye(8)[[0] * 120])["warnings"]
    assert one == ["the faces all have one expression"]
    assert measured(np.array([0, 1] * 60), np.eye(8)[[0, 1] * 60])["warnings"] == []
