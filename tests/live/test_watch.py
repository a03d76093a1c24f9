"""The live view shows the newest picture, with its own faces where there is time for that."""

from collections.abc import Callable
from typing import Any

import pytest

from mien.images.overlay import Look
from mien.live import watch
from mien.live.reading import Reading, Seen
from mien.live.show import Shown
from mien.live.watch import Watch
from mien.media.video import Frame
from mien.records import Prediction


class StillReader:
    """A reader whose readings the test gives."""

    def __init__(self) -> None:
        self.hide = "none"
        self.reading: Reading | None = None

    def latest(self) -> Reading | None:
        return self.reading


@pytest.fixture
def reader() -> StillReader:
    return StillReader()


@pytest.fixture
def drawn(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What was drawn, picture by picture."""
    kept: list[dict[str, Any]] = []

    def draw(image: Any, marks: Any, look: Look, **lines: str) -> Any:
        kept.append({"image": image, "marks": marks, "look": look, **lines})
        return image

    monkeypatch.setattr(watch, "overlay", draw)
    return kept


@pytest.fixture
def scene(camera: Any, reader: StillReader, drawn: list[dict[str, Any]]) -> Watch:
    return Watch(camera, reader, Look())  # type: ignore[arg-type]


@pytest.fixture
def read(reader: StillReader, predicted: Callable[..., Prediction]) -> Callable[..., None]:
    def done(frame: Frame, delay_s: float = 0.03) -> None:
        one = predicted()
        faces = (Seen(one, frame.number, one),)
        reader.reading = Reading(frame, frame.image, faces, delay_s=delay_s)

    return done


def pictured(scene: Watch, *keys: str) -> int | None:
    """Go on; tell the number of the frame that is shown anew, if any."""
    image = scene.next(keys)
    if image is None:
        return None
    scene.shown()
    return int(image[0, 0, 0])


def test_a_picture_waits_for_its_own_faces(
    scene: Watch, camera: Any, read: Any, drawn: list[dict[str, Any]]
) -> None:
    frame = camera.give(1, 0.0)
    assert pictured(scene) is None
    read(frame)
    assert pictured(scene) == 1
    camera.clock_s = 0.05
    next_one = camera.give(2, 0.04)
    assert pictured(scene) is None
    read(next_one)
    assert pictured(scene) == 2
    assert [[mark.track for mark in each["marks"]] for each in drawn] == [[1], [2]]


def test_where_reading_is_slow_no_picture_waits(scene: Watch, camera: Any, read: Any) -> None:
    read(camera.give(1, 0.0), 0.3)
    shown = [pictured(scene)]
    for number in range(2, 6):
        camera.clock_s = number / 25 + 0.002
        camera.give(number, number / 25)
        shown.append(pictured(scene))
    assert shown == [1, 2, 3, 4, 5]


def test_where_one_reading_is_slow_the_newest_picture_comes_with_the_last_faces(
    scene: Watch, camera: Any, read: Any, drawn: list[dict[str, Any]]
) -> None:
    read(camera.give(1, 0.0))
    pictured(scene)
    camera.clock_s = 0.2
    late = camera.give(6, 0.19)
    assert pictured(scene) == 6
    assert [mark.track for mark in drawn[-1]["marks"]] == [1]
    read(Frame(4, 0.12, late.image))
    assert pictured(scene) is None  # never back to an older picture
    camera.clock_s = 0.3
    camera.give(9, 0.29)
    assert pictured(scene) == 9
    assert [mark.track for mark in drawn[-1]["marks"]] == [4]


def test_what_is_hidden_never_shows_for_a_moment(
    scene: Watch, camera: Any, reader: StillReader, read: Any
) -> None:
    read(camera.give(1, 0.0))
    pictured(scene, "m")
    assert reader.hide == "mouth"
    camera.clock_s = 0.5
    newest = camera.give(9, 0.49)
    assert pictured(scene) is None
    read(newest)
    assert pictured(scene) == 9


def test_keys_hide_parts_and_show_them_again(scene: Watch, reader: StillReader) -> None:
    hidden = []
    for key in ("m", "E", "k", "m", "e", "k"):
        scene.next([key])
        hidden.append(reader.hide)
    assert hidden[:3] == ["mouth", "eyes+mouth", "eyes+mouth+surgical"]
    assert hidden[3:] == ["eyes+surgical", "surgical", "none"]


def test_keys_change_the_view(scene: Watch, camera: Any, read: Any) -> None:
    read(camera.give(1, 0.0))
    pictured(scene)
    assert pictured(scene, "f", "b", "g") == 1
    assert scene.look == Look(mirrored=True, bars=False, green=True)
    assert pictured(scene, "x") is None


@pytest.mark.parametrize("key", ["q", "Escape"])
def test_a_key_ends_it(scene: Watch, key: str) -> None:
    assert not scene.ended
    scene.next([key])
    assert scene.ended


def test_the_end_of_a_video_ends_it(scene: Watch, camera: Any) -> None:
    camera.ended = True
    assert scene.ended


def test_a_silent_camera_is_told_of(
    scene: Watch, camera: Any, read: Any, drawn: list[dict[str, Any]]
) -> None:
    read(camera.give(1, 0.0))
    pictured(scene)
    camera.silent_s = 2.1
    assert pictured(scene) == 1
    assert drawn[-1]["left"] == "no picture for 2 s"
    assert pictured(scene) is None
    camera.silent_s = 0.0
    pictured(scene)
    assert "no picture" not in drawn[-1]["left"]


def test_pictures_a_second_and_their_age_are_told(
    scene: Watch, camera: Any, read: Any, drawn: list[dict[str, Any]]
) -> None:
    for number in range(50):
        camera.clock_s = number / 25 + 0.035
        read(camera.give(number, number / 25))
        pictured(scene)
    assert drawn[-1]["left"] == "25 frames a second, 35 ms old"
    assert scene.count == 50


def test_what_was_shown_is_counted_in_plain_words() -> None:
    one, two = Shown(1, 1, 1, 2.0, None), Shown(2, 2, 0, 2.0, 0.03)
    assert str(one) == "1 picture shown, 0.5 a second; 1 read, 1 face"
    assert str(two) == "2 pictures shown, 1.0 a second, usually 30 ms old; 2 read, 0 faces"
