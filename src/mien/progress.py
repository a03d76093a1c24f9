"""One way to show long work, and how many may share it."""

import os
import sys
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from rich.live import Live

Item = TypeVar("Item")


def track(
    iterable: Iterable[Item], *, total: int | None = None, description: str, quiet: bool = False
) -> Generator[Item, None, None]:
    """Yield the items under a bar on stderr; show nothing when quiet or when nobody watches."""
    if quiet or not sys.stderr.isatty():
        yield from iterable
        return
    from rich.console import Console
    from rich.progress import Progress

    with Progress(console=Console(stderr=True), transient=True) as progress:
        yield from progress.track(iterable, total=total, description=description)


class Line:
    """A line on stderr that is drawn anew each second; none when quiet or when nobody watches."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._watched = not quiet and sys.stderr.isatty()
        self._live: Live | None = None

    def show(self, text: str) -> None:
        """Let the line say this from the next second on."""
        if not self._watched:
            return
        from rich.console import Console
        from rich.live import Live
        from rich.text import Text

        if self._live is None:
            screen = Console(stderr=True)
            self._live = Live(
                console=screen, refresh_per_second=1, transient=True, redirect_stdout=False
            )
            self._live.start()
        self._live.update(Text(text, no_wrap=True, overflow="ellipsis"))

    def close(self) -> None:
        """Take the line away; it comes back when it has something to show."""
        if self._live is not None:
            self._live.stop()
            self._live = None


def span(seconds: float) -> str:
    """Word a time in its two largest units."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def say(text: str, *, quiet: bool = False) -> None:
    """Print a line of a long work's log on stderr."""
    if not quiet:
        print(text, file=sys.stderr, flush=True)


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
