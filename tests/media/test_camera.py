"""A camera gives its newest picture, and says plainly why there is none."""

import itertools
import sys
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_videos
from mien.errors import InputError, MissingExtraError
from mien.media import camera
from mien.media.camera import Camera, camera_number, check_source

cv2 = pytest.importorskip("cv2")

BLUE = np.full((4, 6, 3), (255, 0, 0), np.uint8)  # as OpenCV orders colours


class Device:
    """What OpenCV opens: gives a picture each time it may, until it is unplugged."""

    def __init__(self, pictures: int | None = None, pace_s: float = 0.001) -> None:
        self.left = itertools.count() if pictures is None else iter(range(pictures))
        self.pace_s = pace_s
        self.released = threading.Event()

    def grab(self) -> bool:
        time.sleep(self.pace_s)
        return next(self.left, None) is not None

    def retrieve(self) -> tuple[bool, Any]:
        return True, BLUE

    def release(self) -> None:
        self.released.set()


@pytest.fixture
def plugged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file of camera 0."""
    monkeypatch.setattr(camera, "_DEVICES", tmp_path)
    monkeypatch.setattr(sys, "platform", "linux")
    (tmp_path / "video0").touch()
    return tmp_path / "video0"


@pytest.fixture
def device(plugged: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let camera 0 be a device of the test's."""

    def install(made: Device) -> Device:
        monkeypatch.setattr(camera, "_opened", lambda number, size_wh: made)
        return made

    return install


def failure(source: Any = 0) -> str:
    """Wait until a camera gives up, and tell what it says."""
    with pytest.raises(InputError) as caught, Camera(source) as opened:
        for _ in range(500):
            opened.latest(10**9, timeout_s=0.01)
            assert not opened.ended
    return str(caught.value)


def test_the_newest_picture_alone_is_kept(device: Any) -> None:
    device(Device())
    with Camera() as opened:
        first = opened.latest(timeout_s=5)
        late = opened.latest(first.number + 5, timeout_s=30)
        assert opened.latest(first.number).number >= late.number > first.number + 5


def test_whoever_has_the_newest_waits_for_the_next(device: Any) -> None:
    device(Device(pace_s=0.05))
    with Camera() as opened:
        first = opened.latest(timeout_s=5)
        assert opened.latest(first.number) is None
        assert opened.latest(first.number, timeout_s=5).number == first.number + 1


def test_colours_come_as_red_green_blue(device: Any) -> None:
    device(Device())
    with Camera() as opened:
        assert (opened.latest(timeout_s=5).image == (0, 0, 255)).all()


def test_closing_lets_go_of_the_camera(device: Any) -> None:
    made = device(Device())
    with Camera():
        pass
    assert made.released.wait(5)


def test_a_video_plays_at_its_own_pace_and_ends(tmp_path: Path) -> None:
    clip = tiny_videos.video(tmp_path / "clip.avi", tiny_videos.pictures(20), fps=50)
    start = time.perf_counter()
    with Camera(clip) as opened:
        while not opened.ended:
            opened.latest(10**9, timeout_s=0.01)
        assert time.perf_counter() - start > 0.35
        assert opened.latest().number == 19
        assert opened.latest(19) is None


@pytest.mark.parametrize(
    ("source", "number"),
    [(0, 0), ("2", 2), ("/dev/video3", 3), ("a.mp4", None), ("rtsp://a", None)],
)
def test_a_camera_is_told_from_a_video(source: Any, number: int | None) -> None:
    assert camera_number(source) == number


def test_a_machine_without_cameras_is_told_from_one_with_others(plugged: Path) -> None:
    with pytest.raises(InputError, match="no camera 1: there is 0"):
        check_source(1)
    plugged.unlink()
    with pytest.raises(InputError, match="no camera 1: this machine has none"):
        Camera(1)


@pytest.mark.parametrize("address", ["http://cam.local/my%20device.jpg", "rtsp://cam/img%04d.png"])
def test_an_address_is_no_pattern_of_numbered_images(address: str) -> None:
    check_source(address)


def test_a_source_that_is_nothing_is_named() -> None:
    with pytest.raises(InputError, match=r"no camera or video none\.mp4"):
        check_source("none.mp4")


@pytest.mark.parametrize(
    ("allowed", "platform", "message"),
    [
        (True, "linux", "another program may be using it"),
        (False, "linux", "joining the group video"),
        (True, "darwin", "privacy settings"),
    ],
)
def test_a_camera_that_does_not_open_says_why(
    plugged: Path,
    monkeypatch: pytest.MonkeyPatch,
    allowed: bool,
    platform: str,
    message: str,
) -> None:
    class Shut(Device):
        def __init__(self, number: int) -> None:
            super().__init__()

        def isOpened(self) -> bool:
            return False

    monkeypatch.setattr(cv2, "VideoCapture", Shut)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(camera.os, "access", lambda path, mode: allowed)
    with pytest.raises(InputError, match=message):
        Camera(0)


def test_a_camera_that_another_program_holds_is_not_waited_for_forever(
    device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "_FIRST_S", 0.05)
    device(Device(0))
    assert "gives no picture: another program may be using it" in failure()


def test_a_camera_that_is_unplugged_says_so(device: Any, plugged: Path) -> None:
    made = device(Device(3))
    plugged.unlink()
    assert "camera 0 was unplugged" in failure()
    assert made.released.wait(5)


def test_a_camera_that_falls_silent_is_given_up(
    device: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera, "_GONE_S", 0.05)
    device(Device(3))
    assert "camera 0 has stopped giving pictures" in failure()


def test_what_opencv_throws_becomes_ours(device: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    made = device(Device())
    monkeypatch.setattr(made, "retrieve", lambda: 1 / 0)
    assert "the camera cannot be read" in failure()


def test_a_stream_that_stops_is_named_without_its_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = tiny_videos.video(tmp_path / "clip.avi", tiny_videos.pictures(3))
    opened = camera.open_video(clip)
    opened.info.stream = True
    monkeypatch.setattr(camera, "open_video", lambda source: opened)
    message = failure("rtsp://me:secret@door/1")
    assert "the stream rtsp://door/1 has stopped" in message


def test_without_opencv_the_extra_is_named(plugged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(MissingExtraError, match=r"mien\[video\]"):
        Camera(0)
