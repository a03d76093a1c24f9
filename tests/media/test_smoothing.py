from itertools import pairwise

import numpy as np
import pytest

from mien.errors import UsageError
from mien.media.smoothing import Smoother
from mien.records import Face, Prediction

HAPPY, SAD = np.array([1.0, 0.0]), np.array([0.0, 1.0])


def read(happiness: float, *, certain: bool) -> Prediction:
    """Give a prediction of two expressions."""
    shares = {"happiness": happiness, "sadness": 1 - happiness}
    expression = max(shares, key=shares.__getitem__)
    face = Face((0.0, 0.0, 9.0, 9.0), 0.9)
    return Prediction(face, expression, shares[expression], shares, certain=certain)


def test_what_was_read_a_half_life_ago_counts_half() -> None:
    smoother = Smoother(0.5)
    assert smoother.update(1, 7.0, HAPPY).tolist() == [1, 0]
    assert smoother.update(1, 7.5, SAD) == pytest.approx([0.5, 0.5])
    assert smoother.update(1, 8.5, SAD) == pytest.approx([0.125, 0.875])


def test_the_average_is_a_distribution(rng: np.random.Generator) -> None:
    smoother = Smoother()
    for step, read in enumerate(rng.dirichlet(np.ones(8), 50)):
        smooth = smoother.update(1, step / 25, read)
        assert smooth.min() >= 0 and smooth.sum() == pytest.approx(1)


@pytest.mark.parametrize("fps", [5, 10, 50])
def test_the_frame_rate_changes_nothing(fps: int) -> None:
    smoother = Smoother(0.4)
    smoother.update(1, 0, HAPPY)
    for step in range(1, fps + 1):
        smooth = smoother.update(1, step / fps, SAD)
    assert smooth == pytest.approx([0.5**2.5, 1 - 0.5**2.5])


def test_tracks_do_not_mix() -> None:
    smoother = Smoother()
    smoother.update(1, 0, HAPPY)
    assert smoother.update(2, 0.04, SAD).tolist() == [0, 1]


def test_no_half_life_leaves_all_as_it_is() -> None:
    smoother = Smoother(0)
    smoother.update(1, 0, HAPPY)
    assert smoother.update(1, 0.01, SAD).tolist() == [0, 1]
    with pytest.raises(UsageError, match="half-life"):
        Smoother(-1)


def test_time_that_goes_back_is_no_time() -> None:
    smoother = Smoother()
    smoother.update(1, 5, HAPPY)
    assert smoother.update(1, 4, SAD).tolist() == [1, 0]


def test_old_tracks_take_no_memory() -> None:
    smoother = Smoother(0.1)
    for track in range(1000):
        smoother.update(track, track, HAPPY)
    assert len(smoother._tracks) < 100


def test_the_smoothed_shares_decide() -> None:
    smoother = Smoother(0.4)
    smoother.smoothed(1, 0.0, read(0.9, certain=True))
    shown = smoother.smoothed(1, 0.4, read(0.3, certain=True))
    assert (shown.expression, shown.probability) == ("happiness", pytest.approx(0.6))
    assert sum(shown.probabilities.values()) == pytest.approx(1)


def test_certainty_is_steady_where_that_of_the_frames_flickers() -> None:
    smoother = Smoother(0.4)
    flickering = [
        smoother.smoothed(1, step / 25, read(0.7, certain=step % 2 == 0)).certain
        for step in range(50)
    ]
    doubting = [smoother.smoothed(1, 2 + step / 25, read(0.6, certain=False)) for step in range(25)]
    assert all(flickering)
    assert not doubting[-1].certain
    again = [smoother.smoothed(1, 3 + step / 25, read(0.9, certain=True)) for step in range(25)]
    changes = [one.certain for one in (*doubting, *again)]
    assert again[-1].certain and sum(a != b for a, b in pairwise(changes)) == 2


def test_certain_of_another_expression_is_not_certain_of_this_one() -> None:
    smoother = Smoother(0.4)
    smoother.smoothed(1, 0.0, read(0.55, certain=True))
    shown = [smoother.smoothed(1, 0.04 * step, read(0.1, certain=True)) for step in range(1, 50)]
    turned = next(one for one in shown if one.expression == "sadness")
    assert not turned.certain and shown[-1].certain


@pytest.mark.parametrize("certain", [False, True])
def test_the_first_frame_and_no_half_life_are_as_certain_as_the_frame(certain: bool) -> None:
    for smoother in (Smoother(0.4), Smoother(0)):
        assert smoother.smoothed(1, 0.0, read(0.9, certain=certain)).certain is certain
    assert smoother.smoothed(1, 0.04, read(0.9, certain=not certain)).certain is not certain
