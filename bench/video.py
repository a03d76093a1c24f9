"""Memory and speed over a long video of 1920x1080, made by looping a short one."""

import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from bench.pictures import scene
from bench.processes import START
from bench.report import Report, Table, size
from mien import images, weights
from mien.errors import MienError
from mien.media.video import open_video
from mien.media.writing import write_video

SIZE_HW, FPS, LOOP = (1080, 1920), 25.0, 100
FACE = 480  # pixels a side of the portrait in the picture
AFTER = (0.1, 0.25, 0.5, 0.75, 1.0)  # of the time, at which memory is told
POLL_S = 0.5
WITHIN = ("moov", "trak", "mdia", "minf", "stbl")


def measure(minutes: float, every: int) -> Report:
    """Read a looped video by `mien predict` and watch the memory of its process."""
    report = Report("video")
    with tempfile.TemporaryDirectory() as scratch:
        clip, video = Path(scratch) / "clip.mp4", Path(scratch) / "long.mp4"
        _write_clip(clip)
        times = max(1, round(minutes * 60 * FPS / LOOP))
        video.write_bytes(looped(clip.read_bytes(), times))
        took, resident = _watched("predict", video, "--every", every, "--out", f"{scratch}/r.csv")
        rows = sum(1 for _ in (Path(scratch) / "r.csv").open()) - 1
        decode = _seconds_to_decode(clip)
    frames = LOOP * times
    told = {share: resident[round(share * (len(resident) - 1))] for share in AFTER}
    report.tables.append(
        Table(
            f"{frames:,} frames of {SIZE_HW[1]}x{SIZE_HW[0]}, every {every} read: {rows:,} rows",
            ["what", "figure"],
            [
                ["frames a second", f"{frames / took:.1f}"],
                ["frames a second that are decoded alone", f"{LOOP / decode:.1f}"],
                *(
                    [f"memory after {share:.0%} of the time", size(at)]
                    for share, at in told.items()
                ),
                ["most memory", size(max(resident))],
            ],
        )
    )
    memory = {f"{share:.0%}": at for share, at in told.items()}
    report.figures = {"frames": frames, "every": every, "seconds": took, "rows": rows}
    report.figures |= {"memory_bytes": memory, "peak_bytes": max(resident)}
    return report


def looped(content: bytes, times: int) -> bytes:
    """Repeat the frames of an MP4 without writing any twice: its tables name them again and again.

    It must have one track of frames that last equally long, and its tables at the end, as OpenCV
    writes it.
    """
    sizes = content.index(b"stsz")
    (count,) = struct.unpack(">I", content[sizes + 12 : sizes + 16])
    return b"".join(_again(name, payload, count, times) for name, payload in _boxes(content))


def _again(name: str, payload: bytes, count: int, times: int) -> bytes:
    """Write a box anew for so many rounds of so many frames."""
    if name in WITHIN:
        payload = b"".join(_again(*box, count, times) for box in _boxes(payload))
    elif name in ANEW:
        payload = ANEW[name](payload, count, times)
    elif name == "edts":
        return b""
    return struct.pack(">I", 8 + len(payload)) + name.encode("latin-1") + payload


def _boxes(content: bytes) -> Iterator[tuple[str, bytes]]:
    at = 0
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        yield content[at + 4 : at + 8].decode("latin-1"), content[at + 8 : at + length]
        at += length


def _longer(at: int) -> Callable[[bytes, int, int], bytes]:
    def anew(payload: bytes, count: int, times: int) -> bytes:
        (duration,) = struct.unpack(">I", payload[at : at + 4])
        return payload[:at] + struct.pack(">I", duration * times) + payload[at + 4 :]

    return anew


def _durations(payload: bytes, count: int, times: int) -> bytes:
    return payload[:8] + struct.pack(">I", count * times) + payload[12:16]


def _sizes(payload: bytes, count: int, times: int) -> bytes:
    return payload[:8] + struct.pack(">I", count * times) + payload[12 : 12 + 4 * count] * times


def _key_frames(payload: bytes, count: int, times: int) -> bytes:
    first = np.frombuffer(payload[8:], ">u4")
    every = (np.arange(times)[:, None] * count + first).astype(">u4")
    return payload[:4] + struct.pack(">I", every.size) + every.tobytes()


def _chunks(payload: bytes, count: int, times: int) -> bytes:
    return payload[:4] + struct.pack(">IIII", 1, 1, count, 1)


def _places(payload: bytes, count: int, times: int) -> bytes:
    return payload[:4] + struct.pack(">I", times) + payload[8:12] * times


ANEW: dict[str, Callable[[bytes, int, int], bytes]] = {
    "mvhd": _longer(16),
    "mdhd": _longer(16),
    "tkhd": _longer(20),
    "stts": _durations,
    "stsz": _sizes,
    "stss": _key_frames,
    "stsc": _chunks,
    "stco": _places,
}


def _write_clip(path: Path) -> None:
    """Let a face wander over a scene, and come back to where it was."""
    rng = np.random.default_rng(0)
    room = scene(rng, SIZE_HW)
    portrait = images.resize(images.read(weights.sample_portrait()), (FACE, FACE))
    with write_video(path, SIZE_HW, FPS) as writer:
        for number in range(LOOP):
            frame, turn = room.copy(), 2 * np.pi * number / LOOP
            x, y = int(700 + 500 * np.sin(turn)), int(300 + 200 * np.cos(turn))
            frame[y : y + FACE, x : x + FACE] = portrait
            writer.write(frame, number / FPS)


def _seconds_to_decode(clip: Path) -> float:
    start = time.perf_counter()
    with open_video(clip) as video:
        for _ in video:
            pass
    return time.perf_counter() - start


def _watched(*arguments: str | int | Path) -> tuple[float, list[int]]:
    """Run a command of mien; give its seconds, and the bytes in memory twice a second."""
    start, resident = time.perf_counter(), [0]
    command = [sys.executable, "-c", START, *map(str, arguments), "--quiet"]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    while process.poll() is None:
        resident.append(_resident(process.pid) or resident[-1])
        time.sleep(POLL_S)
    if process.returncode:
        raise MienError(f"a process to measure failed: {process.communicate()[1].strip()[-500:]}")
    return time.perf_counter() - start, resident


def _resident(pid: int) -> int:
    """Read how many bytes of memory a process holds; Linux alone tells."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0
    return sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
