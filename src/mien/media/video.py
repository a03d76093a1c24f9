"""Videos: files, streams and image sequences, frame by frame in constant memory.

Frames are RGB uint8 (H, W, 3), upright as a player shows them. A frame's number counts all frames
from the start, damaged ones too; its time comes from the file, so that a variable frame rate is
kept. What comes before a frame is decoded to reach it, for seeking is exact in few files.
"""

import math
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, Protocol, Self

from mien.errors import InputError, UsageError
from mien.images import Image
from mien.media.opencv import opencv
from mien.media.sequences import USUAL_FPS, Info, Sequence, is_sequence, numbered

SUFFIXES = frozenset(
    ".3g2 .3gp .asf .avi .flv .m2ts .m4v .mjpeg .mjpg .mkv .mov .mp4 .mpeg .mpg .mts .mxf .ogv .ts"
    " .vob .webm .wmv .y4m".split()
)

_ADDRESS = re.compile(r"^([a-z][a-z0-9+.-]+://)(?:[^/@]*@)?", re.IGNORECASE)
_PATIENCE = 1000  # frames of a file that cannot be decoded, one after another
_WAIT_S = 15.0  # for a stream to open, and for each of its frames
_MOST_FPS = 240.0  # some files tell their clock's ticks instead


class Frame(NamedTuple):
    """One picture of a video, its number from 0 and its seconds from the start."""

    number: int
    time_s: float
    image: Image


class Reader(Protocol):
    """Goes from frame to frame; `image` gives the one it stands on, None where it is damaged."""

    info: Info
    number: int
    time_s: float

    def advance(self) -> bool: ...

    def image(self) -> Image | None: ...

    def close(self) -> None: ...


class Video:
    """The frames that were asked for, once, in order; `ran_out` once no frame is left at all."""

    def __init__(
        self, reader: Reader, *, every: int, fps: float | None, start_s: float, end_s: float
    ) -> None:
        self._reader = reader
        self._every, self._fps, self._start_s, self._end_s = every, fps, start_s, end_s
        self.ran_out = False

    @property
    def info(self) -> Info:
        """What is known of the video."""
        return self._reader.info

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._reader.close()

    def __iter__(self) -> Iterator[Frame]:
        return self.after(-1)

    def after(self, number: int) -> Iterator[Frame]:
        """Yield the frames behind that number; those before it are passed over quickly."""
        due = -math.inf
        while self._reader.advance():
            time_s = self._reader.time_s
            if time_s > self._end_s:
                return
            if time_s < self._start_s or time_s < due or self._reader.number % self._every:
                continue
            if self._fps is not None:  # a frame a stretch of 1 / fps, the first there is
                due = (math.floor(time_s * self._fps + 1e-6) + 1) / self._fps - 1e-6
            if self._reader.number <= number:
                continue
            image = self._reader.image()
            if image is None:
                self.info.damaged += 1
            else:
                yield Frame(self._reader.number, time_s, image)
        self.ran_out = True

    def expected(self) -> int | None:
        """Estimate how many frames will come, for those who wait."""
        if self.info.frames is None and math.isinf(self._end_s):
            return None
        whole = math.inf if self.info.frames is None else self.info.frames / self.info.fps
        seconds = max(0.0, min(whole, self._end_s) - self._start_s)
        rate = self.info.fps / self._every
        return max(1, round(seconds * min(rate, self._fps or rate)))


def open_video(
    source: str | Path,
    *,
    every: int = 1,
    fps: float | None = None,
    start_s: float | None = None,
    end_s: float | None = None,
) -> Video:
    """Open a file, an address (rtsp, http ...) or an image sequence, a folder or `img%04d.png`.

    `every` takes each so-many-th frame, `fps` so many a second at most. A sequence has no times:
    `fps` gives its own rate, 25 by default.
    """
    _check(every, fps, start_s, end_s)
    name = str(source)
    reader: Reader
    if not is_address(name) and (is_sequence(name) or Path(name).is_dir()):
        reader, fps = Sequence(numbered(Path(name)), fps or USUAL_FPS), None
    else:
        reader = _Capture(name)
    start, end = start_s or 0.0, math.inf if end_s is None else end_s
    return Video(reader, every=every, fps=fps, start_s=start, end_s=end)


def is_video(source: str | Path) -> bool:
    """Tell by its name whether something is a video: a suffix, an address, a numbered pattern."""
    known = Path(source).suffix.lower() in SUFFIXES
    return known or is_address(str(source)) or is_sequence(source)


