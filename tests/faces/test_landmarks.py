import numpy as np
import pytest

import models
from mien import geometry
from mien.errors import ModelError
from mien.faces.landmarks import Landmarker
from mien.records import Face

BOX = (100.0, 80.0, 180.0, 180.0)


@pytest.fixture
def photo(rng):
    return rng.integers(0, 256, (300, 400, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def landmarker(landmarks_path):
    return Landmarker(landmarks_path, threads=1)


def written(path, **changes):
    fields = models.landmark_metadata()
    return models.landmark_model(path, fields=fields | changes)


def frame(box, side, shift=(0.0, 0.0)):
    """The square a landmark crop is cut from, as left, top and side."""
    w, h = box[2] - box[0], box[3] - box[1]
    x, y = (box[0] + box[2]) / 2 + shift[0] * w, (box[1] + box[3]) / 2 + shift[1] * h
    length = side * np.sqrt(w * h)
    return x - length / 2, y - length / 2, length


def test_points_come_in_pixels_of_the_image(landmarker, photo):
    (face,) = landmarker.locate(photo, [Face(BOX, 0.9)])
    left, top, length = frame(BOX, 1.2)
    expected = (models.face_points(64) + 0.5) * length / 64 + np.array([left, top])
    assert np.allclose(face.points_xy, expected, atol=1e-3)
    assert face.points_xy.dtype == np.float32
    assert face.box_xyxy == BOX
    assert face.faceness == pytest.approx(1 / (1 + np.exp(-3)))


def test_the_square_lies_where_the_model_wants_it(tmp_path, photo):
    extra = {"box_side": 1.5, "box_dx": 0.1, "box_dy": -0.2}
    moved = Landmarker(written(tmp_path / "moved.onnx", extra=extra), threads=1)
    (face,) = moved.locate(photo, [Face(BOX, 0.9)])
    left, top, length = frame(BOX, 1.5, (0.1, -0.2))
    expected = (models.face_points(64) + 0.5) * length / 64 + np.array([left, top])
    assert np.allclose(face.points_xy, expected, atol=1e-3)


def test_each_pass_sees_the_face_aligned_by_the_one_before(tmp_path, photo):
    turned = geometry.apply(geometry.rotation(0.3, (30, 30)), models.face_points(64) * 0.8)
    steps = models.preparation(64, template_xy=turned.tolist())
    path = written(tmp_path / "turned.onnx", preparation=steps)
    (face,) = Landmarker(path, threads=1).locate(photo, [Face(BOX, 0.9)])
    left, top, length = frame(BOX, 1.2)
    seen = models.face_points(64).astype(float)
    points = (seen + 0.5) * length / 64 + np.array([left, top])
    for _ in range(2):
        points = geometry.apply(geometry.invert(geometry.similarity(points, turned)), seen)
    assert np.allclose(face.points_xy, points, atol=1e-2)


def test_no_faces_give_no_points(landmarker, photo):
    assert landmarker.locate(photo, []) == []


def test_many_faces_keep_their_order(landmarker, photo):
    faces = [Face((x, 50.0, x + 30, 90.0), 0.9) for x in range(300)]
    located = landmarker.locate(photo, faces)
    assert [face.box_xyxy[0] for face in located] == list(range(300))
    middles = [face.points_xy[:, 0].mean() for face in located]
    assert np.allclose(np.diff(middles), 1, atol=1e-3)


@pytest.mark.parametrize("shape", [(5, 48, 48), (3, 96, 80, 3), (0, 48, 48)])
def test_points_of_whole_faces_come_in_their_pixels(landmarker, shape):
    points, faceness = landmarker.from_whole(np.zeros(shape, np.uint8))
    assert points.shape == (shape[0], 68, 2)
    assert faceness.shape == (shape[0],)
    if shape[1:] == (48, 48):
        assert np.allclose(points, (models.face_points(64) + 0.5) * 0.75 - 0.5, atol=1e-3)


def test_temperature_makes_faceness_milder(tmp_path, photo):
    outputs = models.landmark_metadata()["outputs"]
    outputs[1]["temperature"] = 3.0
    path = written(tmp_path / "mild.onnx", outputs=outputs)
    (face,) = Landmarker(path, threads=1).locate(photo, [Face(BOX, 0.9)])
    assert face.faceness == pytest.approx(1 / (1 + np.exp(-1)))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"extra": {}}, "'box_side'"),
        ({"preparation": {"size_hw": [64, 64]}}, "must crop 'template', got 'box'"),
        ({"preparation": {"crop": "template"}}, "needs size_hw"),
    ],
)
def test_a_model_that_does_not_say_how_to_cut_is_refused(changes, message, tmp_path):
    path = written(tmp_path / "other.onnx", **changes)
    with pytest.raises(ModelError, match=message):
        Landmarker(path)


def test_a_model_of_another_kind_is_refused(expression_path):
    with pytest.raises(ModelError, match="'landmarks', found 'expression'"):
        Landmarker(expression_path)
