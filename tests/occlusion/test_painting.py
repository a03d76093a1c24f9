from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mien.occlusion import painting
from mien.occlusion.painting import Places, layered, paint

RED = np.array([200.0, 30.0, 10.0])


def disc(radius: float, centre: float = 20.0, opacity: float = 1.0) -> Any:
    def look(places: Places) -> tuple[Any, Any]:
        distance = np.hypot(places.x - centre, places.y - centre)
        return opacity * (distance <= radius), np.broadcast_to(RED, (*distance.shape, 3))

    return look


def box(radius: float, centre: float = 20.0) -> tuple[float, float, float, float]:
    return (centre - radius, centre - radius, centre + radius, centre + radius)


@pytest.mark.parametrize("samples_from", [1, 1000])
def test_a_pixel_takes_the_share_of_it_that_is_covered(
    monkeypatch: pytest.MonkeyPatch, samples_from: int
) -> None:
    monkeypatch.setattr(painting, "_COARSE_FROM", samples_from)
    painted, hidden = paint(np.zeros((41, 41, 3), np.uint8), box(12.3), disc(12.3))
    assert painted[..., 0].sum() / RED[0] == pytest.approx(np.pi * 12.3**2, rel=0.01)
    np.testing.assert_array_equal(painted[20, 20], RED)
    distance = np.hypot(*np.mgrid[-20:21, -20:21])
    assert hidden[distance < 11.5].all() and not hidden[distance > 13.1].any()


def test_what_is_half_opaque_lets_half_shine_through() -> None:
    painted, _ = paint(np.full((41, 41, 3), 100, np.uint8), box(9), disc(9, opacity=0.5))
    np.testing.assert_array_equal(painted[20, 20], [150, 65, 55])


def test_grey_is_the_luma_of_the_colours(rng: np.random.Generator) -> None:
    grey = rng.integers(0, 256, (41, 41), dtype=np.uint8)
    painted, hidden = paint(grey, box(12), disc(12, opacity=0.7))
    coloured, _ = paint(np.repeat(grey[..., None], 3, 2), box(12), disc(12, opacity=0.7))
    luma = coloured @ np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose(painted, luma, atol=1)
    np.testing.assert_array_equal(painted[~hidden], grey[~hidden])


def test_a_part_outside_the_image_is_cut_off(rng: np.random.Generator) -> None:
    image = rng.integers(0, 256, (60, 60), dtype=np.uint8)
    whole, hidden = paint(image, box(15, 30.0), disc(15, 30.0))
    part, part_hidden = paint(image[25:, 25:], box(15, 5.0), disc(15, 5.0))
    np.testing.assert_array_equal(part, whole[25:, 25:])
    np.testing.assert_array_equal(part_hidden, hidden[25:, 25:])
    away, nothing = paint(image, box(15, -400.0), disc(15, -400.0))
    np.testing.assert_array_equal(away, image)
    assert not nothing.any()


def test_bands_of_rows_join_without_a_seam(monkeypatch: pytest.MonkeyPatch) -> None:
    image = np.zeros((60, 60), np.uint8)
    whole, _ = paint(image, box(15, 30.0), disc(15, 30.0))
    monkeypatch.setattr(painting, "_AT_ONCE", 1500)
    np.testing.assert_array_equal(paint(image, box(15, 30.0), disc(15, 30.0))[0], whole)


def test_layers_cover_as_if_painted_one_after_another(rng: np.random.Generator) -> None:
    alphas, tones = rng.random((3, 4, 5)), rng.random((3, 4, 5, 3)) * 255
    alphas[:, 0, 0] = 0
    ground = rng.random((4, 5, 3)) * 255
    opacity, colour = layered(*zip(alphas, tones, strict=True))
    expected = ground
    for alpha, tone in zip(alphas[..., None], tones, strict=True):
        expected = alpha * tone + (1 - alpha) * expected
    mixed = opacity[..., None] * colour + (1 - opacity[..., None]) * ground
    np.testing.assert_allclose(mixed, expected)


def test_a_band_is_as_wide_as_said_and_tapers() -> None:
    y, x = np.mgrid[0:400, 0:400] / 4.0
    places = Places(x[:1], y[:, :1])
    start, end = np.array([20.0, 50.0]), np.array([80.0, 50.0])
    columns = places.near(start, end, (10.0, 4.0)).sum(axis=0) / 4
    assert columns[80] == pytest.approx(10, abs=0.6) and columns[320] == pytest.approx(4, abs=0.6)
    assert columns[56] == 0 and columns[332] == 0


@pytest.mark.parametrize(("level", "expected"), [(135, 1.0), (0, 0.4), (108, 0.8), (255, 1.2)])
def test_exposure_is_that_of_the_face_alone(level: int, expected: float) -> None:
    image: NDArray[np.uint8] = np.full((40, 40), 77, np.uint8)
    image[10:31, 10:31] = level
    points = np.array([[10.0, 10.0], [30.0, 30.0]])
    assert painting.exposure(image, points) == pytest.approx(expected)
    assert painting.exposure(np.repeat(image[..., None], 3, 2), points) == pytest.approx(expected)
    assert painting.exposure(image, points + 500) == 1
