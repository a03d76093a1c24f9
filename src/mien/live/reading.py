"""The faces of a camera's newest picture, read by a thread of its own."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mien import occlusion
from mien.images import Image
from mien.media.camera import Camera
from mien.media.smoothing import HALF_LIFE_S, Smoother
from mien.media.tracks import Cuts, Tracker
from mien.media.video import Frame
from mien.occlusion import Draw
from mien.recognizer import Recognizer
from mien.records import Prediction

SEED = 3  # a light blue mask
_WAIT_S = 0.1


@dataclass(frozen=True, slots=True)
class Seen:
    """A face of one frame: what was read of it, its track, and what its last frames say of it."""

    prediction: Prediction
    track: int
    smoothed: Prediction


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a frame; the frame with what hid a part of its faces; how late that was."""

    frame: Frame
    image: Image
    faces: tuple[Seen, ...]
    hide: str = occlusion.NONE
    delay_s: float = 0.0


Record = Callable[[Reading], None]


class LiveRecognizer(Recognizer):
    """A recognizer that can hide a part of the faces that it has found before it reads them."""

    def hiding(self, image: Image, spec: str) -> tuple[Image, list[Prediction]]:
        """Read an image and its faces with an occluder on each; give what was read, too.

        The faces are found, and cut, as they are without: what is hidden cannot lose them.
        """
        if not occlusion.parts(spec):
            return image, self(image)
        faces = self._finder.find(image)
        for face in faces:
            if face.points_xy is not None:
                image, _ = _occluder(spec)(image, face.points_xy, np.random.default_rng(SEED))
        return image, self._predictions(self._cut(image, faces))


class Reader:
    """Read the newest frame of a camera over and over; `hide` may change at any time."""

    def __init__(
        self,
        camera: Camera,
        recognizer: LiveRecognizer,
        *,
        hide: str = occlusion.NONE,
        half_life_s: float = HALF_LIFE_S,
        record: Record | None = None,
    ) -> None:
        self.hide = hide
        self.count = self.faces = 0
        self._camera, self._recognizer, self._record = camera, recognizer, record
        self._cuts, self._tracker = Cuts(), Tracker()
        self._smoother, self._smoothed = Smoother(half_life_s), hide
        self._half_life_s = half_life_s
        self._newest: Reading | None = None
        self._problem: Exception | None = None
        self._closing = False
        self._thread = threading.Thread(target=self._run, name="mien-reader", daemon=True)
        self._thread.start()

    def latest(self) -> Reading | None:
        """Give what was read last."""
        if self._problem is not None:
            raise self._problem
        return self._newest

    def close(self) -> None:
        """Finish the frame that is being read, and stop."""
        self._closing = True
        self._thread.join()

    def _run(self) -> None:
        after = -1
        try:
            while not self._closing:
                frame = self._camera.latest(after, timeout_s=_WAIT_S)
                if frame is not None:
                    after = frame.number
                    self._newest = self._read(frame)
                    if self._record is not None:
                        self._record(self._newest)
                elif self._camera.ended:
                    return
        except Exception as error:  # raised again where the window is
            self._problem = error

    def _read(self, frame: Frame) -> Reading:
        hide = self.hide
        if hide != self._smoothed:  # what was read before was read of another face, so to say
            self._smoother, self._smoothed = Smoother(self._half_life_s), hide
        image, predictions = self._recognizer.hiding(frame.image, hide)
        cut = self._cuts.update(frame.image)
        boxes = [found.face for found in predictions]
        tracks = self._tracker.update(boxes, frame.time_s, cut=cut)
        self.count, self.faces = self.count + 1, self.faces + len(predictions)
        pairs = zip(predictions, tracks, strict=True)
        smoothed = self._smoother.smoothed
        faces = (Seen(found, track, smoothed(track, frame.time_s, found)) for found, track in pairs)
        return Reading(frame, image, tuple(faces), hide, self._camera.clock_s - frame.time_s)


@lru_cache(maxsize=8)
def _occluder(spec: str) -> Draw:
    return occlusion.occluder(spec, photograph=True)
