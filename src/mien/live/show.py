"""One showing: what is said first, the camera, the live view or the guide, and what it came to."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mien import occlusion
from mien.images.overlay import Look
from mien.live.capture import Capture
from mien.live.notice import Notice
from mien.live.reading import LiveRecognizer, Reader, Record
from mien.live.watch import Watch
from mien.live.window import Window
from mien.media.camera import USUAL_WH, Camera
from mien.media.smoothing import HALF_LIFE_S

TITLE = "mien live"


@dataclass(frozen=True)
class Setting:
    """What is shown, and how."""

    source: str = "0"
    size_wh: tuple[int, int] = USUAL_WH
    look: Look = field(default_factory=Look)
    hide: str = occlusion.NONE
    half_life_s: float = HALF_LIFE_S


@dataclass(frozen=True)
class Shown:
    """What a live view came to: pictures shown and read, faces, seconds, and the usual age."""

    pictures: int
    readings: int
    faces: int
    seconds: float
    age_s: float | None

    def __str__(self) -> str:
        rate = self.pictures / self.seconds if self.seconds else 0.0
        age = "" if self.age_s is None else f", usually {1000 * self.age_s:.0f} ms old"
        return (
            f"{_number(self.pictures, 'picture')} shown, {rate:.1f} a second{age};"
            f" {self.readings} read, {_number(self.faces, 'face')}"
        )


def _number(count: int, thing: str) -> str:
    return f"{count} {thing}" if count == 1 else f"{count} {thing}s"


def agreed(window: Window, lines: Sequence[str]) -> bool:
    """Show what will be done; say whether the viewer wants it."""
    notice = Notice(lines)
    window.play(notice)
    return notice.agreed


def watch(
    window: Window, setting: Setting, recognizer: LiveRecognizer, record: Record | None = None
) -> Shown:
    """Show the live view until it is left."""
    with Camera(setting.source, size_wh=setting.size_wh) as camera:
        reader = Reader(
            camera,
            recognizer,
            hide=setting.hide,
            half_life_s=setting.half_life_s,
            record=record,
        )
        scene = Watch(camera, reader, setting.look)
        try:
            window.play(scene)
        finally:
            reader.close()
        age_s = statistics.median(scene.ages_s) if scene.ages_s else None
        return Shown(scene.count, reader.count, reader.faces, camera.clock_s, age_s)


def capture(
    window: Window,
    setting: Setting,
    recognizer: LiveRecognizer,
    folder: Path | None,
    say: Callable[[str], None],
) -> int:
    """Show the guide until it is left; give how many pictures were taken."""
    with Camera(setting.source, size_wh=setting.size_wh) as camera:
        mirrored = setting.look.mirrored
        scene = Capture(camera, recognizer, mirrored=mirrored, folder=folder, say=say)
        window.play(scene)
        return scene.count
