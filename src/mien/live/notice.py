"""What is said before the first picture is taken."""

from collections.abc import Sequence
from pathlib import Path

from mien.images import Image
from mien.images.overlay import notice
from mien.live.window import CLICK, QUIT

START = frozenset({"space", "Return", "KP_Enter", CLICK})
_SIZE_HW = (420, 640)


def words(
    *,
    video: bool = False,
    stream: bool = False,
    record: Path | None = None,
    save: Path | None = None,
) -> list[str]:
    """Say in plain words what is computed, what is kept, and that nothing leaves the machine.

    `video` says that a video is in the camera's place, `stream` that the camera is in the network.
    """
    source = "video" if video else "camera"
    kept = [
        f"What is read is written to {record}." if record else "",
        f"The pictures that you take are kept in {save}." if save else "No picture is kept.",
    ]
    comes = "; the stream comes to it over the network" if stream else ""
    return [
        f"Before the {source} starts",
        f"mien looks for faces in the {source}'s pictures, finds 68 points on each, and names the"
        " expression that the face shows, and which part of it is hidden. It does not know who"
        " anybody is, nor what anybody feels or thinks.",
        f"All of it is computed on this machine, and nothing leaves it{comes}.",
        " ".join(filter(None, kept)),
        *([] if video else ["Tell everybody whom the camera may see."]),
    ]


class Notice:
    """Show the words until a key says to go on."""

    def __init__(self, lines: Sequence[str]) -> None:
        self._lines = lines
        self._drawn = self.agreed = self.ended = False

    def next(self, keys: Sequence[str]) -> Image | None:
        """Show the words once."""
        self.agreed |= not START.isdisjoint(keys)
        self.ended = self.agreed or not QUIT.isdisjoint(keys)
        if self.agreed:
            return notice(["Starting ..."], _SIZE_HW, left="", right="")
        if self._drawn:
            return None
        self._drawn = True
        right = "SPACE or RETURN starts, ESC or q leaves"
        return notice(self._lines, _SIZE_HW, left="", right=right)

    def shown(self) -> None:
        """Nothing needs to be noted."""
