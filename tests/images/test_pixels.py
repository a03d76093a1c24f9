import numpy as np
import pytest

from mien import geometry, images
from mien.errors import UsageError


@pytest.fixture
def smooth():
    """A smooth grey picture (60, 80)."""
    y, x = np.mgrid[:60, :80]
    return np.rint(128 + 60 * np.sin(x / 9) + 60 * np.cos(y / 7)).astype(np.uint8)


def test_grey_weighs_colours_as_itu_r_601(rng):
    image = rng.integers(0, 256, (9, 7, 3), dtype=np.uint8)
    expected = image @ np.array([0.299, 0.587, 0.114])
    assert np.abs(images.to_grey(image) - expected).max() <= 0.51


def test_grey_stays_grey_and_colour_stays_coloured(smooth):
    assert images.to_grey(smooth) is smooth
    rgb = images.to_rgb(smooth)
    assert rgb.shape == (60, 80, 3)
    assert np.array_equal(images.to_grey(rgb), smooth)
    assert images.to_rgb(rgb) is rgb


def test_resizing_to_the_same_size_changes_nothing(smooth):
    assert images.resize(smooth, (60, 80)) is smooth


def test_shrinking_averages(rng):
    noise = rng.integers(0, 256, (400, 400), dtype=np.uint8)
    assert images.resize(noise, (10, 10)).std() < 10


@pytest.mark.parametrize(
    ("interpolation", "expected"),
    [
        ("area", [0, 0, 200, 200]),
        ("bilinear", [0, 25, 175, 200]),  # 1, 3, 3 and 1 of 8
        ("bicubic", [0, 13, 187, 203]),
    ],
)
def test_an_interpolation_weighs_the_pixels_by_its_filter(interpolation, expected):
    row = np.array([[0, 0, 0, 0, 200, 200, 200, 200]], np.uint8)
    assert images.resize(row, (1, 4), interpolation=interpolation)[0].tolist() == expected


def test_area_weighs_pixels_that_are_covered_in_part():
    row = np.array([[0, 90, 180]], np.uint8)
    assert images.resize(row, (1, 2), interpolation="area")[0].tolist() == [30, 150]


def test_area_is_bilinear_where_a_side_grows():
    row = np.array([[0, 80]], np.uint8)
    assert images.resize(row, (1, 4), interpolation="area")[0].tolist() == [0, 20, 60, 80]


def test_levels_do_not_wrap_around(rng):
    face = rng.choice(np.array([0, 255], np.uint8), (48, 48))
    large = images.resize(face, (110, 110), interpolation="bicubic").astype(int)
    linear = images.resize(face, (110, 110), interpolation="bilinear").astype(int)
    assert np.abs(large - linear).max() < 128


@pytest.mark.parametrize("interpolation", ["area", "bilinear", "bicubic", "lanczos"])
def test_a_box_is_resized_like_an_image_of_its_own(interpolation, smooth):
    box = geometry.box_to_image((9.5, 4.5, 41.5, 36.5), (16, 16))
    found = images.warp(smooth, box, (16, 16), interpolation=interpolation).astype(int)
    expected = images.resize(smooth[5:37, 10:42], (16, 16), interpolation=interpolation)
    assert np.abs(found - expected)[3:-3, 3:-3].max() <= 1
    if interpolation == "area":
        assert np.array_equal(found, expected)


@pytest.mark.parametrize("interpolation", ["area", "bilinear", "bicubic", "lanczos"])
@pytest.mark.parametrize("scale", [0.3, 1.0, 2.0])
def test_an_interpolation_turns_and_scales_as_any_warp(interpolation, scale, smooth):
    matrix = geometry.rotation(0.4, (40, 30)) * scale
    size_hw = (round(60 * scale), round(80 * scale))
    found = images.warp(smooth, matrix, size_hw, interpolation=interpolation).astype(int)
    assert np.abs(found - images.warp(smooth, matrix, size_hw)).mean() < 2.5


