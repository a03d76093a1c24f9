"""Videos that are written: frames at a constant rate, in a file that is whole or not there."""

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from mien import images
from mien.errors import OutputError, UsageError
from mien.files import unfinished
from mien.images import Image
from mien.media.opencv import opencv

CODES = {".mp4": "mp4v", ".m4v": "mp4v", ".mov": "mp4v", ".mkv": "mp4v", ".avi": "MJPG"}
CODES[".webm"] = "VP80"
_COUNTED = 0.99  # share of the frames that a whole file tells of, at least


class VideoWriter:
    """Writes frames at a constant rate; each stays in sight until the time of the next.

    `written` counts those in the file.
    """

    def __init__(self, stream: Any, cv2: Any, size_hw: tuple[int, int], fps: float) -> None:
        self._stream, self._cv2, self._size_hw, self._fps = stream, cv2, size_hw, fps
        self.written = 0
        self._last: Any = None
        self._first_s: float | None = None

    def write(self, image: Image, time_s: float) -> None:
        """Add an RGB frame (H, W, 3); one of another size is made to fit, with black borders."""
        picture = self._cv2.cvtColor(self._fitted(images.to_rgb(image)), self._cv2.COLOR_RGB2BGR)
        if self._first_s is None:
            self._first_s = time_s
        until = round((time_s - self._first_s) * self._fps) + 1
        for place in range(self.written, until):
            last = place == until - 1 or self._last is None
            self._stream.write(picture if last else self._last)
        self.written, self._last = max(self.written, until), picture

    def _fitted(self, image: Image) -> Image:
        height, width = self._size_hw
        if (image.shape[0] // 2 * 2, image.shape[1] // 2 * 2) == (height, width):
            return image[:height, :width]
        scale = min(height / image.shape[0], width / image.shape[1])
        inner_hw = (max(1, round(image.shape[0] * scale)), max(1, round(image.shape[1] * scale)))
        top, left = (height - inner_hw[0]) // 2, (width - inner_hw[1]) // 2
        canvas = np.zeros((height, width, 3), np.uint8)
        canvas[top : top + inner_hw[0], left : left + inner_hw[1]] = images.resize(image, inner_hw)
        return canvas


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
        writer = VideoWriter(stream, cv2, (height, width), fps)
        yield writer
        stream.release()
        if _frames(cv2, temporary) < _COUNTED * writer.written - 1:
            raise OutputError(f"cannot write {path}: what was written is not whole; is there room?")
        os.replace(temporary, path)
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        stream.release()
        temporary.unlink(missing_ok=True)


def _frames(cv2: Any, path: Path) -> float:
    """Tell how many frames a file says it has: OpenCV does not tell what failed in writing."""
    capture = cv2.VideoCapture(str(path))
    count = float(capture.get(cv2.CAP_PROP_FRAME_COUNT)) if capture.isOpened() else -math.inf
    capture.release()
    return count
