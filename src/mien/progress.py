"""One way to show long work, and how many may share it."""

import os
import sys
from collections.abc import Generator, Iterable
from typing import TypeVar

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


def say(text: str, *, quiet: bool = False) -> None:
    """Print a line of a long work's log on stderr."""
    if not quiet:
        print(text, file=sys.stderr, flush=True)


def cores() -> int:
    """Count the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1
