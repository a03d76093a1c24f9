"""What the answers under several conditions are said to mean."""

import numpy as np
import pytest

from mien.errors import DataError
from mien.study.estimates import Outcome
from mien.study.findings import findings
from mien.study.sentences import points

N = 400
EXPRESSIONS = ("happiness", "fear", "disgust")


def outcome(shares: dict[str, float | tuple[float, float, float]], **changes: object) -> Outcome:
    """Answer faces of three expressions; a condition's share that is right, for all or for each."""
    truth = np.arange(N) % 3
    right = {}
    for name, share in shares.items():
        each = share if isinstance(share, tuple) else (share,) * 3
        limits = np.array([each[one] for one in truth])
        # The faces of an expression are right in a fixed order: nested, as paired answers are.
        rank = np.argsort(np.argsort(truth * N + np.arange(N) % 97, kind="stable")) % (N // 3)
        right["model", name] = (rank < limits * (N // 3)).astype(float)[None]
    fields = {
        "conditions": tuple(shares),
        "trained": ("model",),
        "expressions": EXPRESSIONS,
        "truth": truth,
        "subject": np.full(N, ""),
        "right": right,
        "own": {name: ("model", name) for name in shares},
    }
    return Outcome(**{**fields, **changes})  # type: ignore[arg-type]


def test_the_answer_compares_the_eyes_with_the_mouth() -> None:
    found = findings(outcome({"none": 0.9, "eyes": 0.8, "mouth": 0.6, "eyes+mouth": 0.3}))
    assert found.answer.startswith("Hiding the mouth costs ")
    assert "points more than hiding the eyes, 95 % interval" in found.answer
    assert found.settled and "exception" not in found.answer
    contrast = found.contrast
    assert contrast is not None and (contrast.more, contrast.less) == ("mouth", "eyes")
    assert contrast.difference.value == pytest.approx(0.2, abs=0.01)
    assert contrast.difference.low < contrast.difference.value < contrast.difference.high


def test_an_expression_that_differs_is_named() -> None:
    shares = {"none": 0.9, "eyes": (0.9, 0.1, 0.9), "mouth": (0.2, 0.8, 0.2)}
    assert findings(outcome(shares)).answer.endswith("; fear is the exception.")


def test_what_is_equal_is_not_settled() -> None:
    found = findings(outcome({"none": 0.9, "eyes": 0.8, "mouth": 0.8}))
    assert not found.settled
    assert "is not settled by these faces: the two are equal, by 0.0 points" in found.answer


def test_without_eyes_and_mouth_the_costliest_parts_are_compared() -> None:
    found = findings(outcome({"none": 0.9, "nose": 0.85, "surgical": 0.5, "brows": 0.7}))
    assert found.answer.startswith("Hiding the brows costs ")
    assert "than hiding the nose" in found.answer
    worn = findings(outcome({"none": 0.9, "sunglasses": 0.85, "surgical": 0.5, "eyes": 0.7}))
    assert worn.answer.startswith("The occluder surgical costs ")
    assert "than hiding the eyes" in worn.answer


def test_a_single_condition_is_compared_with_the_whole_face() -> None:
    found = findings(outcome({"none": 0.9, "mask-polygon": 0.5}))
    assert found.answer.startswith("The occluder mask-polygon costs ")
    assert found.contrast is None and found.expressions[0].ahead is None


def test_an_expression_says_which_part_matters_and_how_surely() -> None:
    shares = {"none": 0.9, "eyes": (0.8, 0.3, 0.8), "mouth": (0.3, 0.8, 0.8)}
    happiness, fear, disgust = findings(outcome(shares)).expressions
    assert (happiness.most, fear.most) == ("mouth", "eyes")
    assert happiness.ahead is not None and happiness.ahead.is_settled
    assert disgust.ahead is not None and not disgust.ahead.is_settled
    assert happiness.costs["mouth"].value == pytest.approx(0.6, abs=0.02)


def test_nothing_is_said_of_an_expression_with_few_faces() -> None:
    truth = np.r_[np.zeros(N - 5, int), np.ones(5, int)]
    found = findings(outcome({"none": 0.9, "eyes": 0.8, "mouth": 0.5}, truth=truth))
    assert [one.matters_most for one in found.expressions] == ["mouth", "too few faces"]


def test_the_same_seed_gives_the_same_intervals() -> None:
    one = outcome({"none": 0.9, "eyes": 0.8})
    assert findings(one) == findings(one) != findings(one, seed=1)


def test_people_are_drawn_whole_where_they_are_known() -> None:
    subject = np.array([f"s{row % 8}" for row in range(N)])
    alone = findings(outcome({"none": 0.9, "eyes": 0.5}))
    grouped = findings(outcome({"none": 0.9, "eyes": 0.5}, subject=subject))
    assert (alone.people, grouped.people) == (N, 8)
    assert alone.effects[1].cost.value == grouped.effects[1].cost.value


def test_one_person_is_no_interval_of_width_0() -> None:
    found = findings(outcome({"none": 0.9, "eyes": 0.88}, subject=np.full(N, "s")))
    assert found.people == N and found.effects[1].cost.low < found.effects[1].cost.high
    assert found == findings(outcome({"none": 0.9, "eyes": 0.88}))


def test_the_test_goes_by_people_where_they_are_known() -> None:
    shares = {"none": 0.9, "eyes": 0.5}
    faces = findings(outcome(shares)).effects[1].p
    people = findings(outcome(shares, subject=np.array([f"s{row % 4}" for row in range(N)])))
    assert faces is not None and faces < 1e-9 and people.effects[1].p == 2 / 2**4


def test_intervals_agree_with_the_normal_approximation() -> None:
    rng = np.random.default_rng(3)
    right = {("model", name): (rng.random((1, N)) < 0.7).astype(float) for name in ("none", "eyes")}
    cost = findings(outcome({"none": 0.9, "eyes": 0.5}, right=right)).effects[1].cost
    difference = right["model", "none"][0] - right["model", "eyes"][0]
    spread = 1.96 * difference.std() / np.sqrt(N)
    assert cost.value == pytest.approx(difference.mean())
    assert cost.high - cost.low == pytest.approx(2 * spread, rel=0.1)


def test_seeds_are_averaged_and_their_deviation_given() -> None:
    right = {("model", "none"): np.ones((2, N)), ("model", "eyes"): np.zeros((2, N))}
    right["model", "eyes"][0] = 1
    found = findings(outcome({"none": 0.9, "eyes": 0.5}, right=right))
    assert found.matrix == ((1.0, 0.5),)
    assert found.deviations == ((0.0, pytest.approx(0.5**0.5)),)
    assert findings(outcome({"none": 0.9, "eyes": 0.5})).deviations == ((None, None),)
    assert found.effects[1].cost.value == 0.5


def test_an_expression_nobody_shows_is_left_out() -> None:
    truth = np.arange(N) % 2
    found = findings(outcome({"none": 0.9, "eyes": 0.5}, truth=truth))
    assert [one.expression for one in found.expressions] == ["happiness", "fear"]
    assert np.isfinite(found.effects[0].balanced.value)


def test_answers_to_other_faces_are_refused() -> None:
    with pytest.raises(DataError, match="expected answers to 3 faces"):
        findings(outcome({"none": 0.9, "eyes": 0.5}, truth=np.arange(3)))


@pytest.mark.parametrize(("share", "text"), [(0.0981, "9.8"), (-0.0001, "0.0"), (-0.021, "-2.1")])
def test_points_are_written_with_one_digit(share: float, text: str) -> None:
    assert points(share) == text
