import math

import numpy as np
import pytest
from scipy import stats

from mien.errors import DataError, UsageError
from mien.metrics import holm, mcnemar, paired_bootstrap
from mien.study.compare import compare, told_apart
from tiny_receipts import tiny_receipt

TRUTH = [0, 1, 2, 0, 1, 2, 0, 1] * 5


def answers(rng: np.random.Generator, share: float) -> list[int]:
    """Answer right about that share of the faces."""
    right = rng.random(len(TRUTH)) < share
    return [one if hit else (one + 1) % 3 for one, hit in zip(TRUTH, right, strict=True)]


def test_pairs_tell_difference_test_and_effect(rng: np.random.Generator) -> None:
    a = tiny_receipt(TRUTH, answers(rng, 0.9), occluder="none")
    b = tiny_receipt(TRUTH, answers(rng, 0.5), occluder="eyes")
    found = compare([a, b])
    (pair,) = found.pairs
    assert (pair.a, pair.b) == ("none", "eyes")
    assert pair.difference == pytest.approx(a.right.mean() - b.right.mean())
    assert pair.interval95[0] < pair.difference < pair.interval95[1]
    only_a, only_b = int((a.right & ~b.right).sum()), int((b.right & ~a.right).sum())
    assert (pair.only_a, pair.only_b) == (only_a, only_b)
    expected = stats.binomtest(only_a, only_a + only_b, 0.5).pvalue
    assert pair.p == pytest.approx(expected) and pair.p_holm == pair.p
    assert pair.odds_ratio == pytest.approx(only_a / only_b)
    assert pair.cohen_g == pytest.approx(only_a / (only_a + only_b) - 0.5)
    assert found.faces == 40 and found.drawn_from == "faces"
    assert [row.correct for row in found.rows] == [a.right.sum(), b.right.sum()]


def test_many_pairs_are_corrected_together(rng: np.random.Generator) -> None:
    shares = (0.95, 0.8, 0.6, 0.5)
    receipts = [tiny_receipt(TRUTH, answers(rng, share), occluder=f"o{share}") for share in shares]
    first, every = compare(receipts), compare(receipts, pairs="all")
    assert [len(first.pairs), len(every.pairs)] == [3, 6]
    assert [pair.p_holm for pair in every.pairs] == holm([pair.p for pair in every.pairs])
    assert {pair.a for pair in first.pairs} == {"o0.95"}


def test_a_model_compared_with_itself_does_not_differ() -> None:
    receipt = tiny_receipt([0, 1, 2], [0, 1, 1])
    (pair,) = compare([receipt, receipt]).pairs
    assert (pair.difference, pair.interval95, pair.p) == (0, (0, 0), 1)
    assert pair.odds_ratio is None and pair.cohen_g == 0


def test_the_order_of_the_faces_does_not_matter() -> None:
    a = tiny_receipt([0, 1, 2], [0, 1, 1], faces=["x", "y", "z"])
    b = tiny_receipt([2, 0, 1], [2, 0, 0], faces=["z", "x", "y"], occluder="eyes")
    (pair,) = compare([a, b]).pairs
    assert (pair.only_a, pair.only_b) == (1, 1)


def test_receipts_of_different_faces_are_refused() -> None:
    a = tiny_receipt([0, 1], [0, 1], faces=["x", "y"])
    b = tiny_receipt([0, 1], [0, 1], faces=["x", "z"])
    with pytest.raises(DataError, match="same faces: 1 are only in the first, 1 only in the"):
        compare([a, b])


def test_receipts_of_different_labels_are_refused() -> None:
    with pytest.raises(DataError, match="give 1 faces other expressions"):
        compare([tiny_receipt([0, 1], [0, 1]), tiny_receipt([0, 2], [0, 1])])


def test_one_receipt_and_unknown_pairs_are_refused() -> None:
    receipt = tiny_receipt([0, 1], [0, 1])
    with pytest.raises(UsageError, match="at least two"):
        compare([receipt])
    with pytest.raises(UsageError, match="did you mean 'first'"):
        compare([receipt, receipt], pairs="frist")


def test_shared_keeps_the_expressions_that_all_models_say() -> None:
    a = tiny_receipt([0, 1, 2, 1], [0, 2, 2, 1])
    b = tiny_receipt([0, 1, 2, 1], [0, 1, 1, 1], says=["neutral", "happiness"], model="b")
    found = compare([a, b], shared=True)
    assert found.faces == 3 and found.expressions == ("neutral", "happiness")
    # Of the face that a called surprised it must now choose one of the two.
    assert found.rows[0].correct in (2, 3) and found.rows[1].correct == 3


