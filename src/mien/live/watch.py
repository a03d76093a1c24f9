"""The live view: the camera's newest picture with what was read of it."""

from collections import deque
from collections.abc import Sequence
from dataclasses import replace

from mien import occlusion
from mien.images import Image
from mien.images.overlay import Look, Mark, overlay
from mien.live.reading import Reader, Reading
from mien.live.window import QUIT
from mien.media.camera import Camera
from mien.media.video import Frame

# What each key hides, on and off.
HIDES = {"m": "mouth", "e": "eyes", "k": "surgical"}
KEYS = "m mouth  e eyes  k mask  f mirror  b bars  g green  q quit"
# A picture waits for its own faces until the one on screen is that old; if it usually takes longer
# to read one, none waits.
HOLD_S = 0.09
_SILENT_S = 1.0


class Watch:
    """Show each picture with its own faces; where reading is slow, with those read last."""

    def __init__(self, camera: Camera, reader: Reader, look: Look) -> None:
        self.look = look
        self.count = 0
        self.ages_s: deque[float] = deque(maxlen=5000)
        self._camera, self._reader = camera, reader
        self._hidden = set(occlusion.parts(reader.hide))
        self._frame: Frame | None = None
        self._image: Image | None = None
        self._reading: Reading | None = None
        self._shown_at: deque[float] = deque()
        self._counted = -1
        self._silence_s = 0
        self._left = False

    @property
    def ended(self) -> bool:
        """Say whether a key ended it, or a video file did."""
        return self._left or self._camera.ended

    def next(self, keys: Sequence[str]) -> Image | None:
        """Give the picture to show now, if it differs from the last."""
        heard = [self._hear(key) for key in keys]
        if self._left:
            return None
        changed = self._advance() or self._falls_silent()
        if self._frame is None or self._image is None or not (changed or any(heard)):
            return None
        faces = self._reading.faces if self._reading else ()
        marks = [Mark(seen.smoothed, seen.track) for seen in faces]
        return overlay(self._image, marks, self.look, left=self._told(), right=KEYS)

    def shown(self) -> None:
        """Note how old the picture is that is on screen now, if it is a new one."""
        if self._frame is None or self._frame.number == self._counted:
            return
        now, self._counted = self._camera.clock_s, self._frame.number
        self.count += 1
        self.ages_s.append(now - self._frame.time_s)
        self._shown_at.append(now)
        while self._shown_at[0] < now - 1:
            self._shown_at.popleft()

    def _hear(self, key: str) -> bool:
        key = key.lower() if len(key) == 1 else key
        if key in HIDES:
            self._hidden ^= {HIDES[key]}
            self._reader.hide = "+".join(sorted(self._hidden)) or occlusion.NONE
        elif key == "f":
            self.look = replace(self.look, mirrored=not self.look.mirrored)
        elif key == "b":
            self.look = replace(self.look, bars=not self.look.bars)
        elif key == "g":
            self.look = replace(self.look, green=not self.look.green)
        else:
            self._left |= key in QUIT
            return False
        return True

    def _advance(self) -> bool:
        """Take the next picture to show, never an older one."""
        reading = self._reader.latest()
        after = -1 if self._frame is None else self._frame.number
        if reading is None:
            return False
        self._reading = reading
        if reading.frame.number > after:
            self._frame, self._image = reading.frame, reading.image
            return True
        newer = None if self._waits() else self._camera.latest(after)
        if newer is None:
            return False
        self._frame, self._image = newer, newer.image
        return True

    def _waits(self) -> bool:
        """Say whether only a picture that was read may follow."""
        if self._hidden or self._frame is None or self._reading is None:
            return True
        age_s = self._camera.clock_s - self._frame.time_s
        return max(age_s, self._reading.delay_s) < HOLD_S

    def _falls_silent(self) -> bool:
        silence_s = int(self._camera.silent_s / _SILENT_S)
        changed, self._silence_s = silence_s != self._silence_s, silence_s
        return changed

    def _told(self) -> str:
        if self._silence_s:
            return f"no picture for {self._silence_s} s"
        if len(self._shown_at) < 2:
            return ""
        rate = (len(self._shown_at) - 1) / (self._shown_at[-1] - self._shown_at[0])
        age_ms = 1000 * self.ages_s[-1]
        return f"{rate:.0f} frames a second, {age_ms:.0f} ms old"
