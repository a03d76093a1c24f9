"""Objects that are drawn as they look, one by one and from the bank."""

import numpy as np
import pytest
from numpy.typing import NDArray

import models
from mien import geometry
from mien.errors import UsageError
from mien.occlusion import bank, hair, patterns
from mien.occlusion.bank import banked
from mien.occlusion.kinds import Draw, Image
from mien.occlusion.painting import LUMA
from mien.occlusion.realistic import REALISTIC
from mien.occlusion.regions import covered_shares

POINTS = models.face_points()
LOWER = ("surgical", "n95", "cloth", "scarf", "hand", "microphone")
UPPER = ("sunglasses", "sunglasses-tinted", "sunglasses-reflecting", "headset")

each = pytest.mark.parametrize("name", REALISTIC)
ways = pytest.mark.parametrize("way", ["drawn", "banked"])


def drawer(way: str, name: str, severity: float = 1.0) -> Draw:
    if way == "banked":
        return banked(name, severity=severity)
    return REALISTIC[name].make(severity=severity)


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def face(level: int = 135, spread: int = 30, side: int = 48) -> Image:
    noise = rng(1).integers(-spread, spread + 1, (side, side))
    return (level + noise).clip(0, 255).astype(np.uint8)


@ways
@each
@pytest.mark.parametrize("shape", [(48, 48), (50, 60, 3)])
def test_only_the_hidden_pixels_change_and_the_same_again_gives_the_same(
    way: str, name: str, shape: tuple[int, ...]
) -> None:
    image = rng().integers(0, 256, shape, dtype=np.uint8)
    before = image.copy()
    covered, hidden = drawer(way, name)(image, POINTS, rng(2))
    again, hidden_again = drawer(way, name)(image, POINTS, rng(2))
    assert covered.dtype == np.uint8 and covered.shape == shape
    assert hidden.dtype == bool and hidden.shape == shape[:2] and hidden.any()
    np.testing.assert_array_equal(image, before)
    np.testing.assert_array_equal(covered[~hidden], image[~hidden])
    np.testing.assert_array_equal(covered, again)
    np.testing.assert_array_equal(hidden, hidden_again)


@ways
@each
def test_what_is_grey_is_the_luma_of_what_is_coloured(way: str, name: str) -> None:
    grey = face()
    painted, hidden = drawer(way, name)(grey, POINTS, rng(4))
    coloured, same = drawer(way, name)(np.repeat(grey[..., None], 3, 2), POINTS, rng(4))
    np.testing.assert_array_equal(hidden, same)
    unclipped = hidden & (coloured.max(-1) < 255)
    np.testing.assert_allclose(painted[unclipped], (coloured @ LUMA)[unclipped], atol=2.5)


@each
def test_a_higher_severity_hides_more_of_the_face(name: str) -> None:
    left, top, right, bottom = (int(side) for side in geometry.bounding_box(POINTS))
    for seed in range(2):
        areas = [
            drawer("drawn", name, severity)(face(), POINTS, rng(seed))[1]
            for severity in (0.0, 0.3, 0.65, 1.0)
        ]
        counts = [int(hidden[top : bottom + 1, left : right + 1].sum()) for hidden in areas]
        assert not areas[0].any()
        assert counts == sorted(counts) and counts[-1] > counts[1]


@ways
def test_severity_0_changes_nothing_and_one_out_of_range_is_refused(way: str) -> None:
    painted, hidden = drawer(way, "n95", 0.0)(face(), POINTS, rng())
    np.testing.assert_array_equal(painted, face())
    assert not hidden.any()
    with pytest.raises(UsageError, match="from 0"):
        drawer(way, "n95", 1.2)


@each
@pytest.mark.parametrize("shift", [(-30, 0), (25, 25), (0, -30), (500, 0)])
def test_what_lies_outside_the_image_is_cut_off(name: str, shift: tuple[int, int]) -> None:
    points = POINTS.astype(np.float64) + shift
    canvas = np.zeros((148, 148), np.uint8)
    _, whole = drawer("drawn", name)(canvas, points + 50, rng())
    _, hidden = drawer("drawn", name)(canvas[:48, :48], points, rng())
    np.testing.assert_array_equal(hidden, whole[50:98, 50:98])
    drawer("banked", name)(canvas[:48, :48], points, rng())


@ways
@pytest.mark.parametrize("name", [*LOWER, *UPPER])
@pytest.mark.parametrize("degrees", [0, -25])
def test_it_hides_its_region_and_leaves_the_other(way: str, name: str, degrees: float) -> None:
    turn = geometry.rotation(np.radians(degrees), (24, 24))
    points = geometry.apply(turn, POINTS).astype(np.float32)
    region, other = ("mouth", "eyes") if name in LOWER else ("eyes", "mouth")
    for seed in range(3):
        shares = covered_shares(drawer(way, name)(face(), points, rng(seed))[1], points)
        assert shares[region] >= 0.75
        assert shares[other] <= (0.5 if name == "hand" else 0)


