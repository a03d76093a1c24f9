import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats
from sklearn import calibration
from sklearn import metrics as reference

from mien import metrics


@pytest.fixture
def answers(rng: np.random.Generator) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Labels and predictions of 500 faces; label 4 never occurs, 6 is never predicted."""
    labels = rng.choice([0, 1, 2, 3, 5, 6], 500, p=[0.4, 0.3, 0.15, 0.1, 0.03, 0.02])
    noise = rng.choice([0, 1, 2, 3, 4, 5], 500)
    return labels, np.where((rng.random(500) < 0.7) & (labels != 6), labels, noise)


def test_confusion_equals_scikit_learn(answers: tuple[NDArray[np.int64], ...]) -> None:
    counts = metrics.confusion(*answers, 7)
    np.testing.assert_array_equal(
        counts, reference.confusion_matrix(*answers, labels=list(range(7)))
    )


def test_scores_equal_scikit_learn(answers: tuple[NDArray[np.int64], ...]) -> None:
    counts = metrics.confusion(*answers, 7)
    labels, predicted = answers
    seen = np.isin(predicted, labels)
    assert metrics.accuracy(counts) == pytest.approx(reference.accuracy_score(*answers))
    assert metrics.macro_f1(counts) == pytest.approx(reference.f1_score(*answers, average="macro"))
    expected = reference.recall_score(
        *answers, labels=np.unique(labels), average="macro", zero_division=0
    )
    assert metrics.balanced_accuracy(counts) == pytest.approx(expected)
    counts = metrics.confusion(labels[seen], predicted[seen], 7)
    assert metrics.balanced_accuracy(counts) == pytest.approx(
        reference.balanced_accuracy_score(labels[seen], predicted[seen])
    )


def test_scores_by_label_equal_scikit_learn(answers: tuple[NDArray[np.int64], ...]) -> None:
    counts = metrics.confusion(*answers, 7)
    expected = reference.precision_recall_fscore_support(
        *answers, labels=range(7), zero_division=np.nan
    )
    found = (metrics.precisions(counts), metrics.recalls(counts), metrics.f1s(counts))
    for ours, theirs in zip(found, expected, strict=False):
        np.testing.assert_allclose(ours, theirs)
    normal = reference.confusion_matrix(*answers, labels=range(7), normalize="true")
    ours = metrics.shares(counts, counts.sum(axis=1, keepdims=True))
    np.testing.assert_allclose(np.nan_to_num(ours), normal)


def test_recalls_are_nan_where_no_face_has_the_label() -> None:
    found = metrics.recalls(np.array([[3, 1, 0], [0, 0, 0], [1, 0, 1]]))
    np.testing.assert_array_equal(found, [0.75, np.nan, 0.5])


@pytest.mark.parametrize(
    ("correct", "n", "low", "high"),
    [
        (29, 32, 0.758, 0.968),
        (25, 32, 0.612, 0.890),
        (24, 32, 0.579, 0.867),
        (0, 10, 0.0, 0.278),
        (10, 10, 0.722, 1.0),
        (0, 0, 0.0, 1.0),
    ],
)
def test_wilson_gives_the_published_intervals(
    correct: int, n: int, low: float, high: float
) -> None:
    assert metrics.wilson(correct, n) == pytest.approx((low, high), abs=6e-4)


def slow_ece(probabilities: NDArray[np.float64], labels: NDArray[np.int64], bins: int) -> float:
    faces = sorted(range(len(labels)), key=lambda face: probabilities[face].max())
    size, larger = divmod(len(faces), bins)
    total, start = 0.0, 0
    for number in range(bins):
        end = start + size + (number < larger)
        part, start = faces[start:end], end
        if part:
            right = sum(int(probabilities[face].argmax()) == labels[face] for face in part)
            sure = sum(probabilities[face].max() for face in part)
            total += len(part) / len(faces) * abs(right / len(part) - sure / len(part))
    return total


@pytest.mark.parametrize("n", [1, 7, 15, 100, 1003])
def test_ece_equals_a_loop_over_faces(rng: np.random.Generator, n: int) -> None:
    probabilities = rng.dirichlet(np.full(8, 0.5), n)
    labels = rng.integers(-1, 8, n)
    assert metrics.ece(probabilities, labels) == pytest.approx(slow_ece(probabilities, labels, 15))


def test_ece_is_nothing_for_a_model_that_is_as_right_as_it_says() -> None:
    probabilities = np.tile([0.8, 0.2], (150, 1))
    labels = np.tile([0, 0, 0, 0, 1, 0, 0, 0, 0, 1], 15)
    assert metrics.ece(probabilities, labels) == pytest.approx(0, abs=1e-12)
    assert metrics.ece(probabilities, 1 - labels) == pytest.approx(0.6)


def test_reliability_equals_scikit_learn(rng: np.random.Generator) -> None:
    probabilities, labels = rng.dirichlet(np.full(8, 0.5), 600), rng.integers(0, 8, 600)
    found = metrics.reliability(probabilities, labels, 15)
    right = probabilities.argmax(axis=1) == labels
    shares, confidence = calibration.calibration_curve(
        right, probabilities.max(axis=1), n_bins=15, strategy="quantile"
    )
    np.testing.assert_allclose(found[:, 0], confidence)
    np.testing.assert_allclose(found[:, 1], shares)
    assert found[:, 2].tolist() == [40] * 15


def test_divergence_equals_scipy(rng: np.random.Generator) -> None:
    votes, probabilities = rng.multinomial(10, np.full(8, 1 / 8), 50), rng.dirichlet(np.ones(8), 50)
    expected = stats.entropy(votes, probabilities, axis=1)
    np.testing.assert_allclose(metrics.kl(votes / 10, probabilities), expected)
    assert metrics.kl(np.array([[1.0, 0.0]]), np.array([[0.0, 1.0]])) == pytest.approx(
        -np.log(1e-6)
    )


def slow_lone_voter(votes: list[int]) -> float:
    """Take every voter out once and ask whether the others' most frequent answer is the same."""
    voters = [name for name, count in enumerate(votes) for _ in range(count)]
    hits = 0.0
    for own in range(len(voters)):
        others = voters[:own] + voters[own + 1 :]
        counts = [others.count(name) for name in range(len(votes))]
        top = [name for name, count in enumerate(counts) if count == max(counts)]
        hits += (voters[own] in top) / len(top)
    return hits / len(voters)


