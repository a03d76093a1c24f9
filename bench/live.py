"""How old the picture is that `mien live` has on screen, seen from the screen itself.

A video of the sample portrait takes the camera's place. Each frame carries its number as a row of
black and white squares; what the virtual screen shows is read hundreds of times a second and held
against what the camera gave by then.
"""

import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.report import Cell, Report, Table
from mien import images, weights
from mien.cli.live import MIN_FACE
from mien.errors import UsageError
from mien.images import Image
from mien.images.overlay import Look
from mien.live.reading import LiveRecognizer, Reader
from mien.live.watch import Watch
from mien.live.window import Window
from mien.media.camera import Camera
from mien.media.video import Frame
from mien.media.writing import write_video
from mien.progress import cores

SIZE_HW = (480, 640)
BITS, SQUARE = 14, 16
SETTLED_S = 2.0
SAMPLE_S = 0.003
BAR_S = 0.1
HIDES = {"one face": "none", "its mouth hidden": "mouth"}


class Logged(Camera):
    """A camera that keeps when it gave which frame."""

    def __init__(self, source: Path) -> None:
        self.taken_s: dict[int, float] = {}
        super().__init__(source)

    def _put(self, frame: Frame) -> None:
        self.taken_s[number_in(frame.image[SQUARE // 2, :, 0])] = frame.time_s
        super()._put(frame)


@dataclass
class Seen:
    """What the screen showed: at which time which frame."""

    times_s: list[float] = field(default_factory=list)
    numbers: list[int] = field(default_factory=list)


def measure(seconds: float, fps: float) -> Report:
    """Show the video as the camera's, plain and with the mouth hidden."""
    report = Report("live")
    rows: list[tuple[Cell, ...]] = []
    with tempfile.TemporaryDirectory() as scratch, screen(Path(scratch)) as line:
        clip = Path(scratch) / "clip.avi"
        film(clip, round((seconds + SETTLED_S) * fps), fps)
        for name, hide in HIDES.items():
            figures = watched(clip, hide, line)
            report.figures[name] = figures
            rows.append((name, *_cells(figures)))
    report.tables.append(
        Table(
            f"mien live, {SIZE_HW[1]}x{SIZE_HW[0]} at {fps:g} frames a second, {seconds:g} s each",
            (
                "shown",
                "pictures a second",
                "read a second",
                "lag: usual",
                "95 %",
                "most",
                "over 100 ms",
                "camera to screen",
            ),
            rows,
            "lag: how much older the picture on screen is than the camera's newest, at any moment;"
            " camera to screen: the time from when the camera gives a picture until it is on"
            " screen, usually",
        )
    )
    return report


def watched(clip: Path, hide: str, line: NDArray[np.uint8]) -> dict[str, Any]:
    """Show a video to its end while the screen is watched."""
    recognizer = LiveRecognizer(min_face=MIN_FACE, threads=max(1, cores() - 1), points=True)
    with Window("bench") as window, Logged(clip) as camera:
        reader = Reader(camera, recognizer.following(), hide=hide)
        scene, seen, over = Watch(camera, reader, Look()), Seen(), threading.Event()
        watcher = threading.Thread(target=_look, args=(camera, line, seen, over))
        watcher.start()
        try:
            window.play(scene)
        finally:
            over.set()
            watcher.join()
            reader.close()
        return _figures(camera, reader, seen)


def _look(camera: Logged, line: NDArray[np.uint8], seen: Seen, over: threading.Event) -> None:
    while not over.wait(SAMPLE_S):
        number, now = number_in(line[: BITS * SQUARE]), camera.clock_s
        if number in camera.taken_s:
            seen.times_s.append(now)
            seen.numbers.append(number)


def _figures(camera: Logged, reader: Reader, seen: Seen) -> dict[str, Any]:
    """Hold what was on screen against what the camera had given by then."""
    given = np.array(sorted(camera.taken_s.values()))
    times = np.array(seen.times_s)
    shown_s = np.array([camera.taken_s[number] for number in seen.numbers])
    newest_s = given[np.searchsorted(given, times, side="right") - 1]
    first = np.flatnonzero(np.diff(shown_s, prepend=-1.0))
    settled = times > SETTLED_S
    first = first[times[first] > SETTLED_S]
    span_s = float(times[-1] - SETTLED_S)
    behind = (newest_s - shown_s)[settled]
    return {
        "shown_a_second": len(first) / span_s,
        "read_a_second": reader.count / float(times[-1]),
        "behind_s": {
            "usual": float(np.median(behind)),
            "95": float(np.quantile(behind, 0.95)),
            "most": float(behind.max()),
        },
        "over_bar": float((behind > BAR_S + 1e-3).mean()),
        "to_screen_s": float(np.median((times - shown_s)[first])),
        "looks": int(settled.sum()),
    }


def _cells(figures: dict[str, Any]) -> tuple[Cell, ...]:
    behind = figures["behind_s"]
    return (
        f"{figures['shown_a_second']:.1f}",
        f"{figures['read_a_second']:.1f}",
        *(f"{1000 * behind[name]:.0f} ms" for name in ("usual", "95", "most")),
        f"{100 * figures['over_bar']:.2f} %",
        f"{1000 * figures['to_screen_s']:.0f} ms",
    )


def film(path: Path, count: int, fps: float) -> None:
    """Write the portrait as it moves about, each frame with its number."""
    portrait = images.read(weights.sample_portrait())[: SIZE_HW[0]]
    room = SIZE_HW[1] - portrait.shape[1]
    with write_video(path, SIZE_HW, fps) as video:
        for number in range(count):
            frame = np.full((*SIZE_HW, 3), 200, np.uint8)
            left = round(room * (0.5 + 0.5 * np.sin(number / 12)))
            frame[:, left : left + portrait.shape[1]] = portrait
            frame[:SQUARE, : BITS * SQUARE] = squares(number)[None, :, None]
            video.write(frame, number / fps)


def squares(number: int) -> NDArray[np.uint8]:
    """Write a number as levels of pixels in a line."""
    bits = (number >> np.arange(BITS)) & 1
    return np.repeat(bits * 255, SQUARE).astype(np.uint8)


def number_in(levels: NDArray[np.uint8]) -> int:
    """Read the number that a line of pixels shows."""
    bits = levels[SQUARE // 2 : BITS * SQUARE : SQUARE] > 127
    return int((bits << np.arange(BITS)).sum())


@contextmanager
def screen(folder: Path) -> Iterator[NDArray[np.uint8]]:
    """Open a virtual screen; give the line of its pixels that shows the number."""
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1280x800x24"]
    try:
        server = subprocess.Popen(
            [*command, "-nolisten", "tcp", "-fbdir", str(folder)],
            pass_fds=[theirs],
            stderr=subprocess.DEVNULL,
        )
    except FileNotFoundError as error:
        raise UsageError("no Xvfb: install the package xvfb") from error
    finally:
        os.close(theirs)
    before = os.environ.get("DISPLAY")
    try:
        with os.fdopen(ours) as told:
            os.environ["DISPLAY"] = f":{told.readline().strip()}"
        yield _line(folder / "Xvfb_screen0")
    finally:
        _restore(before)
        server.terminate()
        server.wait()


def _line(file: Path) -> NDArray[np.uint8]:
    """Map a line of the screen into memory: its green levels."""
    content = np.memmap(file, np.uint8, mode="r")
    fields = content[:100].view(">u4")
    head, width, bytes_a_line, colours = (int(fields[i]) for i in (0, 4, 12, 19))
    start = head + 12 * colours + bytes_a_line * (SQUARE // 2)
    green: Image = content[start : start + 4 * width].reshape(width, 4)[:, 1]
    return green


def _restore(display: str | None) -> None:
    if display is None:
        os.environ.pop("DISPLAY", None)
    else:
        os.environ["DISPLAY"] = display
