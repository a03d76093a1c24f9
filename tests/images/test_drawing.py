from itertools import combinations

import numpy as np
import pytest

from mien.expressions import EXPRESSIONS
from mien.images import drawing
from mien.records import Face, Prediction
from models import face_points


def prediction(box=(200.0, 150.0, 300.0, 280.0), expression="happiness", **changes):
    shares = dict.fromkeys(EXPRESSIONS, 0.04) | {expression: 0.72}
    points = face_points(100) + np.float32([box[0], box[1]])
    face = Face(box, 0.9, points.astype(np.float32))
    return Prediction(face, expression, 0.72, shares, **{"hidden": (), **changes})


@pytest.fixture
def photo():
    return np.full((480, 640, 3), 128, np.uint8)


def test_the_box_is_drawn_where_the_face_is(photo):
    out = drawing.annotate(photo, [prediction()])
    assert out.shape == photo.shape
    for y, x in [(215, 200), (215, 300), (150, 280), (280, 250)]:
        assert tuple(out[y, x]) == drawing.COLOURS["happiness"]
    assert tuple(out[240, 250]) == (128, 128, 128)


def test_the_original_stays_as_it_was(photo):
    drawing.annotate(photo, [prediction()])
    assert (photo == 128).all()


def test_without_a_face_nothing_is_drawn(photo):
    assert np.array_equal(drawing.annotate(photo, []), photo)


def test_points_are_drawn_when_asked(photo):
    without = drawing.annotate(photo, [prediction()])
    x, y = np.rint(prediction().face.points_xy[30]).astype(int)
    assert tuple(without[y, x]) == (128, 128, 128)
    assert tuple(drawing.annotate(photo, [prediction()], points=True)[y, x]) != (128, 128, 128)


def test_bars_hide_no_other_face(photo):
    crowd = [prediction((x, y, x + 60.0, y + 80.0)) for y in (60, 200, 340) for x in (40, 240, 440)]
    out = drawing.annotate(photo, crowd)
    for one in crowd:
        x0, y0, x1, y1 = map(int, one.face.box_xyxy)
        assert (out[y0 + 8 : y1 - 8, x0 + 8 : x1 - 8] == 128).all()


@pytest.mark.parametrize("crowd", [slice(2), slice(1, 3), slice(3)])
def test_bars_and_labels_of_neighbours_hide_nothing_of_each_other(crowd, monkeypatch):
    plates, whole = [], drawing.whole
    monkeypatch.setattr(drawing, "whole", lambda box: plates.append(box) or whole(box))
    boxes = [(x, 150.0, x + 110.0, 290.0) for x in (150.0, 290.0, 430.0)][crowd]
    drawing.annotate(np.full((720, 800, 3), 128, np.uint8), [prediction(box) for box in boxes])
    assert len(plates) == 2 * len(boxes)
    for a, b in combinations([*plates, *boxes], 2):
        assert a[0] >= b[2] or b[0] >= a[2] or a[1] >= b[3] or b[1] >= a[3]


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((48, 48), (480, 480, 3)), ((1, 1), (480, 480, 3)), ((200, 300, 3), (600, 900, 3))],
)
def test_a_small_picture_is_enlarged_for_the_writing(shape, expected):
    image = np.zeros(shape, np.uint8)
    whole = prediction((-0.5, -0.5, shape[1] - 0.5, shape[0] - 0.5), hidden=("eyes", "mouth"))
    assert drawing.annotate(image, [whole]).shape == expected


def test_a_long_picture_is_enlarged_no_longer_than_every_kind_of_file_can_be():
    assert drawing.annotate(np.zeros((100, 9000), np.uint8), []).shape == (100, 9000, 3)
    assert drawing.annotate(np.zeros((100, 8000), np.uint8), []).shape == (200, 16_000, 3)


def test_a_long_picture_stays_bearable():
    out = drawing.annotate(np.zeros((1, 20_000), np.uint8), [])
    assert out.shape[0] * out.shape[1] <= 4_000_000


def test_a_huge_picture_gets_large_letters():
    tall = drawing.annotate(np.zeros((3000, 4000, 3), np.uint8), [prediction((1e3, 1e3, 2e3, 2e3))])
    assert np.ptp(np.nonzero(tall[:990].any(axis=(1, 2)))[0]) > 80


def test_an_expression_without_a_colour_of_its_own_is_drawn(photo):
    face = Face((200.0, 150.0, 300.0, 280.0), 0.9)
    own = Prediction(face, "boredom", 1.0, {"boredom": 1.0})
    assert not np.array_equal(drawing.annotate(photo, [own]), photo)


def test_side_by_side_has_a_column_each_and_bars_as_long_as_probable(photo):
    shown = [
        drawing.Shown("as it is", photo, prediction()),
        drawing.Shown("eyes hidden", photo, prediction(expression="fear", certain=True)),
        drawing.Shown("nothing", photo, None),
    ]
    out = drawing.side_by_side(shown, column=360)
    assert out.shape[1] == 3 * 390 + 30
    below = out[560:]
    lengths = [
        (below[:, left : left + 360] == drawing.COLOURS[name]).all(axis=2).any(axis=0).sum()
        for left, name in [(30, "happiness"), (30, "anger"), (420, "fear")]
    ]
    assert lengths[0] == lengths[2]
    assert lengths[1] / lengths[0] == pytest.approx(0.04 / 0.72, abs=0.02)


def test_side_by_side_without_any_face(photo):
    shown = [drawing.Shown("one", photo, None)]
    assert drawing.side_by_side(shown, column=120).shape[1] == 140


def test_side_by_side_shows_the_surroundings_of_the_face(photo):
    photo[150:280, 200:300] = (10, 200, 10)
    out = drawing.side_by_side([drawing.Shown("face", photo, prediction())])
    green = (out == (10, 200, 10)).all(axis=2).sum()
    assert green / 360**2 > 0.1


def test_what_is_not_known_to_be_hidden_is_drawn(photo):
    known, unknown = (drawing.annotate(photo, [prediction(hidden=hidden)]) for hidden in ((), None))
    assert not np.array_equal(known, unknown)
