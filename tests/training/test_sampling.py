"""Larger sets, weights of classes, and epochs that show them equally often."""

import numpy as np
import pytest

from mien.errors import UsageError
from mien.expressions import EXPRESSIONS_7
from mien.training import sampling

LABELS = np.array([1, 5, 5, 0, 4, 1])


@pytest.mark.parametrize(("name", "faces"), [("B", 8), ("C", 12), ("D", 20), ("E", 28)])
def test_a_set_has_as_many_faces_as_it_says(name: str, faces: int) -> None:
    made = sampling.copies(LABELS, EXPRESSIONS_7, name)
    assert made is not None and len(made) == faces
    np.testing.assert_array_equal(made.rows[:6], np.arange(6))


def test_set_a_is_the_faces_themselves() -> None:
    assert sampling.copies(LABELS, EXPRESSIONS_7, "A") is None


def test_a_set_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="unknown augmentation set 'F'"):
        sampling.copies(LABELS, EXPRESSIONS_7, "F")


def test_rare_classes_weigh_more_and_all_faces_one_on_average() -> None:
    counts = np.array([900, 90, 10])
    np.testing.assert_array_equal(sampling.class_weights(counts, "none", 0.99), [1, 1, 1])
    inverse = sampling.class_weights(counts, "inverse", 0.99)
    np.testing.assert_allclose(inverse * counts / 1000, 1 / 3, rtol=1e-6)
    effective = sampling.class_weights(counts, "effective", 0.99)
    number = (1 - 0.99**counts) / (1 - 0.99)
    np.testing.assert_allclose(effective * number, (effective * number)[0], rtol=1e-6)
    assert (effective * counts).sum() == pytest.approx(1000)
    assert 1 < effective[2] / effective[0] < inverse[2] / inverse[0]


def test_a_class_without_faces_weighs_nothing() -> None:
    np.testing.assert_allclose(sampling.class_weights(np.array([3, 0, 1]), "inverse", 0.9)[1], 0)


def test_the_sampler_shows_classes_equally_often_and_no_number_twice() -> None:
    labels = np.repeat([0, 1, 2], [900, 90, 10])
    drawn = sampling.balanced(labels, np.random.default_rng(0))
    shown = np.bincount(labels[drawn % 1000])
    assert shown.sum() == 1000 and shown.min() > 280
    assert len(np.unique(drawn)) == 1000


def test_a_prior_is_what_each_class_counted_and_never_nothing() -> None:
    assert sampling.prior(np.array([6, 2, 2])) == (0.6, 0.2, 0.2)
    assert min(sampling.prior(np.array([100, 0]))) > 0
