"""A screen that nobody sees, and stand-ins for a camera and what reads it."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mien.media.video import Frame
from mien.records import Face, Prediction

SHARES = {"neutral": 0.2, "happiness": 0.7, "surprise": 0.1}


class Screen:
    """The pixels of a virtual screen, as they are on it."""

    def __init__(self, name: str, file: Path) -> None:
        self.name, self._file = name, file

    def pixels(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        """Read the screen (H, W, 3) from the X window dump that Xvfb keeps."""
        raw = np.fromfile(self._file, np.uint8)
        fields = raw[:100].view(">u4")
        head, width, height, line, colours = (int(fields[i]) for i in (0, 4, 5, 12, 19))
        start = head + 12 * colours
        rows = raw[start : start + line * height].reshape(height, line // 4, 4)
        return rows[:, :width, 2::-1]


@pytest.fixture(scope="session")
def virtual_screen(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Screen]:
    if shutil.which("Xvfb") is None:
        if os.environ.get("CI"):
            pytest.fail("no Xvfb: install it, or the window goes untested")
        pytest.skip("no Xvfb to open a window on")
    folder = tmp_path_factory.mktemp("screen")
    ours, theirs = os.pipe()
    command = ["Xvfb", "-displayfd", str(theirs), "-screen", "0", "1280x800x24"]
    server = subprocess.Popen(
        [*command, "-nolisten", "tcp", "-fbdir", str(folder)],
        pass_fds=[theirs],
        stderr=subprocess.DEVNULL,
    )
    os.close(theirs)
    try:
        with os.fdopen(ours) as told:
            number = told.readline().strip()
        yield Screen(f":{number}", folder / "Xvfb_screen0")
    finally:
        server.terminate()
        server.wait()


@pytest.fixture
def screen(virtual_screen: Screen, monkeypatch: pytest.MonkeyPatch) -> Screen:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", virtual_screen.name)
    return virtual_screen


class StillCamera:
    """A camera whose pictures the test gives."""

    def __init__(self) -> None:
        self.frame: Frame | None = None
        self.clock_s = 0.0
        self.silent_s = 0.0
        self.ended = False

    def give(self, number: int, time_s: float, image: Any = None) -> Frame:
        picture = np.full((60, 80, 3), number, np.uint8) if image is None else image
        self.frame = Frame(number, time_s, picture)
        return self.frame

    def latest(self, after: int = -1, *, timeout_s: float = 0.0) -> Frame | None:
        return self.frame if self.frame is not None and self.frame.number > after else None


@pytest.fixture
def camera() -> StillCamera:
    return StillCamera()


@pytest.fixture
def predicted() -> Callable[..., Prediction]:
    """Make a prediction of three expressions."""

    def made(shares: dict[str, float] = SHARES, **changes: Any) -> Prediction:
        box = changes.pop("box_xyxy", (20.0, 10.0, 50.0, 45.0))
        expression = max(shares, key=shares.__getitem__)
        certain = changes.pop("certain", True)
        return Prediction(
            Face(box, 0.9),
            expression,
            shares[expression],
            shares,
            **{"hidden": (), "certain": certain, **changes},
        )

    return made
