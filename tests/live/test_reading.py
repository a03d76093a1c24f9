"""The reader keeps to the newest frame; a part that is hidden is hidden from the network."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien import images
from mien.errors import InputError
from mien.images import Image
from mien.live.reading import LiveRecognizer, Reader, Reading
from mien.records import Prediction

pytest.importorskip("scipy")


@pytest.fixture(scope="module")
def recognizer(expression_path: Path, landmarks_path: Path) -> LiveRecognizer:
    return LiveRecognizer(expression_path, landmarks=landmarks_path, threads=1, points=True)


@pytest.fixture(scope="module")
def portrait(portrait_path: Path) -> Image:
    return images.read(portrait_path)


class Slow:
    """Begins an image and ends it when `go` is set, as it is unless a test clears it."""

    def __init__(self, predicted: Callable[..., Prediction]) -> None:
        self.predicted = predicted
        self.specs: list[str] = []
        self.begun, self.go = threading.Event(), threading.Event()
        self.go.set()

    def hiding(self, image: Image, spec: str) -> tuple[Image, list[Prediction]]:
        self.begun.set()
        assert self.go.wait(60)
        self.specs.append(spec)
        return image, [self.predicted()]


def wait(reader: Reader, number: int) -> Reading:
    for _ in range(500):
        newest = reader.latest()
        if newest is not None and newest.frame.number >= number:
            return newest
        time.sleep(0.01)
    raise AssertionError("nothing was read")


def test_hiding_nothing_reads_as_any_recognizer_does(
    recognizer: LiveRecognizer, portrait: Image
) -> None:
    image, found = recognizer.hiding(portrait, "none")
    assert image is portrait
    assert [one.to_dict() for one in found] == [one.to_dict() for one in recognizer(portrait)]


def test_what_is_hidden_is_drawn_on_a_copy_and_read(
    recognizer: LiveRecognizer, portrait: Image
) -> None:
    before = portrait.copy()
    image, (hidden,) = recognizer.hiding(portrait, "eyes+mouth")
    (whole,) = recognizer(portrait)
    assert (portrait == before).all() and (image != before).any()
    assert hidden.face.box_xyxy == whole.face.box_xyxy
    assert hidden.probabilities != whole.probabilities


def test_frames_that_come_while_one_is_read_are_missed(
    camera: Any, predicted: Callable[..., Prediction]
) -> None:
    camera.give(0, 0.0)
    read: list[int] = []
    slow = Slow(predicted)
    slow.go.clear()
    reader = Reader(camera, slow, record=lambda one: read.append(one.frame.number))
    assert slow.begun.wait(60)
    for number in range(1, 30):
        camera.give(number, number / 100)
    slow.go.set()
    wait(reader, 29)
    reader.close()
    assert read == [0, 29]
    assert reader.count == reader.faces == 2


def test_a_face_keeps_its_track_from_frame_to_frame(
    camera: Any, predicted: Callable[..., Prediction]
) -> None:
    reader = Reader(camera, Slow(predicted))
    tracks = []
    for number in range(3):
        camera.give(number, number / 25)
        tracks.append([seen.track for seen in wait(reader, number).faces])
    reader.close()
    assert tracks == [[1], [1], [1]]


def test_behind_a_cut_all_faces_are_new(camera: Any, predicted: Callable[..., Prediction]) -> None:
    slow = Slow(predicted)
    reader = Reader(camera, slow, half_life_s=100.0)
    seen = []
    for number, grey in enumerate([20, 20, 200, 200]):
        camera.give(number, number / 25, np.full((60, 80, 3), grey, np.uint8))
        seen.append(wait(reader, number).faces[0])
        slow.predicted = lambda: predicted({"neutral": 0.9, "happiness": 0.05, "surprise": 0.05})
    reader.close()
    assert [one.track for one in seen] == [1, 1, 2, 2]
    assert [one.smoothed.expression for one in seen] == ["happiness"] * 2 + ["neutral"] * 2


def test_a_change_of_what_is_hidden_shows_at_once(
    camera: Any, predicted: Callable[..., Prediction]
) -> None:
    slow = Slow(predicted)
    reader = Reader(camera, slow, half_life_s=100.0)
    camera.give(0, 0.0)
    wait(reader, 0)
    other = {"neutral": 0.9, "happiness": 0.05, "surprise": 0.05}
    slow.predicted = lambda: predicted(other)
    reader.hide = "mouth"
    camera.give(1, 0.04)
    (seen,) = wait(reader, 1).faces
    reader.close()
    assert slow.specs == ["none", "mouth"]
    assert seen.smoothed.probabilities == pytest.approx(other)


def test_what_goes_wrong_while_reading_is_raised_where_it_is_shown(camera: Any) -> None:
    camera.latest = lambda after=-1, timeout_s=0.0: (_ for _ in ()).throw(InputError("unplugged"))
    reader = Reader(camera, None)  # type: ignore[arg-type]
    reader.close()
    with pytest.raises(InputError, match="unplugged"):
        reader.latest()
