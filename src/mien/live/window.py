"""A window that shows pictures as fast as they come, and hears keys."""

import time
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Protocol, Self

from mien.errors import UsageError
from mien.images import Image

if TYPE_CHECKING:
    import tkinter

QUIT = frozenset({"q", "Q", "Escape"})
CLICK = "click"

_TICK_S = 0.003
_MODIFIERS = ("Shift", "Control", "Alt", "Meta", "Super", "ISO_", "Caps", "Num_Lock", "Mode_")


class Scene(Protocol):
    """What a window plays."""

    @property
    def ended(self) -> bool: ...

    def next(self, keys: Sequence[str]) -> Image | None:
        """Hear the keys pressed since, and give the next picture; None if nothing is new."""
        ...

    def shown(self) -> None:
        """Hear that the last picture is on screen."""
        ...


class Window:
    """One window, which shows one picture at its own size."""

    def __init__(self, title: str) -> None:
        self._root = _root(title)
        self._keys: list[str] = []
        self.closed = False
        self._root.bind("<Key>", self._pressed)
        self._root.bind("<Button-1>", lambda event: self._keys.append(CLICK))
        self._root.protocol("WM_DELETE_WINDOW", self._close)
        self._photo, self._label = _picture(self._root)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._root.destroy()

    def show(self, image: Image) -> None:
        """Show an RGB picture now."""
        height, width = image.shape[:2]
        self._photo.configure(data=b"P6 %d %d 255\n" % (width, height) + image.tobytes())
        self._root.update()

    def play(self, scene: Scene) -> None:
        """Show a scene until it ends or the window is closed."""
        self._root.focus_force()
        while not (scene.ended or self.closed):
            keys, self._keys = self._keys, []
            picture = scene.next(keys)
            if picture is not None:
                self.show(picture)
                scene.shown()
            self._root.update()
            time.sleep(_TICK_S)

    def press(self, key: str) -> None:
        """Act as if a key had been pressed."""
        self._keys.append(key)

    def _pressed(self, event: "tkinter.Event[Any]") -> None:
        if not event.keysym.startswith(_MODIFIERS):
            self._keys.append(event.keysym)

    def _close(self) -> None:
        self.closed = True


def _root(title: str) -> "tkinter.Tk":
    try:
        import tkinter
    except ImportError as error:
        raise UsageError(
            "a window needs tkinter, which this Python comes without: install python3-tk (Debian,"
            " Ubuntu), python3-tkinter (Fedora) or python-tk (Homebrew)"
        ) from error
    try:
        root = tkinter.Tk(className="mien")
    except tkinter.TclError as error:
        raise UsageError(
            f"no screen to open a window on ({error}); start this on a desktop"
        ) from error
    root.title(title)
    root.resizable(False, False)
    return root


def _picture(root: "tkinter.Tk") -> "tuple[tkinter.PhotoImage, tkinter.Label]":
    import tkinter

    photo = tkinter.PhotoImage(master=root)
    label = tkinter.Label(root, image=photo, borderwidth=0, highlightthickness=0, padx=0, pady=0)
    label.pack()
    return photo, label
