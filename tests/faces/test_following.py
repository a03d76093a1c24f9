"""A face is followed by its points from picture to picture; the detector looks when in doubt."""

import dataclasses
import math

import numpy as np
import pytest

from mien import geometry, images
from mien.faces import following
from mien.faces.finding import FaceFinder
from mien.faces.following import FollowingFinder
from mien.images import Image
from mien.records import Face

pytestmark = pytest.mark.usefixtures("shipped_models")
SIDE, LOOK_S = 400, following.LOOK_S


class Counted(FollowingFinder):
    """Counts the pictures that the detector looked at."""

    def __init__(self) -> None:
        super().__init__(FaceFinder(min_face=48, threads=1))
        self.looks = 0

    def find(self, image: Image) -> list[Face]:
        before, candidates = self._detector, self._detector.candidates

        def counted(image: Image) -> list[Face]:
            self.looks += 1
            return candidates(image)

        self._detector = _With(counted)
        try:
            return super().find(image)
        finally:
            self._detector = before


class _With:
    def __init__(self, candidates):
        self.candidates = candidates


@pytest.fixture(scope="module")
def portrait(portrait_path) -> Image:
    return images.resize(images.read(portrait_path)[:400, 20:420], (200, 200))


@pytest.fixture
def finder() -> Counted:
    return Counted()


@pytest.fixture(autouse=True)
def no_hurry(monkeypatch):
    monkeypatch.setattr(following, "LOOK_S", math.inf)


def scene(*placed: tuple[Image, int, int]) -> Image:
    picture = np.full((SIDE, 2 * SIDE, 3), 120, np.uint8)
    for part, x, y in placed:
        picture[y : y + part.shape[0], x : x + part.shape[1]] = part
    return picture


def test_a_face_that_moves_keeps_its_points_and_its_box(finder, portrait):
    plain = FaceFinder(min_face=48, threads=1)
    for number in range(6):
        picture = scene((portrait, 100 + 12 * number, 60 + 5 * number))
        (face,), (found,) = finder.find(picture), plain.find(picture)
        side = found.box_xyxy[2] - found.box_xyxy[0]
        assert np.abs(face.points_xy - found.points_xy).max() < 0.02 * side
        assert np.abs(np.subtract(face.box_xyxy, found.box_xyxy)).max() < 0.1 * side
        assert face.faceness == pytest.approx(found.faceness, abs=0.05)
    assert finder.looks == 1


def test_the_box_grows_with_the_face(finder, portrait):
    (before,) = finder.find(scene((portrait, 100, 60)))
    larger = images.resize(portrait, (230, 230))
    (after,) = finder.find(scene((larger, 85, 45)))
    assert finder.looks == 1
    assert math.sqrt(after.area / before.area) == pytest.approx(1.15, abs=0.03)


def test_the_detector_looks_again_when_it_is_time(finder, portrait, monkeypatch):
    monkeypatch.setattr(following, "LOOK_S", 0.0)
    for _ in range(3):
        assert len(finder.find(scene((portrait, 100, 60)))) == 1
    assert finder.looks == 3


def test_between_looks_a_face_is_followed_for_a_fifth_of_a_second(finder, portrait, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(following, "LOOK_S", LOOK_S)
    monkeypatch.setattr(following.time, "perf_counter", lambda: clock[0])
    looks = []
    for number in range(11):
        clock[0] = number / 25
        finder.find(scene((portrait, 100, 60)))
        looks.append(finder.looks)
    assert looks == [1, 1, 1, 1, 1, 2, 2, 2, 2, 2, 3]


def test_a_picture_of_another_size_is_another_view(finder, portrait):
    picture = scene((portrait, 100, 60))
    finder.find(picture)
    finder.find(picture[:-10])
    assert finder.looks == 2


def test_where_there_is_no_face_the_detector_looks_at_each_picture(finder, portrait):
    assert finder.find(scene()) == finder.find(scene()) == []
    assert finder.looks == 2
    assert len(finder.find(scene((portrait, 300, 100)))) == 1


def test_a_face_that_is_gone_is_gone_at_once(finder, portrait):
    finder.find(scene((portrait, 100, 60)))
    assert finder.find(scene()) == []
    assert finder.looks == 2


def test_a_face_that_jumps_is_found_where_it_is(finder, portrait):
    finder.find(scene((portrait, 40, 60)))
    (face,) = finder.find(scene((portrait, 500, 150)))
    assert finder.looks == 2
    assert face.box_xyxy[0] > 500


def test_several_faces_are_followed_largest_first(finder, portrait):
    head = portrait[10:110, 55:155]
    large, small = (images.resize(head, (side, side)) for side in (200, 150))
    for number in range(3):
        faces = finder.find(scene((small, 40 + 5 * number, 60), (large, 450, 100)))
        assert [face.box_xyxy[0] > 400 for face in faces] == [True, False]
    assert finder.looks == 1


class Told:
    """A landmark network that says where each face went, once, and how sure it is of it."""

    threshold = 0.5

    def __init__(self, *moves, faceness=0.99):
        self.moves, self.faceness = moves, faceness

    def locate(self, image, faces):
        if len(faces) != len(self.moves):
            return list(faces)
        return [
            dataclasses.replace(
                face,
                points_xy=geometry.apply(move, face.points_xy).astype(np.float32),
                faceness=self.faceness,
            )
            for face, move in zip(faces, self.moves, strict=True)
        ]


def told(face: Face, x: float, y: float, growth: float = 1.0) -> list[list[float]]:
    """Move a face's points and let them grow about the middle of its box."""
    middle = np.reshape(face.box_xyxy, (2, 2)).mean(axis=0)
    shift = middle * (1 - growth) + [x, y]
    return [[growth, 0.0, shift[0]], [0.0, growth, shift[1]]]


@pytest.mark.parametrize(
    ("x", "growth", "faceness", "looks"),
    [
        (10, 1.0, 0.99, 1),
        (200, 1.0, 0.99, 2),  # jumped
        (0, 1.5, 0.99, 2),  # much larger at once
        (0, 0.6, 0.99, 2),
        (0, 1.0, 0.96, 1),
        (0, 1.0, 0.92, 2),  # no face any more, but what it left behind
    ],
)
def test_what_cannot_be_one_face_moving_is_for_the_detector(
    finder, portrait, x, growth, faceness, looks
):
    (face,) = finder.find(scene((portrait, 100, 60)))
    finder._landmarker = Told(told(face, x, 0, growth), faceness=faceness)
    finder.find(scene())
    assert finder.looks == looks


@pytest.mark.parametrize(("nearer", "looks"), [(10, 1), (30, 2)])
def test_two_faces_that_become_one_are_for_the_detector(finder, portrait, nearer, looks):
    (face,) = finder.find(scene((portrait, 100, 60)))
    side = face.box_xyxy[2] - face.box_xyxy[0]
    beside = dataclasses.replace(
        face,
        box_xyxy=tuple(np.add(face.box_xyxy, [side, 0, side, 0])),
        points_xy=face.points_xy + np.float32([side, 0]),
    )
    finder._faces = (face, beside)
    step = nearer / 100 * side
    finder._landmarker = Told(told(face, step, 0), told(beside, -step, 0))
    finder.find(scene())
    assert finder.looks == looks
