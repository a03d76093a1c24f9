import json

import numpy as np
import pytest

from mien.errors import UsageError
from mien.records import Face, Prediction, percent

POINTS = np.full((68, 2), 1.23456, np.float32)


def prediction(**changes):
    fields = {
        "face": Face((0.0, 1.0, 10.0, 21.123), 0.9, POINTS, 0.99),
        "expression": "happiness",
        "probability": 0.75,
        "probabilities": {"neutral": 0.25, "happiness": 0.75},
        "hidden": ("mouth",),
        "certain": True,
    }
    return Prediction(**(fields | changes))


@pytest.mark.parametrize("box", [(0, 0, 0, 5), (0, 5, 5, 5), (0, 0, 5), (0, 0, float("nan"), 5)])
def test_a_box_without_area_is_refused(box):
    with pytest.raises(UsageError, match="left < right"):
        Face(box, 0.5)


@pytest.mark.parametrize("name", ["score", "faceness"])
def test_a_share_beyond_one_is_refused(name):
    with pytest.raises(UsageError, match=f"{name} must lie between 0 and 1, got 1.5"):
        Face(**({"box_xyxy": (0, 0, 1, 1), "score": 0.5} | {name: 1.5}))


@pytest.mark.parametrize(
    "points", [POINTS[:5], POINTS.astype(np.float64), np.full_like(POINTS, np.nan)]
)
def test_points_of_another_kind_are_refused(points):
    with pytest.raises(UsageError, match=r"finite float32 \(68, 2\)"):
        Face((0, 0, 1, 1), 0.5, points)


def test_area_of_a_face():
    assert Face((1, 2, 4, 4), 1.0).area == 6


def test_an_expression_without_probability_is_refused():
    with pytest.raises(UsageError, match="'joy'"):
        prediction(expression="joy")


def test_a_probability_beyond_one_is_refused():
    with pytest.raises(UsageError, match="between 0 and 1"):
        prediction(probabilities={"happiness": 1.2})


def test_a_prediction_becomes_json():
    record = json.loads(json.dumps(prediction().to_dict()))
    assert record == {
        "box_xyxy": [0.0, 1.0, 10.0, 21.12],
        "score": 0.9,
        "expression": "happiness",
        "probability": 0.75,
        "probabilities": {"neutral": 0.25, "happiness": 0.75},
        "hidden": ["mouth"],
        "certain": True,
    }


def test_points_are_given_when_asked():
    assert prediction().to_dict(points=True)["points_xy"] == [[1.23, 1.23]] * 68
    without = prediction(face=Face((0, 0, 1, 1), 0.5))
    assert without.to_dict(points=True)["points_xy"] is None


def test_a_face_prints_without_its_points() -> None:
    face = Face((0.0, 0.0, 9.0, 9.0), 0.9, np.zeros((68, 2), np.float32))
    assert repr(face) == "Face(box_xyxy=(0.0, 0.0, 9.0, 9.0), score=0.9, faceness=None)"


def test_only_nothing_is_none_and_only_everything_is_all() -> None:
    shares = (0.0, 0.004, 0.005, 0.5, 0.994, 0.9951, 1.0)
    assert [percent(share) for share in shares] == "0% <1% <1% 50% 99% >99% 100%".split()


@pytest.mark.parametrize(
    ("hidden", "plain", "note"),
    [
        (("eyes", "mouth"), ["eyes", "mouth"], "eyes and mouth hidden"),
        ((), [], ""),
        (None, None, "hidden: not known"),
    ],
)
def test_nothing_hidden_is_told_from_not_known(hidden, plain, note):
    found = prediction(hidden=hidden)
    assert found.to_dict()["hidden"] == plain
    assert found.hidden_note == note
