"""A camera read by a thread of its own, so that its newest picture is always at hand."""

import os
import sys
import threading
import time
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any, Self

from mien.errors import InputError, MienError
from mien.images import Image
from mien.media.opencv import opencv
from mien.media.sequences import is_sequence, numbered
from mien.media.video import Frame, Video, is_address, open_video, plain_name

USUAL_WH = (640, 480)

# A camera may take its time for the first picture; later, silence means that it is gone.
_FIRST_S, _GONE_S = 10.0, 2.0
_RETRY_S = 0.02
_DEVICES = Path("/dev")

Feed = Generator[tuple[float, Image], None, None]


class Camera:
    """Keep the newest picture of a camera, and no other: whoever is slow misses some.

    `source` is the number of a camera, its device, the address of a stream, or a video, which plays
    at its own pace and then ends. `size_wh` is asked of a camera, which may give another.
    Frames tell seconds since the start.
    """

    def __init__(self, source: int | str | Path = 0, *, size_wh: tuple[int, int] = USUAL_WH):
        number = camera_number(source)
        self._closing = self._over = False
        self._changed = threading.Condition()
        self._newest: Frame | None = None
        self._problem: MienError | None = None
        if number is None:
            name = str(source)
            feed = self._played(open_video(name), plain_name(name))
        else:
            feed = self._watched(_opened(number, size_wh), number)
        self._started = self._heard = time.perf_counter()
        self._thread = threading.Thread(
            target=self._run, args=(feed,), name="mien-camera", daemon=True
        )
        self._thread.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def clock_s(self) -> float:
        """The time now as frames tell it: the difference is their age."""
        return time.perf_counter() - self._started

    @property
    def silent_s(self) -> float:
        """How long ago the last picture came."""
        return time.perf_counter() - self._heard

    @property
    def ended(self) -> bool:
        """Say whether a video is over; a camera that is gone is an error of `latest`."""
        return self._over and self._problem is None

    def latest(self, after: int = -1, *, timeout_s: float = 0.0) -> Frame | None:
        """Give the newest frame if its number is above `after`; wait for one that long."""
        with self._changed:
            self._changed.wait_for(lambda: self._over or self._has(after), timeout_s)
            if self._has(after):
                return self._newest
            if self._problem is not None:
                raise self._problem
        return None

    def close(self) -> None:
        """Let go of the camera; one that hangs is let go of when it wakes."""
        self._closing = True
        self._thread.join(timeout=1.0)

    def _has(self, after: int) -> bool:
        return self._newest is not None and self._newest.number > after

    def _run(self, feed: Feed) -> None:
        try:
            with closing(feed):
                for number, (time_s, image) in enumerate(feed):
                    if self._closing:
                        return
                    self._put(Frame(number, time_s, image))
        except MienError as error:
            self._problem = error
        except Exception as error:  # OpenCV's own are of many kinds
            self._problem = InputError(f"the camera cannot be read: {error}")
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _put(self, frame: Frame) -> None:
        self._heard = time.perf_counter()
        with self._changed:
            self._newest = frame
            self._changed.notify_all()

    def _played(self, video: Video, name: str) -> Feed:
        """Yield the pictures of a video when it is their time, those of a stream as they come."""
        with video:
            for frame in video:
                if not video.info.stream:
                    time.sleep(max(0.0, frame.time_s - self.clock_s))
                yield self.clock_s, frame.image
        if video.info.stream:
            raise InputError(f"the stream {name} has stopped; start again once it is back")

    def _watched(self, capture: Any, number: int) -> Feed:
        """Yield the pictures of a camera until it is gone."""
        cv2 = opencv("reading a camera")
        try:
            while not self._closing:
                taken = capture.grab()
                now = self.clock_s
                whole, picture = capture.retrieve() if taken else (False, None)
                if whole and picture is not None:
                    yield now, cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)
                elif problem := self._gone(number):
                    raise problem
                else:
                    time.sleep(_RETRY_S)
        finally:
            capture.release()

    def _gone(self, number: int) -> MienError | None:
        """Say what is wrong with a camera that has been silent for too long."""
        device = _device(number)
        if device is not None and not device.exists():
            return InputError(f"camera {number} was unplugged; plug it in and start again")
        if self._newest is None and self.silent_s > _FIRST_S:
            return InputError(
                f"camera {number} gives no picture: another program may be using it, or it is"
                " switched off; close that program and try again"
            )
        if self._newest is not None and self.silent_s > _GONE_S:
            return InputError(
                f"camera {number} has stopped giving pictures: it was unplugged, switched off, or"
                " taken by another program; start again once it is back"
            )
        return None


def camera_number(source: int | str | Path) -> int | None:
    """Give the number of a camera, or of its device; None for a video."""
    text = str(source).removeprefix(f"{_DEVICES}/video")
    return int(text) if text.isdecimal() else None


def check_source(source: int | str | Path) -> None:
    """Raise at once what can be told without opening anything."""
    opencv("reading a camera")
    name, number = str(source), camera_number(source)
    if number is None:
        if is_address(name):
            return
        if is_sequence(name):
            numbered(Path(name))
        elif not Path(name).exists():
            raise InputError(
                f"no camera or video {name}: expected a camera's number, its device, a stream's"
                " address, a video file or images like img%04d.png"
            )
        return
    device = _device(number)
    if device is not None and not device.exists():
        others = sorted(path.name.removeprefix("video") for path in _DEVICES.glob("video[0-9]*"))
        found = f"there is {', '.join(others)}" if others else "this machine has none"
        raise InputError(
            f"no camera {number}: {found}; plug one in, or name another, a stream's address or a"
            " video file"
        )


def _opened(number: int, size_wh: tuple[int, int]) -> Any:
    check_source(number)
    cv2 = opencv("reading a camera")
    capture = cv2.VideoCapture(number)
    if not capture.isOpened():
        capture.release()
        raise _refused(number)
    width, height = size_wh
    if width * height > USUAL_WH[0] * USUAL_WH[1]:  # uncompressed, USB is too slow for these
        capture.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    capture.set(cv2.CAP_PROP_FRAME_WIDTH, width)
    capture.set(cv2.CAP_PROP_FRAME_HEIGHT, height)
    return capture


def _refused(number: int) -> MienError:
    device = _device(number)
    if device is None:
        return InputError(
            f"camera {number} cannot be opened: there is none, another program is using it, or the"
            " system does not let this one; close other programs, look at the privacy settings"
        )
    if not os.access(device, os.R_OK | os.W_OK):
        return InputError(
            f"{device} is not yours to open; ask for it, on most systems by joining the group video"
        )
    return InputError(
        f"camera {number} cannot be opened: another program may be using it; close that one and"
        " try again"
    )


def _device(number: int) -> Path | None:
    """Name the file of a camera, where cameras are files."""
    return _DEVICES / f"video{number}" if sys.platform == "linux" else None
