"""`mien live` from its command line, a video in place of the camera."""

import csv
import json
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import tiny_videos
from mien import images
from mien.cli import main
from mien.images import Image
from mien.live import show
from mien.live.window import Scene, Window
from mien.media import camera

pytest.importorskip("cv2")
pytest.importorskip("scipy")

Done = tuple[int, str, str]


class StillDevice:
    """A camera that sees the portrait."""

    def __init__(self, picture: Image) -> None:
        self.picture = picture[..., ::-1]
        self.released = threading.Event()

    def grab(self) -> bool:
        time.sleep(0.02)
        return True

    def retrieve(self) -> tuple[bool, Image]:
        return True, self.picture

    def release(self) -> None:
        self.released.set()


@pytest.fixture
def device(portrait_path: Path, monkeypatch: pytest.MonkeyPatch) -> StillDevice:
    """Let camera 0 see the portrait."""
    made = StillDevice(images.read(portrait_path))
    monkeypatch.setattr(camera, "check_source", lambda source: None)
    monkeypatch.setattr(camera, "_opened", lambda number, size_wh: made)
    return made


@pytest.fixture
def live(
    shipped_models: None, screen: Any, capsys: pytest.CaptureFixture[str]
) -> Callable[..., Done]:
    def run(*words: str | Path) -> Done:
        code = main(["live", *map(str, words)])
        return code, *capsys.readouterr()

    return run


@pytest.fixture(scope="session")
def clip(portrait_path: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The portrait's upper part for half a second, in 320x240."""
    portrait = images.resize(images.read(portrait_path)[:384], (240, 320))
    frames = np.repeat(portrait[None], 10, axis=0)
    return tiny_videos.video(tmp_path_factory.mktemp("videos") / "clip.avi", frames, fps=20)


@pytest.fixture
def presses(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Image]]:
    """Press keys, each once the picture before it is on screen; keep what is shown."""

    def press(*keys: str) -> list[Image]:
        shown: list[Image] = []
        waiting: Iterator[str] = iter(keys)
        show_picture = Window.show

        def shows(self: Window, image: Image) -> None:
            show_picture(self, image)
            shown.append(image)
            self._keys.extend(key for key in [next(waiting, None)] if key)

        monkeypatch.setattr(Window, "show", shows)
        return shown

    return press


def test_a_video_is_shown_to_its_end_and_summed_up(live: Callable[..., Done], clip: Path) -> None:
    code, out, err = live(clip)
    assert (code, out) == (0, "")
    assert "nothing leaves it" in err
    assert re.search(r"\d pictures? shown", err) and "camera" not in err


def test_numbered_images_are_a_video(
    live: Callable[..., Done], portrait_path: Path, tmp_path: Path
) -> None:
    portrait = images.resize(images.read(portrait_path)[:384], (240, 320))
    for number in range(5):
        images.write(tmp_path / f"img{number:04}.png", portrait)
    code, _, err = live(tmp_path / "img%04d.png", "--record", tmp_path / "faces.csv")
    assert code == 0 and re.search(r"\d pictures? shown", err) and "camera" not in err
    assert len((tmp_path / "faces.csv").read_text().splitlines()) > 1
    code, _, err = live(tmp_path / "none%04d.png")
    assert code == 3 and err.startswith("error: no image fits")