def test_a_lone_voter_is_held_against_the_others(rng: np.random.Generator) -> None:
    votes = rng.multinomial(10, [0.5, 0.3, 0.1, 0.1], 40)
    expected = [slow_lone_voter(row) for row in votes.tolist()]
    np.testing.assert_allclose(metrics.lone_voter(votes), expected)
    assert metrics.lone_voter(np.array([[10, 0, 0]])) == 1


def test_risk_counts_the_surest_first_and_equally_sure_ones_together() -> None:
    confidence = np.array([0.9, 0.5, 0.5, 0.2])
    right = np.array([True, False, True, False])
    coverage, risk = metrics.risk_coverage(confidence, right)
    assert coverage.tolist() == [0.25, 0.75, 1]
    assert risk.tolist() == pytest.approx([0, 1 / 3, 1 / 2])
    assert metrics.aurc(confidence, right) == pytest.approx(0.5 / 3 + 0.25 / 2)
    order = [2, 0, 3, 1]
    assert metrics.aurc(confidence[order], right[order]) == metrics.aurc(confidence, right)
    assert metrics.aurc(np.zeros(0), np.zeros(0, bool)) == 0


def test_sign_flips_of_single_faces_are_mcnemar(rng: np.random.Generator) -> None:
    a, b = rng.random(60) < 0.8, rng.random(60) < 0.6
    assert metrics.sign_flip(a, b, np.arange(60)) == pytest.approx(metrics.mcnemar(a, b))
    assert metrics.sign_flip(a, a, np.arange(60)) == 1


