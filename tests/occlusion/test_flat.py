"""Areas of the face, and the options that flat occluders take."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import models
from mien import geometry, occlusion
from mien.errors import UsageError
from mien.occlusion.frames import MEAN_FACE, mean_faces, sizes

POINTS = models.face_points()
REAL = MEAN_FACE.astype(np.float32)  # it lies as faces do
FLAT = occlusion.names("flat")
UNITS = tuple(name for name in FLAT if name.startswith("au"))


def hidden(name: str, points: Any = REAL, side: int = 48, **options: Any) -> NDArray[np.bool_]:
    draw = occlusion.occluder(name, **options)
    mask = draw(np.full((side, side), 90, np.uint8), points, np.random.default_rng(0))[1]
    return np.asarray(mask)


def holds(mask: NDArray[np.bool_], points: Any) -> float:
    """Give the share of points whose pixel is hidden."""
    x, y = np.rint(np.asarray(points)).astype(int).T
    return float(mask[y, x].mean())


def turned(points: Any, degrees: float, scale: float = 1.0, side: int = 48) -> Any:
    """Turn and scale points about the middle of an image."""
    middle = np.full(2, (side - 1) / 2)
    turn = geometry.rotation(np.radians(degrees), middle)
    return (geometry.apply(turn, middle + scale * (points - 23.5)) + 0).astype(np.float32)


def test_the_capabilities_are_all_there() -> None:
    assert {
        *("eyes", "mouth", "brows", "nose", "forehead", "cheeks", "mask-polygon"),
        *("upper", "lower", "left", "right", "au1", "au4", "au6", "au12", "au17"),
    } <= set(FLAT)


@pytest.mark.parametrize("degrees", [0, 25, -40])
@pytest.mark.parametrize(
    ("name", "group", "others"),
    [
        ("eyes", geometry.EYES, geometry.MOUTH),
        ("mouth", geometry.MOUTH, geometry.EYES),
        ("brows", geometry.BROWS, geometry.EYES),
        ("nose", geometry.NOSE, geometry.EYES),
        ("forehead", slice(0, 0), slice(0, 68)),
        ("cheeks", slice(0, 0), slice(17, 68)),
        ("upper", slice(17, 29), slice(48, 68)),
        ("lower", slice(48, 68), slice(17, 29)),
        ("left", slice(42, 48), slice(36, 42)),
        ("right", slice(36, 42), slice(42, 48)),
    ],
)
def test_an_area_holds_its_points_and_not_the_others(
    name: str, group: slice, others: slice, degrees: float
) -> None:
    points = turned(REAL, degrees, 4, 256)
    options = {"pad_px": 4} if name in ("eyes", "mouth") else {}
    mask = hidden(name, points, 256, **options)
    if group != slice(0, 0):
        assert holds(mask, points[group]) == 1
    assert mask.any()
    if not (degrees and name in ("eyes", "mouth")):  # bars stay upright
        assert holds(mask, points[others]) == 0


def test_left_and_right_are_the_subjects_own_and_mirror_images() -> None:
    left, right = hidden("left"), hidden("right")
    assert left[:, -1].all() and right[:, 0].all()
    np.testing.assert_array_equal(left[:, ::-1], right)
    assert not (hidden("upper") & hidden("lower")).any(axis=1).sum() > 1


@pytest.mark.parametrize("name", [name for name in FLAT if name not in ("left", "right")])
def test_areas_are_symmetric(name: str) -> None:
    mask = hidden(name, turned(REAL, 0, 4, 256), 256)
    assert (mask != mask[:, ::-1]).mean() < 0.01


@pytest.mark.parametrize("name", UNITS)
def test_action_units_are_squares_about_published_centres(name: str) -> None:
    points = turned(REAL, 0, 20, 1024)
    eyes = float(np.hypot(*(points[42] - points[39])))
    centres = {
        "au1": (21, -1 / 2),
        "au2": (18, -1 / 3),
        "au4": (19, 1 / 3),
        "au6": (41, 1),
        "au7": (38, 0),
        "au10": (61, 0),
        "au17": (58, 1 / 2),
        "au23": (51, 0),
        "au24": (51, 0),
    }
    point, drop = centres.get(name, (48, 0))
    half = 0.69 * eyes / 2
    for index in {point, int(geometry.MIRROR[point])}:
        x, y = points[index] + [0, drop * eyes]
        mask = hidden(name, points, 1024)
        corners = [[x + a * half, y + b * half] for a in (-0.97, 0.97) for b in (-0.97, 0.97)]
        assert holds(mask, corners) == 1
    assert mask.sum() <= 2 * (2 * half + 1) ** 2


# The squares of the others overlap.
@pytest.mark.parametrize("name", [n for n in FLAT if n not in ("au10", "au17", "au23", "au24")])
def test_severity_is_the_share_of_the_area(name: str) -> None:
    points = turned(REAL, 10, 6, 600)
    whole = hidden(name, points, 600).sum()
    for severity in (0.25, 0.7):
        assert hidden(name, points, 600, severity=severity).sum() == pytest.approx(
            severity * whole, rel=0.03
        )
    assert not hidden(name, points, 600, severity=0).any()
    np.testing.assert_array_equal(
        hidden(name, points, 600, severity=1.0), hidden(name, points, 600)
    )


@pytest.mark.parametrize("name", ["nose", "upper", "mask-polygon", "au6"])
def test_a_pad_moves_every_edge_outwards(name: str) -> None:
    points = turned(REAL, 15, 2, 256)
    narrow, wide = hidden(name, points, 256), hidden(name, points, 256, pad_px=5)
    assert not (narrow & ~wide).any()
    near = np.array([np.roll(narrow, by, axis) for by in (-3, 3) for axis in (0, 1)]).any(0)
    assert not (near & ~wide).any()
    far = np.array([np.roll(wide, by, axis) for by in (-1, 1) for axis in (0, 1)]).all(0)
    assert (far.sum() - narrow.sum()) > 0


def test_a_share_of_the_face_grows_with_it() -> None:
    for scale in (2, 5):
        points = turned(REAL, 0, scale, 400)
        mask = hidden("mouth", points, 400, pad_share=0.1)
        columns = np.nonzero(mask)[1]
        assert columns.min() == np.ceil(points[48:, 0].min() - 3.6 * scale)
    assert sizes(points.astype(float)[None])[0] == pytest.approx(36 * 5, rel=0.01)


def test_in_a_photograph_the_usual_reach_goes_by_the_face() -> None:
    points = turned(REAL, 0, 2, 400)
    np.testing.assert_array_equal(
        hidden("eyes", points, 400, photograph=True),
        hidden("eyes", points, 400, pad_share=3 / 36),
    )
    assert hidden("eyes", points, 400).sum() > hidden("eyes", points, 400, photograph=True).sum()


@pytest.mark.parametrize("name", ["mouth", "mask-polygon", "lower", "brows"])
def test_a_fixed_size_says_nothing_of_the_expression(name: str) -> None:
    moved = REAL.copy()
    moved[48:] += [0, 4]
    moved[56:60] += [0, 3]
    moved[4:13] += [0, 5]
    moved[17:27] -= [0, 3]
    np.testing.assert_array_equal(
        hidden(name, REAL, fixed_size=True), hidden(name, moved, fixed_size=True)
    )
    if name == "mouth":
        assert holds(hidden(name, moved, fixed_size=True), moved[48:]) == 1
    if name != "lower":
        assert (hidden(name, REAL) != hidden(name, moved)).any()


def test_a_box_may_have_the_same_pixels_on_every_face(rng: np.random.Generator) -> None:
    for _ in range(20):
        points = turned(REAL, rng.normal(0, 10), rng.uniform(0.7, 1.0))
        mask = hidden("mouth", points, fixed_size=(21, 14))
        rows, columns = np.nonzero(mask)
        assert np.ptp(columns) == 20 and np.ptp(rows) == 13 and mask.sum() == 21 * 14
    lips = mean_faces(REAL[None].astype(float))[0, 48:]
    assert holds(hidden("mouth", fixed_size=(21, 14)), lips) == 1


@pytest.mark.parametrize(
    ("tone", "grey", "rgb"),
    [
        (128, 128, (128, 128, 128)),
        ((255, 0, 0), 76, (255, 0, 0)),
        ([0, 0, 0], 0, (0, 0, 0)),
        (0, 0, (0, 0, 0)),
        ("mean", 90, (90, 100, 110)),
    ],
)
@pytest.mark.parametrize("name", ["nose", "mask-polygon", "surgical"])
def test_tones_fit_grey_and_colour(name: str, tone: Any, grey: int, rgb: tuple[int, ...]) -> None:
    draw = occlusion.occluder(name, tone=tone, style="flat")
    rng = np.random.default_rng(0)
    image, mask = draw(np.full((48, 48), 90, np.uint8), POINTS, rng)
    assert set(image[mask].tolist()) == {grey}
    colour = np.full((48, 48, 3), (90, 100, 110), np.uint8)
    image, mask = draw(colour, POINTS, rng)
    assert set(map(tuple, image[mask].tolist())) == {rgb}
    assert (image[~mask] == colour[~mask]).all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"tone": 256}, "a tone must be"),
        ({"tone": (1, 2)}, "a tone must be"),
        ({"tone": "red"}, "a tone must be"),
        ({"tone": 0.5}, "a tone must be"),
        ({"severity": 1.5}, "severity must lie between 0 and 1"),
        ({"severity": float("nan")}, "severity must lie between 0 and 1"),
        ({"pad_px": -1}, "a pad must be at least 0"),
        ({"pad_px": 1, "pad_share": 0.1}, "expected one of pad_px"),
        ({"pad_px": 1, "fixed_size": (2, 3)}, "expected one of pad_px"),
        ({"fixed_size": (0, 3)}, "a width and a height"),
        ({"style": "flatt"}, "did you mean 'flat'"),
        ({"style": "realistic"}, "is flat; realistic are"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        occlusion.occluder("eyes", **options)


def test_points_in_one_place_hide_nothing_much_and_do_not_fail() -> None:
    for name in FLAT:
        assert hidden(name, np.full((68, 2), 20, np.float32)).sum() <= 49
