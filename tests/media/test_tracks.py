"""Faces keep their numbers: they move, cross, hide and come back; a cut begins anew."""

import sys
from collections.abc import Callable, Iterable

import numpy as np
import pytest

import scenes
from mien.errors import MissingExtraError, UsageError
from mien.media.tracks import Cuts, Tracker
from mien.records import Face

pytest.importorskip("scipy")

SIDE = 80.0
Walk = Callable[[float], tuple[float, float] | None]


def face(x: float, y: float, side: float = SIDE) -> Face:
    return Face((x - side / 2, y - side / 2, x + side / 2, y + side / 2), 0.9)


def followed(
    paths: Iterable[Walk], times: Iterable[float], *, noise: float = 1.5, tracker: Tracker
) -> list[list[int | None]]:
    """Let faces follow paths, found with an error in pixels and in any order; a list a path."""
    rng, paths = np.random.default_rng(0), list(paths)
    found: list[list[int | None]] = [[] for _ in paths]
    for time_s in times:
        there = [(who, at) for who, path in enumerate(paths) if (at := path(time_s))]
        there = [there[place] for place in rng.permutation(len(there))]
        faces = [face(*(np.array(at) + rng.normal(0, noise, 2))) for _, at in there]
        numbers = dict(zip((who for who, _ in there), tracker.update(faces, time_s), strict=True))
        for who, told in enumerate(found):
            told.append(numbers.get(who))
    return found


def kept(numbers: list[int | None]) -> bool:
    return len({number for number in numbers if number is not None}) == 1


def seconds(end: float, fps: float = 25) -> list[float]:
    return [n / fps for n in range(round(end * fps))]


def test_faces_are_numbered_from_one_and_keep_their_numbers() -> None:
    still = [lambda t, x=x: (100.0 + x, 200.0) for x in (0, 150, 300)]
    found = followed(still, seconds(2), tracker=Tracker())
    assert sorted(numbers[0] or 0 for numbers in found) == [1, 2, 3]
    assert all(map(kept, found))


@pytest.mark.parametrize(
    ("speed", "fps"), [(100, 5), (300, 5), (100, 10), (300, 10), (100, 25), (300, 25), (800, 25)]
)
def test_faces_that_cross_keep_their_numbers(speed: float, fps: float) -> None:
    end = 600 / speed
    crossing: list[Walk] = [
        lambda t: (100 + speed * t, 200.0),
        lambda t: (700 - speed * t, 230.0),
    ]
    assert all(map(kept, followed(crossing, seconds(end, fps), tracker=Tracker())))


def test_a_face_behind_another_gets_its_number_back() -> None:
    def behind(t: float) -> tuple[float, float] | None:
        x = 700 - 200 * t
        return None if abs(x - (100 + 200 * t)) < 70 else (x, 210.0)

    front: Walk = lambda t: (100 + 200 * t, 200.0)  # noqa: E731
    found = followed([front, behind], seconds(3), tracker=Tracker())
    assert None in found[1] and all(map(kept, found))


@pytest.mark.parametrize(("hidden_s", "expected"), [(0.2, True), (1.0, True), (3.0, False)])
def test_short_hiding_is_survived_and_long_is_not(hidden_s: float, expected: bool) -> None:
    walks: Walk = lambda t: None if 1 <= t < 1 + hidden_s else (100 + 60 * t, 200.0)  # noqa: E731
    (found,) = followed([walks], seconds(5), tracker=Tracker())
    assert kept(found) is expected


def test_a_face_that_comes_nearer_keeps_its_number() -> None:
    tracker = Tracker()
    numbers = {tracker.update([face(300, 200, 40 * 1.02**n)], n / 25)[0] for n in range(75)}
    assert numbers == {1}


def test_few_frames_a_second_are_enough_for_faces_that_stay() -> None:
    still: list[Walk] = [lambda t: (100.0, 200.0), lambda t: (300.0, 200.0)]
    found = followed(still, [0, 2, 4, 10, 12], noise=8, tracker=Tracker())
    assert all(map(kept, found))


def test_a_face_elsewhere_or_of_another_size_is_another() -> None:
    tracker = Tracker()
    assert tracker.update([face(100, 100)], 0) == [1]
    assert tracker.update([face(400, 100)], 0.04) == [2]
    assert tracker.update([face(400, 100, 200)], 0.08) == [3]


def test_behind_a_cut_all_faces_are_new() -> None:
    tracker = Tracker()
    assert tracker.update([face(100, 100)], 0) == [1]
    assert tracker.update([face(100, 100)], 0.04, cut=True) == [2]


def test_nothing_stays_of_tracks_that_are_over() -> None:
    tracker = Tracker(keep_s=0.5)
    for n in range(200):
        tracker.update([face(100 + 400 * (n % 2), 100 + 300 * (n % 3))], n / 5)
    assert len(tracker._tracks) < 10
    assert tracker.update([], 1000) == []
    assert not [track for track in tracker._tracks if not track.missed]


def test_settings_and_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match="keep_s"):
        Tracker(-1)
    monkeypatch.setitem(sys.modules, "scipy.optimize", None)
    tracker = Tracker()
    tracker.update([face(100, 100)], 0)
    with pytest.raises(MissingExtraError, match=r"mien\[video\]"):
        tracker.update([face(100, 100)], 0.04)


def test_cuts_are_noticed_and_movement_is_none(rng: np.random.Generator) -> None:
    clouds, boxes = scenes.clouds(rng), scenes.boxes(rng)
    cuts = Cuts()
    shown = [clouds, np.roll(clouds, 20, axis=1), np.clip(clouds + 10.0, 0, 255).astype(np.uint8)]
    assert [cuts.update(picture) for picture in shown] == [False, False, False]
    assert [cuts.update(picture) for picture in (boxes, boxes, clouds)] == [True, False, True]


def test_a_small_picture_has_cuts_too() -> None:
    cuts = Cuts()
    black, white = np.zeros((2, 2, 3), np.uint8), np.full((2, 2, 3), 255, np.uint8)
    assert [cuts.update(picture) for picture in (black, white)] == [False, True]
