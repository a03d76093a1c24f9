import numpy as np
import pytest

import scenes
from mien import images
from mien.errors import UsageError
from mien.faces.centerface import CenterFace, _parts


@pytest.fixture(scope="module")
def detector():
    return CenterFace(threads=1)


@pytest.fixture(scope="module")
def portrait(portrait_path):
    return images.read(portrait_path)


def assert_all_found(faces, centres, side):
    assert len(faces) == len(centres)
    for x, y in centres:
        (face,) = [
            face
            for face in faces
            if face.box_xyxy[0] < x < face.box_xyxy[2] and face.box_xyxy[1] < y < face.box_xyxy[3]
        ]
        x0, y0, x1, y1 = face.box_xyxy
        assert np.hypot((x0 + x1) / 2 - x, (y0 + y1) / 2 - y) < 0.15 * side + 1
        assert 0.6 < max(x1 - x0, y1 - y0) / side < 1.5


def assert_found_everywhere(image, side, rng):
    (face, *_) = CenterFace(threads=1).detect(image)
    detector = CenterFace(min_face=min(32, side), threads=1)
    patch = scenes.face_patch(image, face.box_xyxy, side)
    picture, centres = scenes.with_faces(scenes.clouds(rng), patch, rng)
    assert_all_found(detector.detect(picture), centres, side)


@pytest.mark.parametrize("side", [20, 32, 64])
def test_small_faces_are_found_at_twenty_places(side, portrait, rng):
    assert_found_everywhere(portrait, side, rng)


@pytest.mark.parametrize("side", [20, 32, 64])
@pytest.mark.parametrize("name", ["biden.jpg", "obama.jpg"])
def test_small_faces_of_photographs_are_found(name, side, mien_data, rng):
    assert_found_everywhere(images.read(mien_data / "photos" / name), side, rng)


@pytest.mark.parametrize("min_face", [32, 20])
@pytest.mark.parametrize("scene", scenes.WITHOUT_FACES)
def test_no_face_is_found_where_there_is_none(scene, min_face, rng):
    assert CenterFace(min_face=min_face, threads=1).detect(scene(rng)) == []


def test_the_portrait_has_one_face_where_it_is(detector, portrait):
    (face,) = detector.detect(portrait)
    assert np.allclose(face.box_xyxy, (181, 58, 269, 177), atol=8)
    assert face.score > 0.8


@pytest.mark.parametrize("side", [256, 1024, 3000])
def test_a_box_scales_with_the_picture(side, detector, portrait):
    (face,) = detector.detect(images.resize(portrait, (side, side)))
    assert np.allclose(np.array(face.box_xyxy) * 512 / side, (181, 58, 269, 177), atol=10)


def test_a_face_larger_than_the_picture_is_found(detector, portrait):
    (face,) = detector.detect(images.resize(portrait[65:170, 185:265], (420, 320)))
    assert face.area > 0.6 * 420 * 320


def test_faces_come_largest_first(detector, portrait):
    picture = np.full((512, 900, 3), 60, np.uint8)
    picture[:256, :256] = images.resize(portrait, (256, 256))
    picture[:, 300:812] = portrait
    large, small = detector.detect(picture)
    assert large.area > 2 * small.area
    assert large.box_xyxy[0] > 300 > small.box_xyxy[2]


def test_a_grey_picture_is_taken(detector, portrait):
    assert len(detector.detect(images.to_grey(portrait))) == 1


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 4000, 3), (48, 48), (31, 33, 3)])
def test_any_size_is_taken(shape, detector):
    assert detector.detect(np.full(shape, 128, np.uint8)) == []


def test_a_strip_too_narrow_for_a_face_is_not_looked_at(detector, monkeypatch):
    monkeypatch.setattr(detector, "_look", None)
    assert detector.detect(np.full((1, 2_000_000, 3), 128, np.uint8)) == []


def test_two_runs_give_one_result(detector, portrait):
    first, second = detector.detect(portrait), detector.detect(portrait)
    assert [face.box_xyxy for face in first] == [face.box_xyxy for face in second]


def test_a_face_of_no_size_is_refused():
    with pytest.raises(UsageError, match="min_face must be at least 10 pixels, got 3"):
        CenterFace(min_face=3)


@pytest.mark.parametrize(
    ("box", "score", "part"),
    [
        ((500, 134, 540, 198), 0.05, True),  # hair beside the face
        ((460, 110, 500, 160), 0.2, True),  # hair above it
        ((500, 134, 540, 198), 0.5, False),  # another face, for it speaks for itself
        ((540, 134, 580, 198), 0.05, False),  # beside the head
        ((440, 100, 560, 230), 0.05, True),  # larger, but it overlaps
        ((530, 20, 690, 180), 0.05, False),  # a larger one behind
    ],
)
def test_what_is_doubtful_on_a_head_is_part_of_it(box, score, part):
    boxes = np.array([(445.0, 152.0, 516.0, 241.0), box])
    assert _parts(boxes, np.array([0.8, score])).tolist() == [False, part]
    assert not _parts(boxes[1:], np.array([score])).any()
