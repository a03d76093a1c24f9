"""How a command ends: with its exit code, and with no traceback for what a user can cause."""

import functools
import math
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ParamSpec

import typer

from mien.cli._streams import writing
from mien.errors import MienError

INTERRUPTED = 130  # as shells count: 128 and the number of the signal
BROKEN_PIPE = 141
TERMINATED = 143
_TWICE_S = 1.0

P = ParamSpec("P")


def ends_well(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what can end a command early into one line on stderr and an exit code."""

    @functools.wraps(command)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        terminated = threading.Event()
        try:
            with _terminable(terminated):
                command(*arguments, **named)
                with writing("standard output"):
                    sys.stdout.flush()
        except MienError as error:
            _say(f"error: {error}")
            _leave(error.exit_code)
        except KeyboardInterrupt as stop:
            _say(f"interrupted: {stop}" if str(stop) else "interrupted")
            _leave(TERMINATED if terminated.is_set() else INTERRUPTED)
        except BrokenPipeError:
            _leave(BROKEN_PIPE)

    return run


@contextmanager
def _terminable(terminated: threading.Event) -> Iterator[None]:
    """Let SIGTERM come as Ctrl-C does, and set the event.

    `timeout` sends it twice: so soon, the second says nothing new; later it ends the process at
    once. Where something else minds it, that is left alone.
    """
    first_s = math.inf

    def stop(number: int, _frame: object) -> None:
        nonlocal first_s
        if not terminated.is_set():
            first_s = time.monotonic()
            terminated.set()
            raise KeyboardInterrupt
        if time.monotonic() - first_s > _TWICE_S:
            signal.signal(number, signal.SIG_DFL)
            os.kill(os.getpid(), number)

    main = threading.current_thread() is threading.main_thread()
    if not main or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        # The second may come as late as Python's own end.
        after = signal.SIG_IGN if terminated.is_set() else signal.SIG_DFL
        signal.signal(signal.SIGTERM, after)


def _say(message: str) -> None:
    print(" ".join(message.split()), file=sys.stderr)


def _leave(code: int) -> None:
    """Exit; what nobody reads any more is dropped, or Python would complain as it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
    raise typer.Exit(code)
