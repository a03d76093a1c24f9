"""What is worn on a face: sunglasses and a surgical mask."""

from collections.abc import Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

import models
from mien import geometry, images, occlusion
from mien.occlusion.kinds import Image, Mask
from mien.occlusion.regions import covered_shares

HIDES = {"sunglasses": ("eyes", "mouth"), "surgical": ("mouth", "eyes")}
SIDE = 48

worn = pytest.mark.parametrize("name", HIDES)


def face(side: int = SIDE, level: int = 135, spread: int = 40) -> Image:
    noise = np.random.default_rng(1).integers(-spread, spread + 1, (side, side))
    return (level + noise).clip(0, 255).astype(np.uint8)


def put_on(name: str, image: Image, points: NDArray[np.float32], seed: int) -> tuple[Image, Mask]:
    return occlusion.occluder(name)(image, points, np.random.default_rng(seed))


def makes(name: str, image: Image) -> Iterator[tuple[Image, Mask]]:
    points = models.face_points(len(image))
    return (put_on(name, image, points, seed) for seed in range(12))


@worn
@pytest.mark.parametrize("side", [SIDE, 110])
@pytest.mark.parametrize("degrees", [0, 20, -35])
def test_it_hides_its_region_and_leaves_the_other(name: str, side: int, degrees: float) -> None:
    centre = (side / 2, side / 2)
    turn = geometry.rotation(np.radians(degrees), centre)
    points = geometry.apply(turn, models.face_points(side)).astype(np.float32)
    region, other = HIDES[name]
    for seed in range(10):
        shares = covered_shares(put_on(name, face(side), points, seed)[1], points)
        assert shares[region] == 1 and shares[other] == 0


@worn
def test_nothing_of_the_face_shines_through(name: str) -> None:
    points = models.face_points()
    left, top, right, bottom = np.array(geometry.bounding_box(points)).astype(int)
    one = face()
    other = one.copy()
    part = other[top : bottom + 2, left : right + 2]
    part[...] = np.random.default_rng(2).permutation(part.ravel()).reshape(part.shape)
    region = geometry.EYES if name == "sunglasses" else geometry.MOUTH
    x, y = np.rint(points[region]).astype(int).T
    for seed in range(10):
        first, second = (put_on(name, image, points, seed)[0] for image in (one, other))
        np.testing.assert_array_equal(first[y, x], second[y, x])


@worn
def test_a_larger_picture_shows_the_same_finer(name: str) -> None:
    for seed in range(5):
        small, hidden = put_on(name, face(spread=0), models.face_points(), seed)
        large, _ = put_on(name, face(4 * SIDE, spread=0), on_larger(models.face_points(), 4), seed)
        difference = images.resize(large, (SIDE, SIDE)).astype(float) - small
        assert np.abs(difference[hidden]).mean() < 6


def on_larger(points: NDArray[np.float32], times: int) -> NDArray[np.float32]:
    matrix = geometry.scaling((SIDE, SIDE), (times * SIDE, times * SIDE))
    return geometry.apply(matrix, points).astype(np.float32)


@worn
def test_there_are_many_makes(name: str) -> None:
    levels = {int(np.median(image[hidden])) for image, hidden in makes(name, face())}
    areas = {int(hidden.sum()) for _, hidden in makes(name, face())}
    assert max(levels) - min(levels) > 40 and len(areas) > 5


@worn
def test_it_is_lit_like_the_face(name: str) -> None:
    for (dark, hidden), (light, _) in zip(
        makes(name, face(level=60)), makes(name, face(level=150)), strict=True
    ):
        assert dark[hidden].mean() < light[hidden].mean()


@worn
@pytest.mark.parametrize("shift", [(-30, 0), (30, 0), (0, -30), (25, 25), (500, 0)])
def test_what_lies_outside_the_image_is_cut_off(name: str, shift: tuple[int, int]) -> None:
    points = models.face_points().astype(np.float64) + shift
    canvas = np.zeros((148, 148), np.uint8)
    _, whole = occlusion.occluder(name)(canvas, points + 50, np.random.default_rng(0))
    _, hidden = occlusion.occluder(name)(canvas[:48, :48], points, np.random.default_rng(0))
    np.testing.assert_array_equal(hidden, whole[50:98, 50:98])


def test_sunglasses_are_two_lenses_a_bridge_and_temples() -> None:
    side = 240
    points = models.face_points(side)
    for image, hidden in makes("sunglasses", face(side)):
        bridge = points[27].astype(int)
        columns = hidden[:, [int(points[36, 0]), bridge[0], int(points[45, 0])]].sum(0)
        assert 0 < columns[1] < columns[0] / 3 and columns[1] < columns[2] / 3
        ends = hidden[:, int(points[0, 0]) + 2].any(), hidden[:, int(points[16, 0]) - 2].any()
        assert all(ends)
        assert len(np.unique(image[hidden])) > 1


def test_the_lens_behind_the_nose_of_a_turned_head_is_narrower() -> None:
    side = 240
    points = models.face_points(side)
    points[27, 0] = 0.6 * points[42:48, 0].mean() + 0.4 * points[27, 0]
    _, hidden = put_on("sunglasses", face(side), points, 0)
    row = hidden[int(points[36:48, 1].mean())]
    bridge = int(points[27, 0])
    assert row[bridge:].sum() < 0.7 * row[:bridge].sum()


def test_a_surgical_mask_is_folded_and_tied_behind_the_ears() -> None:
    side = 240
    points = models.face_points(side)
    ears = [(points[0] + points[1]) / 2, (points[15] + points[16]) / 2]
    for image, hidden in makes("surgical", face(side, spread=0)):
        column = int(points[51, 0])
        cloth = image[hidden[:, column], column].astype(float)
        falls = np.diff(cloth) < -0.04 * cloth[1:]
        assert (np.diff(falls.astype(int)) == 1).sum() >= 3
        for x, y in np.rint(ears).astype(int):
            assert hidden[y - 3 : y + 4, max(x - 15, 0) : x + 16].any()
        assert hidden[int(points[8, 1]) - 4, int(points[8, 0])]