def test_people_are_drawn_where_they_are_known() -> None:
    right, wrong = [0, 1] * 20, [1, 0] * 20
    subjects = ["p"] * 20 + ["q"] * 20
    a = tiny_receipt(right, right[:20] + wrong[20:], subjects=subjects)
    b = tiny_receipt(right, wrong[:20] + right[20:], subjects=subjects, model="b")
    found = compare([a, b])
    assert found.drawn_from == "subjects"
    assert found.pairs[0].interval95 == (-1, 1)  # two people, who disagree
    faces = compare([tiny_receipt(right, right[:20] + wrong[20:]), b]).pairs[0].interval95
    assert faces[1] - faces[0] < 1


def test_the_test_goes_by_people_where_they_are_known() -> None:
    right, wrong = [0, 1] * 20, [1, 0] * 20
    by_face, people = ["p"] * 20 + ["q"] * 20, [f"p{row // 2}" for row in range(40)]
    alone = compare([tiny_receipt(right, right), tiny_receipt(right, wrong)])
    assert alone.test == "mcnemar" and alone.pairs[0].p < 1e-9
    two = compare([tiny_receipt(right, right, subjects=by_face), tiny_receipt(right, wrong)])
    assert two.test == "sign-flip" and two.pairs[0].p == 0.5  # of two people
    assert "only 2 people: intervals drawn over people are rough" in two.notes
    many = compare([tiny_receipt(right, right, subjects=people), tiny_receipt(right, wrong)])
    assert many.pairs[0].p == 2 / 2**20 and not many.notes


def test_faces_of_one_person_are_drawn_one_by_one() -> None:
    right, some = [0, 1] * 20, [0, 1] * 10 + [1, 0] * 10
    subjects = ["p"] * 40
    found = compare([tiny_receipt(right, some, subjects=subjects), tiny_receipt(right, right)])
    assert found.drawn_from == "faces" and found.pairs[0].interval95[0] < -0.5
    assert found.notes == ("the faces are all of one person: intervals are over faces alone",)


def test_another_order_of_the_faces_is_no_other_pixels() -> None:
    data = [{"name": "x", "sha256": one, "ids_sha256": two} for one, two in ("aa", "ba", "cc")]
    first, other, turned = (tiny_receipt([0, 1], [0, 1], data=one) for one in data)
    assert compare([first, other]).notes == ("pixels or votes of the faces differ",)
    assert "in another order" in compare([first, turned]).notes[0]


def test_names_say_what_differs() -> None:
    one = tiny_receipt([0, 1], [0, 1])
    assert told_apart([one, tiny_receipt([0, 1], [0, 1], occluder="eyes")]) == ["none", "eyes"]
    assert told_apart([one, tiny_receipt([0, 1], [0, 1], model="b")]) == ["a", "b"]
    assert told_apart([one, one]) == ["a", "a (2)"]
    half = tiny_receipt([0, 1], [0, 1], condition={"occluder": "eyes", "severity": 0.5})
    assert told_apart([one, half]) == ["none", "eyes to 0.5"]
    parts = [
        tiny_receipt([0, 1], [0, 1], data={"name": "x", "sha256": "0", "split": split})
        for split in ("public", "private")
    ]
    assert told_apart(parts) == ["x, public", "x, private"]
    seeds = [tiny_receipt([0, 1], [0, 1], seeds={"training": seed}) for seed in (1, 2)]
    assert told_apart(seeds) == ["seed 1", "seed 2"]


def test_the_bootstrap_of_counts_equals_that_of_faces(rng: np.random.Generator) -> None:
    a, b = rng.random(300) < 0.8, rng.random(300) < 0.7
    gains = a.astype(int) - b
    means = [gains[rng.integers(0, 300, 300)].mean() for _ in range(4000)]
    expected = np.percentile(means, [2.5, 97.5])
    assert paired_bootstrap(a, b, 0) == pytest.approx(expected, abs=0.006)
    alone = paired_bootstrap(a, b, 0, groups=np.arange(300))
    assert alone == pytest.approx(expected, abs=0.006)
    assert paired_bootstrap(a, b, 0) == paired_bootstrap(a, b, 0)


@pytest.mark.parametrize(("only_a", "only_b"), [(0, 0), (3, 3), (1, 9), (900, 1100), (0, 1200)])
def test_mcnemar_equals_the_binomial_test(only_a: int, only_b: int) -> None:
    a = np.array([True] * only_a + [False] * only_b + [True])
    b = np.array([False] * only_a + [True] * only_b + [True])
    n = only_a + only_b
    expected = stats.binomtest(only_a, n, 0.5).pvalue if n else 1.0
    assert math.isclose(mcnemar(a, b), expected, rel_tol=1e-6, abs_tol=1e-300)