def is_address(source: str) -> bool:
    """Tell an address from a path."""
    return bool(_ADDRESS.match(source))


def plain_name(source: str | Path) -> str:
    """Name a video without the user and password of its address."""
    return _ADDRESS.sub(r"\1", str(source))


class _Capture:
    """Reads by OpenCV."""

    def __init__(self, source: str) -> None:
        self._cv2 = cv2 = opencv()
        address = is_address(source)
        if not address:
            _check_file(Path(source))
        wait_ms = round(1000 * _WAIT_S)
        waiting = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, wait_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, wait_ms]
        self._capture = cv2.VideoCapture(source, cv2.CAP_FFMPEG, waiting)
        if not self._capture.isOpened() and not address:
            self._capture = cv2.VideoCapture(source)
        if not self._capture.isOpened():
            raise InputError(
                f"cannot open {plain_name(source)}: is it on, and are address, user and password"
                " right? Expected a stream or a video that OpenCV can read"
                if address
                else f"{source} is no video that OpenCV can read (it may be cut short);"
                " expected mp4, mov, mkv, webm, avi or the like"
            )
        self._capture.set(cv2.CAP_PROP_ORIENTATION_AUTO, 1)
        self.info = self._told()
        self.info.stream = address and self.info.frames is None
        self._patience = 3 if self.info.stream else _PATIENCE
        self.number, self.time_s, self._missing = -1, 0.0, 0

    def advance(self) -> bool:
        start = time.monotonic()
        for failures in range(self._patience):
            there = self._capture.grab()
            # After silence OpenCV gives what its decoder still holds, each as late again.
            if self.info.stream and time.monotonic() - start >= _WAIT_S:
                break
            if there:
                self.info.damaged += failures
                self._step(failures)
                return True
        return False

    def _step(self, failures: int) -> None:
        """Stand on the next frame; what could not be decoded lies before it, or still ahead.

        Frames are decoded in another order than they are shown in; where times are told, they say
        how many are missing here.
        """
        self._missing += failures
        here, told = self._missing, self._told_time()
        before = self.time_s if self.number >= 0 else -1 / self.info.fps
        if here and told is not None and told > before:
            here = min(here, max(0, round((told - before) * self.info.fps) - 1))
        self._missing -= here
        self.number += 1 + here
        if told is None or (told <= self.time_s and self.number):
            told = self.number / self.info.fps
        self.time_s = max(self.time_s, told)

    def image(self) -> Image | None:
        there, picture = self._capture.retrieve()
        if not there or picture is None:
            return None
        rgb: Image = self._cv2.cvtColor(picture, self._cv2.COLOR_BGR2RGB)
        return rgb

    def close(self) -> None:
        self._capture.release()

    def _told(self) -> Info:
        cv2, get = self._cv2, self._capture.get
        fps, frames = get(cv2.CAP_PROP_FPS), get(cv2.CAP_PROP_FRAME_COUNT)
        return Info(
            width=int(get(cv2.CAP_PROP_FRAME_WIDTH)),
            height=int(get(cv2.CAP_PROP_FRAME_HEIGHT)),
            fps=fps if 0 < fps <= _MOST_FPS else USUAL_FPS,
            frames=int(frames) if 0 < frames < 1e9 and 0 < fps <= _MOST_FPS else None,
        )

    def _told_time(self) -> float | None:
        """Read the time of the frame; some files tell none, which then follows from its number."""
        told = self._capture.get(self._cv2.CAP_PROP_POS_MSEC) / 1000
        return told if math.isfinite(told) else None


def _check(every: int, fps: float | None, start_s: float | None, end_s: float | None) -> None:
    if every < 1:
        raise UsageError(f"every must be at least 1, got {every}")
    if fps is not None and not 0 < fps < math.inf:
        raise UsageError(f"fps must be above 0, got {fps}")
    if start_s is not None and not 0 <= start_s < math.inf:
        raise UsageError(f"the start must be at least 0 seconds, got {start_s}")
    if end_s is not None and not end_s > (start_s or 0):
        raise UsageError(f"the end must lie behind the start, got {start_s or 0} to {end_s}")


def _check_file(path: Path) -> None:
    if not path.is_file() or not path.stat().st_size:
        found = (
            "it is empty" if path.is_file() else "not a file" if path.exists() else "no such file"
        )
        raise InputError(f"cannot read the video {path}: {found}")
