"""What is played is on the screen, and keys are heard."""

import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from mien.errors import UsageError
from mien.images import Image
from mien.live.notice import Notice, words
from mien.live.window import CLICK, Window


class Slides:
    """Shows pictures, one a call, and ends; does something after each."""

    def __init__(self, pictures: Sequence[Image | None], after: Any = lambda number: None) -> None:
        self.pictures, self.after = list(pictures), after
        self.heard: list[str] = []
        self.count = 0

    @property
    def ended(self) -> bool:
        return not self.pictures

    def next(self, keys: Sequence[str]) -> Image | None:
        self.heard += keys
        return self.pictures.pop(0)

    def shown(self) -> None:
        self.count += 1
        self.after(self.count)


def colours(size_hw: tuple[int, int], rng: np.random.Generator) -> Image:
    return rng.integers(0, 256, (*size_hw, 3), dtype=np.uint8)


def test_each_picture_is_on_the_screen_pixel_by_pixel(
    screen: Any, rng: np.random.Generator
) -> None:
    pictures = [colours((60, 80), rng), colours((90, 70), rng)]
    seen = []
    with Window("test") as window:
        window.play(Slides(pictures, lambda number: seen.append(settled(window, screen))))
    for picture, pixels in zip(pictures, seen, strict=True):
        height, width = picture.shape[:2]
        assert (pixels[:height, :width] == picture).all()


def settled(window: Window, screen: Any) -> Image:
    """Look at the screen once the server has drawn all that it was sent."""
    window._root.winfo_pointerxy()  # waits for the server's answer
    return screen.pixels().copy()


def test_keys_and_clicks_are_heard_and_modifiers_are_not(screen: Any) -> None:
    picture = np.zeros((60, 80, 3), np.uint8)
    with Window("test") as window:

        def press(number: int) -> None:
            for key in ("<Key-m>", "<Key-Shift_L>", "<Key-space>", "<Key-Escape>", "<Button-1>"):
                window._root.event_generate(key)

        slides = Slides([picture, None, None], press)
        window.play(slides)
    assert slides.heard == ["m", "space", "Escape", CLICK]


def test_closing_the_window_ends_the_play(screen: Any) -> None:
    with Window("test") as window:
        slides = Slides([np.zeros((60, 80, 3), np.uint8)] * 100, lambda number: window._close())
        window.play(slides)
    assert slides.count == 1


def test_what_a_scene_raises_comes_out(screen: Any) -> None:
    def interrupt(number: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), Window("test") as window:
        window.play(Slides([np.zeros((60, 80, 3), np.uint8)] * 3, interrupt))


def test_without_a_screen_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("tkinter")
    monkeypatch.setenv("DISPLAY", ":98765")
    with pytest.raises(UsageError, match="no screen to open a window on"):
        Window("test")


def test_without_tkinter_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tkinter", None)
    with pytest.raises(UsageError, match="python3-tk"):
        Window("test")


@pytest.mark.parametrize(("key", "agreed"), [("space", True), (CLICK, True), ("q", False)])
def test_the_notice_stays_until_a_key_decides(key: str, agreed: bool) -> None:
    scene = Notice(words())
    assert scene.next([]) is not None
    assert scene.next(["x"]) is None and not scene.ended
    scene.next([key])
    assert scene.ended and scene.agreed is agreed


def test_the_words_say_what_is_kept_and_what_comes_from_elsewhere(tmp_path: Any) -> None:
    plain = " ".join(words())
    assert "nothing leaves it." in plain and "No picture is kept." in plain
    assert "Tell everybody whom the camera may see." in plain
    assert "camera" not in " ".join(words(video=True))
    other = " ".join(words(stream=True, record=tmp_path / "a.csv", save=tmp_path / "kept"))
    assert "the stream comes to it over the network" in other
    assert f"written to {tmp_path / 'a.csv'}" in other and f"kept in {tmp_path / 'kept'}" in other
