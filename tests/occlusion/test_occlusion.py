from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import models
from mien import occlusion
from mien.errors import DataError, UsageError
from mien.occlusion.regions import covered_shares

POINTS = models.face_points()
FLAT = ("mask-polygon", "eyes", "mouth")


def draw(name: str, image: NDArray[np.uint8], points: Any = POINTS, **options: Any) -> Any:
    return occlusion.occluder(name, **options)(image, points, np.random.default_rng(0))


@pytest.fixture
def grey(rng: np.random.Generator) -> NDArray[np.uint8]:
    return rng.integers(0, 256, (48, 48), dtype=np.uint8)


@pytest.mark.parametrize("name", occlusion.names())
@pytest.mark.parametrize("shape", [(48, 48), (48, 48, 3), (60, 50), (50, 60, 3)])
def test_only_the_hidden_pixels_change_and_the_input_stays(
    rng: np.random.Generator, name: str, shape: tuple[int, ...]
) -> None:
    image = rng.integers(0, 256, shape, dtype=np.uint8)
    before = image.copy()
    covered, hidden = draw(name, image)
    assert covered.shape == shape and covered.dtype == np.uint8
    assert hidden.shape == shape[:2] and hidden.dtype == bool and hidden.any()
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(covered[~hidden], image[~hidden])
    if name in FLAT:
        assert len(np.unique(covered[hidden].reshape(hidden.sum(), -1), axis=0)) == 1


@pytest.mark.parametrize(
    ("name", "grey_tone", "rgb_tone"),
    [("mask-polygon", 167, (141, 197, 231)), ("eyes", 0, (0, 0, 0)), ("mouth", 0, (0, 0, 0))],
)
def test_the_tones_are_those_of_the_published_occluders(
    name: str, grey_tone: int, rgb_tone: tuple[int, int, int]
) -> None:
    covered, hidden = draw(name, np.full((48, 48), 90, np.uint8))
    assert set(covered[hidden].tolist()) == {grey_tone}
    covered, hidden = draw(name, np.full((48, 48, 3), 90, np.uint8))
    assert set(map(tuple, covered[hidden].tolist())) == {rgb_tone}


@pytest.mark.parametrize(("name", "first", "last"), [("eyes", 36, 48), ("mouth", 48, 68)])
def test_a_box_reaches_three_pixels_beyond_its_points(
    grey: NDArray[np.uint8], name: str, first: int, last: int
) -> None:
    _, hidden = draw(name, grey)
    rows, columns = np.nonzero(hidden)
    low, high = POINTS[first:last].min(0) - 3, POINTS[first:last].max(0) + 3
    assert [columns.min(), rows.min()] == np.ceil(low).tolist()
    assert [columns.max(), rows.max()] == np.floor(high).tolist()
    assert hidden.sum() == np.prod(np.floor(high) - np.ceil(low) + 1)


def test_the_reach_grows_with_the_image_or_is_given(rng: np.random.Generator) -> None:
    large = rng.integers(0, 256, (96, 96), dtype=np.uint8)
    _, hidden = draw("eyes", large, models.face_points(96.0))
    columns = np.nonzero(hidden)[1]
    assert columns.min() == np.ceil(models.face_points(96.0)[36:48, 0].min() - 6)
    _, narrow = draw("eyes", large, models.face_points(96.0), pad_px=0)
    assert narrow.sum() < hidden.sum()


def inside(x: float, y: float, corners: list[tuple[float, float]]) -> bool:
    """Walk round the outline and add up the turns seen from the point."""
    total = 0.0
    for (ax, ay), (bx, by) in zip(corners, [*corners[1:], corners[0]], strict=True):
        a, b = complex(ax - x, ay - y), complex(bx - x, by - y)
        total += float(np.angle(b / a))
    return abs(total) > np.pi


def test_the_mask_covers_the_pixels_whose_centres_lie_in_its_outline(
    rng: np.random.Generator,
) -> None:
    for _ in range(5):
        points = POINTS + rng.normal(0, 0.5, (68, 2)).astype(np.float32)
        _, hidden = draw("mask-polygon", np.zeros((48, 48), np.uint8), points)
        corners = [tuple(point) for point in points[[*range(2, 15), 28]].tolist()]
        expected = [[inside(x, y, corners) for x in range(48)] for y in range(48)]
        np.testing.assert_array_equal(hidden, expected)


@pytest.mark.parametrize("name", FLAT)
@pytest.mark.parametrize("shift", [(-30, 0), (30, 0), (0, -30), (0, 30), (25, 25), (1e9, 0)])
def test_points_outside_the_image_cover_what_is_left_inside(
    grey: NDArray[np.uint8], name: str, shift: tuple[float, float]
) -> None:
    canvas = np.zeros((148, 148), np.uint8)
    _, whole = draw(name, canvas, POINTS + 50 + np.float32(shift), **pad(name))
    _, hidden = draw(name, grey, POINTS + np.float32(shift), **pad(name))
    np.testing.assert_array_equal(hidden, whole[50:98, 50:98])


def pad(name: str) -> dict[str, Any]:
    return {} if name == "mask-polygon" else {"pad_px": 3}


@pytest.mark.parametrize("name", occlusion.names())
def test_the_same_again_gives_the_same(grey: NDArray[np.uint8], name: str) -> None:
    first, again = draw(name, grey), draw(name, grey)
    np.testing.assert_array_equal(first[0], again[0])
    np.testing.assert_array_equal(first[1], again[1])


@pytest.mark.parametrize(
    ("image", "points"),
    [
        (np.zeros((48, 48), np.uint8), np.full((68, 2), np.nan, np.float32)),
        (
            np.zeros((48, 48), np.uint8),
            np.where(np.arange(136).reshape(68, 2) == 7, np.inf, POINTS),
        ),
        (np.zeros((48, 48), np.uint8), POINTS[:5]),
        (np.zeros((48, 48), np.float32), POINTS),
        (np.zeros(48, np.uint8), POINTS),
        (np.zeros((48, 48, 4), np.uint8), POINTS),
    ],
)
def test_points_that_are_missing_and_strange_images_are_refused(image: Any, points: Any) -> None:
    with pytest.raises(DataError):
        draw("eyes", image, points)


def test_unknown_occluders_and_options_are_refused() -> None:
    with pytest.raises(UsageError, match="did you mean 'mouth'"):
        occlusion.occluder("moth")
    with pytest.raises(UsageError, match="does not take pad_px"):
        occlusion.occluder("surgical", pad_px=3)


def test_regions_count_as_covered_by_their_points(grey: NDArray[np.uint8]) -> None:
    shares = {name: covered_shares(draw(name, grey)[1], POINTS) for name in FLAT}
    assert shares["eyes"] == {"eyes": 1, "mouth": 0}
    assert shares["mouth"] == {"eyes": 0, "mouth": 1}
    assert shares["mask-polygon"]["mouth"] == 1
    assert shares["mask-polygon"]["eyes"] < 0.3
    _, hidden = draw("eyes", grey, POINTS - 40, pad_px=30)
    assert covered_shares(hidden, POINTS - 40)["eyes"] == 1
