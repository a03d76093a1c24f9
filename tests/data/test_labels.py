import numpy as np
import pytest
from numpy.typing import NDArray

from mien.data import labels
from mien.errors import UsageError


def votes(**counts: int) -> NDArray[np.float32]:
    columns = "neutral happiness surprise sadness anger disgust fear contempt unknown nf".split()
    return np.array([[counts.get(name, 0) for name in columns]], dtype=np.float32)


def shares(rule: str, **counts: int) -> dict[str, float]:
    found = labels.targets(votes(**counts), rule)[0]
    return {
        name: round(float(found[i]), 6) for i, name in enumerate(labels.EXPRESSIONS) if found[i]
    }


def test_majority_is_more_than_half_of_the_votes_without_single_ones() -> None:
    assert shares("majority", anger=6, fear=4) == {"anger": 1}
    assert shares("majority", anger=5, fear=5) == {}
    assert shares("majority", anger=5, fear=4, neutral=1) == {"anger": 1}
    assert shares("majority", anger=5, fear=3, neutral=2) == {}


@pytest.mark.parametrize("rule", labels.RULES)
def test_unknown_and_no_face_drop_a_face(rule: str) -> None:
    assert shares(rule, unknown=8, anger=2) == {}
    assert shares(rule, nf=10) == {}
    assert shares(rule) == {}


@pytest.mark.parametrize("rule", [rule for rule in labels.RULES if rule != "argmax"])
def test_single_votes_alone_drop_a_face(rule: str) -> None:
    assert shares(rule, anger=1, fear=1, neutral=1) == {}


def test_probability_takes_the_top_expressions_up_to_three_quarters() -> None:
    assert shares("probability", anger=5, fear=3, neutral=2) == {"anger": 0.625, "fear": 0.375}
    assert shares("probability", anger=8, fear=2) == {"anger": 1}
    assert shares("probability", anger=4, fear=2, neutral=2, sadness=2) == {}
    assert shares("probability", anger=4, fear=4, neutral=2) == {"anger": 0.5, "fear": 0.5}


def test_probability_stops_at_unknown_and_keeps_what_came_before() -> None:
    assert shares("probability", anger=6, unknown=4) == {"anger": 1}
    assert shares("probability", anger=5, unknown=3, fear=2) == {}
    assert shares("probability", anger=5, unknown=5) == {}
    assert shares("probability", anger=6, unknown=2, nf=2) == {"anger": 1}


def test_multi_target_takes_all_from_thirty_percent() -> None:
    assert shares("multi-target", anger=4, fear=3, neutral=3) == {
        "anger": 0.4,
        "fear": 0.3,
        "neutral": 0.3,
    }
    assert shares("multi-target", anger=4, unknown=3, fear=3) == {
        "anger": round(4 / 7, 6),
        "fear": round(3 / 7, 6),
    }


def test_argmax_counts_single_votes_and_the_first_column_wins_a_tie() -> None:
    assert shares("argmax", anger=1, fear=1) == {"anger": 1}
    assert shares("argmax", fear=5, unknown=5) == {"fear": 1}
    assert labels.labels(votes(contempt=4, unknown=3, nf=3), "argmax").tolist() == [7]


def test_labels_are_the_top_shares_and_minus_one_where_dropped() -> None:
    both = np.concatenate([votes(fear=9), votes(nf=9), votes(anger=3, fear=7)])
    assert labels.labels(both, "majority").tolist() == [6, -1, 6]


def one_by_one(counts: list[int]) -> list[float]:
    """Choose by the probability rule in the words of the paper, for one face."""
    left = {column: count for column, count in enumerate(counts) if count > 1}
    total, chosen, seen = sum(left.values()), {}, 0
    while seen < 0.75 * total and len(chosen) < 3:
        top = [column for column in left if left[column] == max(left.values())]
        faces = [column for column in top if column < 8]
        chosen.update({column: left.pop(column) for column in faces})
        seen = sum(chosen.values())
        if len(faces) < len(top):
            break
    if len(chosen) > 3 or 2 * sum(chosen.values()) <= total:
        return [0.0] * 8
    return [chosen.get(column, 0) / sum(chosen.values()) for column in range(8)]


def test_probability_equals_a_rule_applied_face_by_face(rng: np.random.Generator) -> None:
    chance = rng.dirichlet(np.full(10, 0.4), 3000)
    counts = rng.multinomial(10, chance)
    expected = [one_by_one(row) for row in counts.tolist()]
    np.testing.assert_allclose(labels.targets(counts, "probability"), expected, atol=1e-12)
    np.testing.assert_allclose(labels.targets(counts, "crossentropy"), expected, atol=1e-12)


def test_a_tie_is_between_expressions_that_have_votes() -> None:
    rows = (votes(fear=5, anger=5), votes(fear=4, anger=4, nf=2), votes(fear=5, nf=5))
    given = np.concatenate([*rows, votes(nf=10), votes()])
    assert labels.tied(given).tolist() == [True, True, False, False, False]


def test_an_unknown_rule_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'majority'"):
        labels.targets(votes(anger=5), "majorty")