def test_without_a_screen_the_error_comes_alone(
    clip: Path,
    shipped_models: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("DISPLAY", ":987654")
    pytest.importorskip("tkinter")
    if sys.platform in ("darwin", "win32"):
        pytest.skip("a window needs no X server here")
    assert main(["live", str(clip)]) == 2
    err = capsys.readouterr().err
    assert err.startswith("error: no screen to open a window on") and len(err.splitlines()) == 1


def test_quiet_says_nothing(live: Callable[..., Done], clip: Path) -> None:
    assert live(clip, "--quiet") == (0, "", "")


def test_the_table_has_a_row_a_face_a_frame(
    live: Callable[..., Done], clip: Path, tmp_path: Path
) -> None:
    code, _, err = live(clip, "--record", tmp_path / "faces.csv", "--hide", "mouth")
    with (tmp_path / "faces.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert code == 0 and f"written to {tmp_path / 'faces.csv'}" in err
    assert rows and {row["schema"] for row in rows} == {"mien.video/1"}
    assert {(row["hide"], row["track"], row["source"]) for row in rows} == {
        ("mouth", "1", str(clip))
    }
    assert [float(row["time_s"]) for row in rows] == sorted({float(row["time_s"]) for row in rows})
    smoothed = [float(value) for name, value in rows[0].items() if name.startswith("smoothed_")]
    assert sum(smoothed) == pytest.approx(1, abs=1e-4)


def test_the_table_may_be_parquet(live: Callable[..., Done], clip: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert live(clip, "--record", tmp_path / "faces.parquet", "--quiet") == (0, "", "")
    (row, *_) = parquet.read_table(tmp_path / "faces.parquet").to_pylist()
    assert row["hide"] == "none" and row["track"] == 1


def test_keys_are_heard_by_the_view_and_told_in_the_table(
    live: Callable[..., Done],
    device: StillDevice,
    tmp_path: Path,
    presses: Callable[..., list[Image]],
) -> None:
    shown = presses("m", "b", "", "q")
    code, _, _ = live("0", "--yes", "--record", tmp_path / "faces.jsonl", "--smooth", "0")
    rows = [json.loads(line) for line in (tmp_path / "faces.jsonl").read_text().splitlines()]
    assert code == 0
    assert rows[0]["hide"] == "none" and "smoothed" not in rows[0]
    assert shown[0].shape != shown[-1].shape and len(shown) == 4
    assert device.released.wait(5)


def test_a_camera_that_is_unplugged_leaves_a_whole_table(
    live: Callable[..., Done],
    device: StillDevice,
    tmp_path: Path,
    presses: Callable[..., list[Image]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera, "_DEVICES", tmp_path)
    shown = presses()
    device.grab = lambda: not shown  # type: ignore[method-assign]
    code, _, err = live("0", "--yes", "--record", tmp_path / "faces.csv")
    head, *rows = (tmp_path / "faces.csv").read_text().splitlines()
    assert code == 3 and head.startswith("schema,") and rows
    said = f"what was read until then is written to {tmp_path / 'faces.csv'} (rows: {len(rows)})"
    assert f"error: camera 0 was unplugged; plug it in and start again; {said}" in err
    assert device.released.wait(5)


def test_a_camera_that_gives_no_picture_leaves_the_old_table(
    live: Callable[..., Done],
    device: StillDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera, "_FIRST_S", 0.1)
    monkeypatch.setattr("sys.platform", "darwin")
    device.grab = lambda: False  # type: ignore[method-assign]
    table = tmp_path / "faces.csv"
    table.write_text("old")
    code, _, err = live("0", "--yes", "--quiet", "--record", table)
    assert code == 3 and err.startswith("error: camera 0 gives no picture") and "written" not in err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("faces.csv", "old")]


@pytest.mark.parametrize(
    ("stop", "code", "said"),
    [(None, 0, "; not written to"), (KeyboardInterrupt(), 130, "interrupted")],
)
def test_where_nothing_was_read_the_old_table_stays(
    stop: BaseException | None,
    code: int,
    said: str,
    live: Callable[..., Done],
    device: StillDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def watch(*_: Any) -> show.Shown:
        if stop is not None:
            raise stop
        return show.Shown(0, 0, 0, 1.0, None)

    monkeypatch.setattr(show, "watch", watch)
    table = tmp_path / "faces.csv"
    table.write_text("old")
    done, _, err = live("0", "--yes", "--record", table)
    assert done == code and said in err
    assert "; written to" not in err and "until then" not in err
    assert [(path.name, path.read_text()) for path in tmp_path.iterdir()] == [("faces.csv", "old")]


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("SIGTERM", 0, "faces; written to"),
        ("SIGHUP", 0, "faces; written to"),
        ("SIGINT", 130, "interrupted: what was read until then is written to"),
    ],
)
def test_a_signal_leaves_a_whole_table_and_says_where_it_is(
    name: str,
    code: int,
    said: str,
    live: Callable[..., Done],
    device: StillDevice,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if not hasattr(signal, name):
        pytest.skip(f"no {name} here")
    asked = getattr(signal, name)
    usual = signal.default_int_handler if name == "SIGINT" else signal.SIG_DFL
    before = signal.signal(asked, usual)  # whoever started the tests may have it ignored
    show_picture = Window.show

    def shows(self: Window, image: Image) -> None:
        show_picture(self, image)
        os.kill(os.getpid(), asked)

    monkeypatch.setattr(Window, "show", shows)
    try:
        done, _, err = live("0", "--yes", "--record", tmp_path / "faces.csv")
        assert signal.getsignal(asked) is usual
    finally:
        signal.signal(asked, before)
    assert done == code and f"{said} {tmp_path / 'faces.csv'}" in err
    assert len((tmp_path / "faces.csv").read_text().splitlines()) > 1
    assert [path.name for path in tmp_path.iterdir()] == ["faces.csv"]
    assert device.released.wait(5)


@pytest.mark.parametrize("words", [[], ["--capture"]])
def test_a_camera_that_falls_silent_ends_with_a_plain_word(
    words: list[str],
    live: Callable[..., Done],
    device: StillDevice,
    presses: Callable[..., list[Image]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(camera, "_GONE_S", 0.1)
    monkeypatch.setattr("sys.platform", "darwin")
    shown = presses()
    device.grab = lambda: not shown  # type: ignore[method-assign]
    code, _, err = live("0", "--yes", "--quiet", *words)
    assert code == 3 and err.startswith("error: camera 0 has stopped giving pictures")
    assert "Traceback" not in err


def test_the_guide_takes_a_picture_and_keeps_it(
    live: Callable[..., Done],
    device: StillDevice,
    tmp_path: Path,
    presses: Callable[..., list[Image]],
) -> None:
    shown = presses("space", "x", "q")
    code, out, _ = live("0", "--yes", "--capture", "--save", tmp_path / "kept")
    assert code == 0
    assert out.startswith("Your face shows happiness")
    (folder,) = (tmp_path / "kept").iterdir()
    assert {path.name for path in folder.iterdir()} == {"original.png", "48.png", "96.png"}
    assert len(shown) == 3


def test_a_camera_starts_when_a_key_agrees(
    live: Callable[..., Done],
    device: StillDevice,
    presses: Callable[..., list[Image]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    opened: list[bool] = []

    def open_device(number: int, size_wh: Sequence[int]) -> StillDevice:
        opened.append(bool(notices))
        return device

    notices: list[Scene] = []
    play = Window.play

    def plays(self: Window, scene: Scene) -> None:
        play(self, scene)
        notices.append(scene)

    monkeypatch.setattr(Window, "play", plays)
    monkeypatch.setattr(camera, "_opened", open_device)
    presses("Return", "", "", "q")
    code, _, _ = live("0")
    assert code == 0 and opened == [True] and device.released.wait(5)
    opened.clear()
    notices.clear()
    presses("q")
    assert live("0")[0] == 0 and opened == []


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (["none.mp4"], 3, "no camera or video none.mp4"),
        (["77"], 3, "no camera 77"),
        (["0", "--save", "kept"], 2, "add --capture"),
        (["0", "--record", "a.csv", "--capture"], 2, "leave out --capture"),
        (["0", "--hide", "mouth", "--capture"], 2, "leave out --capture"),
        (["0", "--hide", "moth"], 2, "did you mean 'mouth'"),
        (["CLIP", "--size", "big"], 2, "expected --size WxH"),
    ],
)
def test_what_cannot_be_is_told_before_a_window_opens(
    words: list[str],
    code: int,
    message: str,
    clip: Path,
    shipped_models: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setattr(Window, "__init__", lambda self, title: pytest.fail("a window opened"))
    assert main(["live", *(str(clip) if word == "CLIP" else word for word in words)]) == code
    assert message in capsys.readouterr().err
