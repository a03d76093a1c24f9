"""Videos that are written: frames at a constant rate, in a file that is whole or not there."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mien import images
from mien.errors import OutputError, UsageError
from mien.files import unfinished
from mien.images import Image
from mien.media.opencv import opencv

CODES = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
CODES[".webm"] = "VP80"


class VideoWriter:
    """Writes frames at a constant rate; each stays in sight until the time of the next."""

    def __init__(self, stream: Any, cv2: Any, size_hw: tuple[int, int], fps: float) -> None:
        self._stream, self._cv2, self._size_hw, self._fps = stream, cv2, size_hw, fps
        self._written = 0
        self._last: Any = None
        self._first_s: float | None = None

    def write(self, image: Image, time_s: float) -> None:
        """Add an RGB frame (H, W, 3), of which the written ones are the top left part."""
        height, width = self._size_hw
        picture = self._cv2.cvtColor(images.to_rgb(image)[:height, :width], self._cv2.COLOR_RGB2BGR)
        if self._first_s is None:
            self._first_s = time_s
        until = round((time_s - self._first_s) * self._fps) + 1
        for place in range(self._written, until):
            last = place == until - 1 or self._last is None
            self._stream.write(picture if last else self._last)
        self._written, self._last = max(self._written, until), picture


@contextmanager
def write_video(path: Path, size_hw: tuple[int, int], fps: float) -> Iterator[VideoWriter]:
    """Write a video in the kind its suffix names; the file appears whole or not at all.

    An odd height or width loses its last line.
    """
    cv2, code = opencv("writing videos"), CODES.get(path.suffix.lower())
    if code is None:
        raise UsageError(f"cannot write {path}: the suffix must be one of {', '.join(CODES)}")
    height, width = (side // 2 * 2 for side in size_hw)
    temporary = unfinished(path, path.suffix)
    stream = cv2.VideoWriter(str(temporary), cv2.VideoWriter_fourcc(*code), fps, (width, height))
    try:
        if not stream.isOpened():
            raise OutputError(f"cannot write {path}: OpenCV cannot open it; is the folder there?")
        yield VideoWriter(stream, cv2, (height, width), fps)
        stream.release()
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        stream.release()
        temporary.unlink(missing_ok=True)