def test_hair_is_drawn_where_it_is_seen_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def counted(rng: np.random.Generator) -> patterns.Noise:
        strand = patterns.noise(rng)

        def at(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
            asked.append(x.size)
            return strand(x, y)

        return at

    monkeypatch.setattr(hair, "noise", counted)
    _, hidden = drawer("drawn", "hair")(face(side=240), POINTS * 5, rng())
    samples = 16 * int(hidden.sum())
    assert 0.5 * samples < sum(asked) < 2 * samples  # of thirty locks most lie under others


def test_hair_hides_eyes_and_clear_glasses_do_not() -> None:
    def shares(name: str) -> list[float]:
        drawn = [drawer("drawn", name)(face(), POINTS, rng(seed))[1] for seed in range(6)]
        return [covered_shares(hidden, POINTS)["eyes"] for hidden in drawn]

    assert np.mean(shares("hair")) > 0.6
    assert min(shares("glasses")) < 0.5


def test_eyes_are_seen_through_tinted_lenses_and_not_through_mirrors() -> None:
    x, y = np.rint(POINTS[geometry.EYES]).astype(int).T
    for name, clear in (("sunglasses-tinted", True), ("sunglasses-reflecting", False)):
        one, other = (
            drawer("drawn", name)(image, POINTS, rng(3))[0].astype(int)
            for image in (face(spread=0), with_eyes(face(spread=0), 90))
        )
        assert (np.abs(one - other)[y, x] > 10).any() == clear


def with_eyes(image: Image, level: int) -> Image:
    """Paint the eyes' points, from which no light is read."""
    x, y = np.rint(POINTS[geometry.EYES]).astype(int).T
    image[y, x] = level
    return image


@ways
@pytest.mark.parametrize("name", ["cloth", "n95", "scarf", "headset", "hand"])
def test_it_is_lit_like_the_face_and_from_the_same_side(way: str, name: str) -> None:
    def tones(image: Image) -> NDArray[np.float64]:
        painted, hidden = drawer(way, name)(image, POINTS, rng(5))
        halves = [(slice(None), slice(8, 20)), (slice(None), slice(28, 40))]
        return np.array([painted[half][hidden[half]].mean() for half in halves])

    slope = np.linspace(-40, 40, 48)
    light = face(level=130, spread=0)
    from_left, from_right = ((light + way * slope).astype(np.uint8) for way in (-1, 1))
    left, right = tones(from_left), tones(from_right)
    assert left[0] > right[0] and left[1] < right[1]
    assert tones(face(level=60, spread=0)).mean() < 0.8 * tones(light).mean()


@ways
def test_a_hand_has_the_colour_of_the_skin(way: str) -> None:
    skin = np.broadcast_to(np.array([150, 100, 80], np.uint8), (48, 48, 3)).copy()
    painted, hidden = drawer(way, "hand")(skin, POINTS, rng(1))
    left, top, right, bottom = (int(side) for side in geometry.bounding_box(POINTS[48:]))
    part = painted[top:bottom, left:right][hidden[top:bottom, left:right]].astype(float)
    assert np.median(part[:, 0] / part[:, 1]) == pytest.approx(1.5, abs=0.1)
    assert np.median(part[:, 0] / part[:, 2]) == pytest.approx(150 / 80, abs=0.15)


@each
def test_there_are_many_makes(name: str) -> None:
    draw = drawer("drawn", name)
    looks = {draw(face(), POINTS, rng(seed))[0].tobytes() for seed in range(4)}
    assert len(looks) == 4


def test_the_cloth_of_a_turned_head_is_pressed_together_on_the_far_side() -> None:
    points = models.face_points(240)
    points[geometry.NOSE, 0] += 45
    _, hidden = drawer("drawn", "cloth")(face(side=240), points, rng(0))
    row = hidden[int(points[33, 1])]
    nose = int(points[33, 0])
    assert row[nose:].sum() < row[:nose].sum()


def test_the_bank_holds_what_its_seed_says() -> None:
    def drawn(seed: int) -> Image:
        return banked("cloth", seed=seed)(face(), POINTS, rng(1))[0]

    one, other = drawn(0), drawn(1)
    assert (one != other).any()
    bank._texture.cache_clear()
    np.testing.assert_array_equal(drawn(0), one)


def test_the_bank_lays_an_object_where_it_would_be_drawn() -> None:
    for name in ("surgical", "sunglasses", "headset"):
        masks = [drawer(way, name)(face(), POINTS, rng(1))[1] for way in ("drawn", "banked")]
        both, any_ = (masks[0] & masks[1]).sum(), (masks[0] | masks[1]).sum()
        assert both > 0.6 * any_


def test_an_unknown_object_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match="did you mean 'headset'"):
        banked("headsets")


@ways
def test_points_all_in_one_place_draw_something_or_nothing(way: str) -> None:
    for name in REALISTIC:
        if (way, name) != ("drawn", "surgical"):
            painted, _ = drawer(way, name)(face(), np.full((68, 2), 20.0), rng())
            assert painted.shape == (48, 48)
