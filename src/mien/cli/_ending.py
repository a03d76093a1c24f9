"""How a command ends: with its exit code, and with no traceback for what a user can cause."""

import functools
import os
import sys
from collections.abc import Callable
from typing import ParamSpec

import typer

from mien.cli._streams import writing
from mien.errors import MienError

INTERRUPTED = 130  # as shells count: 128 and the number of the signal
BROKEN_PIPE = 141

P = ParamSpec("P")


def ends_well(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what can end a command early into one line on stderr and an exit code."""

    @functools.wraps(command)
    def run(*arguments: P.args, **named: P.kwargs) -> None:
        try:
            command(*arguments, **named)
            with writing("standard output"):
                sys.stdout.flush()
        except MienError as error:
            _say(f"error: {error}")
            _leave(error.exit_code)
        except KeyboardInterrupt as stop:
            _say(f"interrupted: {stop}" if str(stop) else "interrupted")
            _leave(INTERRUPTED)
        except BrokenPipeError:
            _leave(BROKEN_PIPE)

    return run


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
