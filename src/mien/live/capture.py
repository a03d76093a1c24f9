"""The guide: a red rectangle, a key that takes the picture, and what the face in it shows."""

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from mien import images
from mien.errors import OutputError
from mien.geometry import Box
from mien.images import Image
from mien.images.overlay import answer, guide
from mien.live.window import QUIT
from mien.media.camera import Camera
from mien.media.video import Frame
from mien.recognizer import Recognizer
from mien.records import Prediction, percent

SHARE = 0.8  # of the picture's shorter side
SIDES = (48, 96)
NO_FACE = ("There is no face in the rectangle.", "Try again", "Come closer, or find more light.")


class Capture:
    """Take pictures on SPACE; the network gets what the rectangle shows, without the line."""

    def __init__(
        self,
        camera: Camera,
        recognizer: Recognizer,
        *,
        mirrored: bool,
        folder: Path | None = None,
        say: Callable[[str], None] = print,
    ) -> None:
        self.count = 0
        self._camera, self._recognizer = camera, recognizer
        self._mirrored, self._folder, self._say = mirrored, folder, say
        self._frame: Frame | None = None
        self._answered = self._left = False

    @property
    def ended(self) -> bool:
        """Say whether a key ended it, or a video file did."""
        return self._left or (self._camera.ended and not self._answered)

    def next(self, keys: Sequence[str]) -> Image | None:
        """Show what the camera sees, or what the picture that was taken shows."""
        self._left |= not QUIT.isdisjoint(keys)
        if self._answered or self._left:
            self._answered = not keys
            return None
        if "space" in keys and self._frame is not None:
            return self._take(self._frame)
        newer = self._camera.latest(-1 if self._frame is None else self._frame.number)
        if newer is None:
            return None
        self._frame = newer
        box = edges(square(newer.image))
        aim = "Fill the rectangle with your face"
        keys_told = "SPACE takes the picture  ESC or q ends"
        return guide(newer.image, box, mirrored=self._mirrored, left=aim, right=keys_told)

    def shown(self) -> None:
        """Nothing needs to be noted."""

    def _take(self, frame: Frame) -> Image:
        """Read what the rectangle showed when the key was pressed."""
        left, top, side = square(frame.image)
        crop = frame.image[top : top + side, left : left + side]
        found = next(iter(self._recognizer(crop)), None)
        lines = sentence(found) if found else NO_FACE
        self.count += 1
        self._answered = True
        self._say(" ".join(lines))
        if self._folder is not None:
            self._say(f"kept in {keep(self._folder, frame.image, crop)}")
        seen = crop[:, ::-1] if self._mirrored else crop
        return answer(seen, lines, found, (480, 720))


def sentence(prediction: Prediction) -> tuple[str, ...]:
    """Say what a face shows, and what it shows a bit of."""
    (first, share), (second, less) = sorted(
        prediction.probabilities.items(), key=lambda pair: -pair[1]
    )[:2]
    verb = "shows" if prediction.certain else "may show"
    rest = f"... and a bit of {second} ({percent(less)})" if less >= 0.005 else "... and no other"
    lines = (f"Your face {verb}", f"{first} ({percent(share)})", rest)
    hidden = prediction.hidden_note
    return (*lines, f"({hidden})") if hidden else lines


def square(image: Image) -> tuple[int, int, int]:
    """Choose the square about the middle: left, top, side; it is its own mirror image."""
    height, width = image.shape[:2]
    side = round(min(height, width) * SHARE)
    side -= (width - side) % 2
    return (width - side) // 2, (height - side) // 2, side


def edges(place: tuple[int, int, int]) -> Box:
    """Give the centres of the square's outermost pixels as a box."""
    left, top, side = place
    return (left, top, left + side - 1, top + side - 1)


def keep(folder: Path, original: Image, crop: Image) -> Path:
    """Write the whole picture, and the square in grey at the sizes that data sets of faces have."""
    target = folder / f"{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
    try:
        target.mkdir(parents=True)
    except OSError as error:
        raise OutputError(f"cannot make the folder {target}: {error.strerror}") from error
    images.write(target / "original.png", original)
    for side in SIDES:
        small = images.resize(images.to_grey(crop), (side, side), interpolation="area")
        images.write(target / f"{side}.png", small)
    return target