def test_an_unknown_interpolation_is_refused(smooth):
    with pytest.raises(UsageError, match="unknown interpolation 'cubic'; did you mean 'bicubic'"):
        images.resize(smooth, (30, 40), interpolation="cubic")


def test_the_identity_warps_nothing(smooth):
    assert np.array_equal(images.warp(smooth, np.eye(2, 3), (60, 80)), smooth)


def test_a_shift_by_whole_pixels_moves_pixels(smooth):
    moved = images.warp(smooth, [[1, 0, -10], [0, 1, -5]], (20, 30))
    assert np.array_equal(moved, smooth[5:25, 10:40])


def test_a_quarter_turn_turns_pixels(smooth):
    matrix = geometry.rotation(np.pi / 2, (0, 0))
    matrix[0, 2] = 59
    turned = images.warp(smooth, matrix, (80, 60))
    assert np.abs(turned - np.rot90(smooth, -1).astype(int)).max() <= 1


@pytest.mark.parametrize("scale", [0.11, 0.3, 0.6, 1.0, 2.7])
def test_a_point_lands_where_the_matrix_sends_it(scale):
    y, x = np.mgrid[:200, :200]
    spot = (255 * np.exp(-((x - 120) ** 2 + (y - 90) ** 2) / 2 / (2.5 / scale) ** 2)).astype(
        np.uint8
    )
    matrix = geometry.compose(geometry.rotation(0.3, (120, 90)), [[scale, 0, 3], [0, scale, -1]])
    side = int(200 * scale) + 20
    out = images.warp(spot, matrix, (side, side), fill=0).astype(float)
    rows, columns = np.mgrid[:side, :side]
    centre = [(out * columns).sum() / out.sum(), (out * rows).sum() / out.sum()]
    assert np.allclose(centre, geometry.apply(matrix, [[120, 90]])[0], atol=0.15)


def test_warping_shrinks_without_aliases(rng):
    noise = rng.integers(0, 256, (600, 600, 3), dtype=np.uint8)
    out = images.warp(noise, geometry.scaling((600, 600), (30, 30)), (30, 30))
    assert np.abs(out[2:-2, 2:-2].astype(float) - 127.5).max() < 40


def test_the_border_repeats(smooth):
    out = images.warp(smooth, [[1, 0, 20], [0, 1, 0]], (60, 120))
    assert np.array_equal(out[:, :20], np.repeat(smooth[:, :1], 20, axis=1))
    assert np.array_equal(out[:, 100:], np.repeat(smooth[:, -1:], 20, axis=1))


def test_the_border_is_filled_when_asked(smooth):
    out = images.warp(smooth, [[1, 0, 20], [0, 1, 0]], (60, 120), fill=7)
    assert (out[:, :18] == 7).all()
    assert np.array_equal(out[:, 22:98], smooth[:, 2:78])


def test_a_box_is_cut_out_as_far_as_the_image_has_it(smooth):
    part, corner = images.within(smooth, (-3, 5, 9.6, 20))
    np.testing.assert_array_equal(part, smooth[5:21, :11])
    assert corner.tolist() == [0, 5]
    for box in (None, [np.nan] * 4, (500, 500, 600, 600)):
        assert images.within(smooth, box)[0] is smooth


def test_one_pixel_fills_the_canvas():
    image = np.full((1, 1, 3), 9, np.uint8)
    out = images.warp(image, geometry.scaling((1, 1), (48, 48)), (48, 48))
    assert (out == 9).all()


@pytest.mark.parametrize("interpolation", ["auto", "area"])
def test_a_crop_far_outside_stays_bearable(smooth, interpolation):
    for matrix in ([[1e-4, 0, 0], [0, 1e-4, 0]], [[1, 0, 1e7], [0, 1, 0]]):
        warped = images.warp(smooth, matrix, (48, 48), interpolation=interpolation)
        assert warped.shape == (48, 48)
