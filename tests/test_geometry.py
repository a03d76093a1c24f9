import numpy as np
import pytest

from mien import geometry
from mien.errors import InputError


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(3)


def turned(points, *, angle, scale, shift):
    """An independent way to turn and scale: complex numbers."""
    z = (points[:, 0] + 1j * points[:, 1]) * scale * np.exp(1j * angle) + complex(*shift)
    return np.column_stack([z.real, z.imag])


def test_iou_of_boxes_counted_by_hand():
    a = [[0, 0, 2, 2], [10, 10, 11, 11]]
    b = [[1, 1, 3, 3], [0, 0, 2, 2]]
    assert np.allclose(geometry.box_iou(a, b), [[1 / 7, 1], [0, 0]])


def test_iou_of_empty_boxes_is_zero():
    assert geometry.box_iou([[1, 1, 1, 1]], [[1, 1, 1, 1]]) == 0


def test_nms_keeps_the_best_of_overlapping_boxes_and_all_others():
    boxes = [[0, 0, 10, 10], [1, 0, 11, 10], [20, 0, 30, 10]]
    assert geometry.nms(boxes, [0.5, 0.9, 0.7], 0.5).tolist() == [1, 2]


def test_nms_of_nothing_is_nothing():
    assert geometry.nms(np.empty((0, 4)), [], 0.5).size == 0


def test_square_box_keeps_centre_and_area():
    assert geometry.square_box((0, 0, 4, 9)) == (-1, 1.5, 5, 7.5)
    assert geometry.square_box((0, 0, 4, 4), scale=2) == (-2, -2, 6, 6)


def test_bounding_box_holds_the_points():
    assert geometry.bounding_box([[3, 1], [0, 5], [2, 2]]) == (0, 1, 3, 5)


def test_similarity_recovers_a_turn(rng):
    src = rng.normal(size=(68, 2)) * 30
    dst = turned(src, angle=0.4, scale=1.7, shift=(5, -8))
    assert np.allclose(geometry.apply(geometry.similarity(src, dst), src), dst)


def test_similarity_is_the_least_squares_one(rng):
    src, dst = rng.normal(size=(2, 68, 2))
    rows = np.zeros((136, 4))
    rows[0::2] = np.column_stack([src[:, 0], -src[:, 1], np.ones(68), np.zeros(68)])
    rows[1::2] = np.column_stack([src[:, 1], src[:, 0], np.zeros(68), np.ones(68)])
    a, b, x, y = np.linalg.lstsq(rows, dst.ravel(), rcond=None)[0]
    assert np.allclose(geometry.similarity(src, dst), [[a, -b, x], [b, a, y]])


def test_similarity_of_a_batch_is_that_of_each(rng):
    src, dst = rng.normal(size=(2, 4, 68, 2))
    each = [geometry.similarity(s, d) for s, d in zip(src, dst, strict=True)]
    assert np.allclose(geometry.similarity(src, dst), each)


@pytest.mark.parametrize("value", [1.0, np.nan])
def test_points_in_one_place_cannot_be_aligned(value):
    with pytest.raises(InputError, match="not all in one place"):
        geometry.similarity(np.full((68, 2), value), np.eye(68, 2))


def test_rotation_leaves_its_centre_and_turns_x_towards_y():
    matrix = geometry.rotation(np.pi / 2, (5, 5))
    assert np.allclose(geometry.apply(matrix, [[5, 5], [7, 5]]), [[5, 5], [5, 7]])


def test_box_edges_become_image_edges():
    matrix = geometry.box_to_image((10, 20, 30, 60), (48, 48))
    assert np.allclose(geometry.apply(matrix, [[10, 20], [30, 60]]), [[-0.5, -0.5], [47.5, 47.5]])


def test_scaling_keeps_corners_of_the_image():
    matrix = geometry.scaling((10, 20), (5, 10))
    assert np.allclose(
        geometry.apply(matrix, [[-0.5, -0.5], [19.5, 9.5]]), [[-0.5] * 2, [9.5, 4.5]]
    )


def test_invert_undoes_and_compose_joins(rng):
    a, b = rng.normal(size=(2, 2, 3))
    points = rng.normal(size=(7, 2))
    assert np.allclose(geometry.apply(geometry.invert(a), geometry.apply(a, points)), points)
    joined = geometry.apply(geometry.compose(a, b), points)
    assert np.allclose(joined, geometry.apply(b, geometry.apply(a, points)))


def test_mirroring_twice_changes_nothing(rng):
    points = rng.normal(size=(2, 68, 2))
    assert np.allclose(geometry.mirror_points(geometry.mirror_points(points, 48), 48), points)


@pytest.mark.parametrize(
    "group", [geometry.JAW, geometry.BROWS, geometry.NOSE, geometry.EYES, geometry.MOUTH]
)
def test_mirroring_stays_within_a_group(group):
    places = np.arange(68)[group]
    assert set(geometry.MIRROR[group]) == set(places)


def test_mirroring_swaps_right_and_left():
    points = np.zeros((68, 2))
    points[36] = (10, 5)
    points[8] = (20, 40)
    mirrored = geometry.mirror_points(points, 48)
    assert mirrored[45].tolist() == [37, 5]
    assert mirrored[8].tolist() == [27, 40]
