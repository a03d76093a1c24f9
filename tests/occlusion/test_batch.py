"""Many faces at once come out as one by one."""

import hashlib
from typing import Any

import numpy as np
import pytest

import models
from mien import occlusion
from mien.errors import DataError, UsageError
from mien.occlusion.regions import covered, covered_shares

SPECS = (*occlusion.names(), "none", "eyes+mouth", "surgical+eyes", "sunglasses+surgical", " eyes ")


def faces(n: int = 9, shape: tuple[int, ...] = (48, 48), spread: float = 2.0) -> Any:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (n, *shape), dtype=np.uint8)
    points = models.face_points()[None] + rng.normal(0, spread, (n, 1, 2))
    return images, (points + rng.normal(0, 0.5, (n, 68, 2))).astype(np.float32)


@pytest.mark.parametrize("shape", [(48, 48), (52, 60, 3)])
@pytest.mark.parametrize("spec", SPECS)
def test_a_batch_is_bit_for_bit_what_is_drawn_one_by_one(spec: str, shape: Any) -> None:
    images, points = faces(5, shape, 20)
    before = images.copy()
    painted, hidden = occlusion.batch(spec, images, points, 3, 7)
    assert painted.dtype == np.uint8 and hidden.dtype == bool and hidden.shape == (5, *shape[:2])
    np.testing.assert_array_equal(images, before)
    draw = occlusion.occluder(spec)
    for row in range(5):
        rng = np.random.default_rng([3, 7 + row])
        one, mask = draw(images[row], points[row], rng)
        np.testing.assert_array_equal(painted[row], one)
        np.testing.assert_array_equal(hidden[row], mask)


@pytest.mark.parametrize(
    "options",
    [{"severity": 0.4}, {"pad_px": 2}, {"pad_share": 0.1}, {"fixed_size": True}, {"tone": "mean"}],
)
@pytest.mark.parametrize("spec", ["eyes", "nose+mouth", "mask-polygon", "cheeks", "au6+au12"])
def test_a_large_batch_with_options_is_so_too(spec: str, options: dict[str, Any]) -> None:
    images, points = faces(300)
    painted, hidden = occlusion.batch(spec, images, points, 0, **options)
    draw = occlusion.occluder(spec, **options)
    for row in (0, 1, 255, 256, 299):
        one, mask = draw(images[row], points[row], np.random.default_rng(0))
        np.testing.assert_array_equal(painted[row], one)
        np.testing.assert_array_equal(hidden[row], mask)


# Published figures rest on these pixels.
PIXELS = {
    "mask-polygon": "f34c38040ab56f31",
    "eyes": "4b1a719b16f8a12e",
    "mouth": "3a85e62c9fbf9c4f",
}


@pytest.mark.parametrize("name", PIXELS)
def test_the_pixels_of_published_figures_stay(name: str) -> None:
    images, points = faces(200, spread=4)
    drawn = occlusion.batch(name, images, np.round(points, 1), 0)
    digest = hashlib.sha256(b"".join(part.tobytes() for part in drawn)).hexdigest()
    assert digest[:16] == PIXELS[name]


def test_joined_ones_hide_all_that_either_hides() -> None:
    images, points = faces()
    _, eyes = occlusion.batch("eyes", images, points, 0)
    _, mouth = occlusion.batch("mouth", images, points, 0)
    painted, both = occlusion.batch("eyes+mouth", images, points, 0)
    np.testing.assert_array_equal(both, eyes | mouth)
    assert not painted[both].any()


def test_none_draws_nothing() -> None:
    images, points = faces()
    for spec in ("none", "none+none"):
        painted, hidden = occlusion.batch(spec, images, points, 0)
        np.testing.assert_array_equal(painted, images)
        assert painted is not images and not hidden.any()


def test_no_faces_are_no_mistake() -> None:
    images, points = faces(0)
    for spec in ("eyes", "mask-polygon", "surgical"):
        painted, hidden = occlusion.batch(spec, images, points, 0)
        assert painted.shape == (0, 48, 48) and hidden.shape == (0, 48, 48)


@pytest.mark.parametrize("name", occlusion.names())
def test_points_far_outside_hide_nothing(name: str) -> None:
    images, points = faces(3)
    painted, hidden = occlusion.batch(name, images, points + np.float32(1e6), 0)
    assert not hidden.any()
    np.testing.assert_array_equal(painted, images)


def test_flat_realistic_ones_leave_their_silhouette() -> None:
    images, points = faces()
    _, worn = occlusion.batch("surgical", images, points, 5)
    painted, hidden = occlusion.batch("surgical", images, points, 5, style="flat", tone=33)
    np.testing.assert_array_equal(hidden, worn)
    assert set(painted[hidden].tolist()) == {33}


@pytest.mark.parametrize("spec", ["surgical", "eyes+sunglasses"])
def test_looks_from_the_bank_are_drawn_alike_in_a_batch(spec: str) -> None:
    images, points = faces(3)
    painted, hidden = occlusion.batch(spec, images, points, 5, banked=True)
    draw = occlusion.occluder(spec, banked=True)
    for row in range(3):
        one, mask = draw(images[row], points[row], np.random.default_rng([5, row]))
        np.testing.assert_array_equal(painted[row], one)
        np.testing.assert_array_equal(hidden[row], mask)
    assert (painted != occlusion.batch(spec, images, points, 5)[0]).any()


@pytest.mark.parametrize("spec", ["", "eyes+", "eyes+moth", "eye", "+"])
def test_unknown_names_are_refused_wherever_they_stand(spec: str) -> None:
    with pytest.raises(UsageError, match="unknown occluder"):
        occlusion.occluder(spec)
    with pytest.raises(UsageError, match="unknown occluder"):
        occlusion.batch(spec, *faces(1), 0)


def test_missing_points_are_named_by_their_row() -> None:
    images, points = faces(4)
    points[2, 5] = np.nan
    with pytest.raises(DataError, match="row 2 first"):
        occlusion.batch("eyes", images, points, 0)
    with pytest.raises(DataError, match=r"points of shape \(4, 68, 2\)"):
        occlusion.batch("eyes", images, points[:3], 0)


def test_styles_divide_the_names() -> None:
    assert {*occlusion.names("flat")} | {*occlusion.names("realistic")} == {*occlusion.names()}
    assert "eyes" in occlusion.names("flat") and "surgical" in occlusion.names("realistic")
    assert all(kind.doc for kind in occlusion.OCCLUDERS.values())


def test_covered_shares_of_many_are_those_of_each() -> None:
    images, points = faces(6)
    _, hidden = occlusion.batch("mask-polygon", images, points, 0)
    each = [
        list(covered_shares(mask, one).values()) for mask, one in zip(hidden, points, strict=True)
    ]
    np.testing.assert_array_equal(covered(hidden, points), each)