def test_sign_flips_of_a_few_subjects_are_counted() -> None:
    # Three subjects differ by 4, 2 and -1 faces: of all 8 ways to turn them four sum to 5 or more.
    gains, owners = [1] * 4 + [1] * 2 + [-1] + [0] * 3, [0] * 4 + [1] * 2 + [2] * 2 + [3] * 2
    a, b = (np.array([gain == side for gain in gains]) for side in (1, -1))
    assert metrics.sign_flip(a, b, np.array(owners)) == pytest.approx(4 / 8)
    assert metrics.sign_flip(b, a, np.array(owners)) == pytest.approx(4 / 8)
    every = [abs(x * 4 + y * 2 + z) for x in (1, -1) for y in (1, -1) for z in (1, -1)]
    assert sum(one >= 5 for one in every) == 4


def test_sign_flips_of_subjects_are_no_more_often_wrong_than_they_say() -> None:
    rng, owners = np.random.default_rng(5), np.repeat(np.arange(12), 20)
    flips, faces = [], []
    for _ in range(400):
        # A model is better on one person and worse on another, on nobody in general.
        leaning = rng.normal(0, 0.25, 12)[owners]
        a, b = rng.random(240) < 0.5 + leaning, rng.random(240) < 0.5 - leaning
        flips.append(metrics.sign_flip(a, b, owners))
        faces.append(metrics.mcnemar(a, b))
    assert np.mean(np.array(flips) < 0.05) < 0.08 < 0.2 < np.mean(np.array(faces) < 0.05)


def test_holm_corrects_as_published() -> None:
    assert metrics.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert metrics.holm([0.6, 0.9]) == [1, 1] and metrics.holm([]) == []


def test_nll_equals_scikit_learn(rng: np.random.Generator) -> None:
    probabilities, labels = rng.dirichlet(np.ones(5), 200), rng.integers(0, 5, 200)
    expected = reference.log_loss(labels, probabilities, labels=range(5))
    assert metrics.nll(probabilities, labels) == pytest.approx(expected)


def test_scores_of_no_faces_are_zero() -> None:
    counts = np.zeros((3, 3), int)
    assert metrics.accuracy(counts) == metrics.balanced_accuracy(counts) == 0
    assert metrics.macro_f1(counts) == 0
    assert metrics.ece(np.zeros((0, 3)), np.zeros(0, int)) == 0


def test_bootstrap_is_near_the_normal_interval_and_repeats(rng: np.random.Generator) -> None:
    values = rng.random(400)
    low, high = metrics.bootstrap(values, np.random.default_rng(1))
    spread = 1.96 * values.std() / math.sqrt(400)
    assert low == pytest.approx(values.mean() - spread, abs=0.005)
    assert high == pytest.approx(values.mean() + spread, abs=0.005)
    assert (low, high) == metrics.bootstrap(values, np.random.default_rng(1))


def test_resampled_counts_give_the_interval_of_resampled_faces(rng: np.random.Generator) -> None:
    labels, said = rng.integers(0, 3, 400), rng.integers(0, 3, 400)
    said = np.where(rng.random(400) < 0.6, labels, said)
    found = metrics.resampled(metrics.confusion(labels, said, 3), metrics.macro_f1, 0)
    drawn = [rng.integers(0, 400, 400) for _ in range(1000)]
    values = [metrics.macro_f1(metrics.confusion(labels[one], said[one], 3)) for one in drawn]
    assert found == pytest.approx(np.percentile(values, [2.5, 97.5]), abs=0.01)


def test_mcnemar_gives_the_exact_binomial_p() -> None:
    a = np.array([True] * 9 + [False] + [True] * 50)
    b = np.array([False] * 9 + [True] + [True] * 50)
    assert metrics.mcnemar(a, b) == pytest.approx(2 * 11 / 1024)
    assert metrics.mcnemar(a, a) == 1
    assert metrics.mcnemar(b, a) == metrics.mcnemar(a, b)


def test_log_odds_go_on_where_a_probability_is_one() -> None:
    logits = np.array([[0.0, 1.0, 2.0], [0.0, -800.0, 900.0]])
    shares = metrics.softmax(logits[:1])
    found = metrics.log_odds(logits)
    np.testing.assert_allclose(found[:1], np.log(shares / (1 - shares)))
    np.testing.assert_allclose(found[1], [-900, -1700, 900])
    assert np.isfinite(metrics.log_odds(np.array([[0.0, -np.inf]]))).all()
