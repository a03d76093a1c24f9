import numpy as np
import pytest

import models
from mien import geometry
from mien.occlusion.head import GOOD, Head, Light

POINTS = models.face_points(100)


def test_the_frame_of_a_face_lies_between_its_eyes() -> None:
    turn = geometry.rotation(np.radians(30), (50, 50))
    head = Head.of(geometry.apply(turn, POINTS))
    eyes = [head.points[eye].mean(0) for eye in (geometry.RIGHT_EYE, geometry.LEFT_EYE)]
    np.testing.assert_allclose(np.add(*eyes), 0, atol=1e-9)
    assert eyes[1][0] > 0.4 and eyes[1][1] == pytest.approx(0, abs=0.01)
    assert head.points[8, 1] > 1
    np.testing.assert_allclose(head.in_image(head.points), geometry.apply(turn, POINTS))


def test_the_turn_follows_the_nose_and_keeps_the_size() -> None:
    front = Head.of(POINTS)
    turned = POINTS.copy()
    turned[geometry.NOSE, 0] += 15
    turned[geometry.EYES, 0] = 55 + 0.5 * (turned[geometry.EYES, 0] - 50)
    assert front.turn == pytest.approx(0, abs=0.01)
    assert Head.of(turned).turn > 0.2
    mirrored = Head.of(geometry.mirror_points(turned, 100))
    assert mirrored.turn == pytest.approx(-Head.of(turned).turn, abs=0.02)
    assert Head.of(turned).unit > 0.65 * front.unit


def test_round_a_head_the_ears_are_at_1_and_the_nose_at_0() -> None:
    head = Head.of(POINTS)
    x, y = head.points[[2, 30, 14]].T
    np.testing.assert_allclose(head.around(x, y), [-1, 0, 1], atol=0.1)
    np.testing.assert_allclose(head.facing(x), [-1, 0, 1], atol=0.1)


@pytest.mark.parametrize("coloured", [False, True])
def test_light_is_read_off_the_cheeks(coloured: bool) -> None:
    level = np.broadcast_to(np.where(np.arange(100) < 50, 160, 80), (100, 100)).astype(np.uint8)
    image = np.repeat(level[..., None], 3, 2) if coloured else level
    light = Light.on(image, POINTS)
    assert light.side == pytest.approx(-0.3)
    np.testing.assert_allclose(light.skin, 120, atol=3)
    shade = light.shade(np.array([-1.0, 0.0, 1.0]))
    assert shade[0] > shade[1] == 1 > shade[2]


def test_a_face_outside_the_image_has_good_light() -> None:
    light = Light.on(np.zeros((20, 20), np.uint8), POINTS + 500)
    assert (light.level, light.side) == (1, 0)
    np.testing.assert_array_equal(light.skin, GOOD.skin)
