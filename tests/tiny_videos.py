"""Small videos made for tests, and what goes wrong with videos."""

import struct
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mien.media.writing import write_video

FPS = 25.0


def pictures(count: int, size_hw: tuple[int, int] = (96, 128)) -> NDArray[np.uint8]:
    """Make frames (N, H, W, 3): a red square that goes to the right over noise, lighter by and by.

    The noise keeps a coded frame large, so that what is overwritten in a file lies in one.
    """
    rng = np.random.default_rng(0)
    frames = np.empty((count, *size_hw, 3), np.uint8)
    frames[:] = rng.integers(0, 64, size_hw)[..., None]
    for number, frame in enumerate(frames):
        frame[size_hw[0] // 2 :] = 4 * number
        frame[10:40, 5 + 2 * number : 35 + 2 * number] = (255, 0, 0)
    return frames


def video(path: Path, frames: NDArray[np.uint8], fps: float = FPS) -> Path:
    """Write frames (N, H, W, 3)."""
    with write_video(path, frames.shape[1:3], fps) as writer:
        for number, frame in enumerate(frames):
            writer.write(frame, number / fps)
    return path


def damage(path: Path, frames: Sequence[int]) -> Path:
    """Overwrite frames of an AVI of JPEGs with noise."""
    content, rng = bytearray(path.read_bytes()), np.random.default_rng(1)
    for number, (start, size) in enumerate(_chunks(content)):
        if number in frames:
            content[start : start + size] = rng.bytes(size)
    path.write_bytes(content)
    return path


def turn(path: Path) -> Path:
    """Say in an MP4 that it is shown a quarter turn clockwise, as telephones do."""
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    content[matrix : matrix + 36] = struct.pack(">9i", 0, 1 << 16, 0, -1 << 16, 0, 0, 0, 0, 1 << 30)
    path.write_bytes(content)
    return path


def slow_down(path: Path, times: int) -> Path:
    """Let the second half of an MP4's frames last so many times as long as the first.

    The table of durations, which lies behind the frames, gets a second row; the list of edits,
    which tells the whole duration, goes.
    """
    content = bytearray(path.read_bytes().replace(b"edts", b"free"))
    table = content.index(b"stts") + 4
    rows, count, ticks = struct.unpack(">III", content[table + 4 : table + 16])
    assert rows == 1
    longer = struct.pack(">IIIII", 2, count // 2, ticks, count - count // 2, ticks * times)
    content[table + 4 : table + 16] = longer
    for name in (b"stts", b"stbl", b"minf", b"mdia", b"trak", b"moov"):
        size = content.index(name) - 4
        (old,) = struct.unpack(">I", content[size : size + 4])
        content[size : size + 4] = struct.pack(">I", old + 8)
    path.write_bytes(content)
    return path


def _chunks(content: bytearray) -> list[tuple[int, int]]:
    """Find where the frames of an AVI lie: start and size; the index behind them is left out."""
    found, at, end = [], content.index(b"movi") + 4, content.index(b"idx1")
    while at < end:
        (size,) = struct.unpack("<I", content[at + 4 : at + 8])
        found.append((at + 8, size))
        at += 8 + size + size % 2
    return found
