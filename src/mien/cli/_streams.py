"""Where results are written: to files that appear whole or not at all, or to standard output."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from mien.errors import OutputError
from mien.files import opened, replacing

if TYPE_CHECKING:
    from rich.console import Console


ESCAPED = "backslashreplace"  # what cannot be encoded: names of files that are no UTF-8


@contextmanager
def result_stream(path: Path | None) -> Iterator[TextIO]:
    """Open the file for the results, or standard output where there is none."""
    if path is None:
        with writing("standard output"):
            yield sys.stdout
    else:
        with writing(str(path)), _whole(path) as stream:
            yield stream


def console(stream: TextIO | None = None) -> "Console":
    """Give what prints tables to a stream, standard output by default."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise  # or rich would end the process itself

    return Plain(file=stream, highlight=False)


@contextmanager
def writing(name: str) -> Iterator[None]:
    """Turn the errors of writing into ours; a pipe that nobody reads any more stays what it is."""
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError(f"cannot write {name}: {error.strerror or error}") from error


def replaceable(target: Path) -> bool:
    """Tell whether a file can take this name; a device or a pipe stays what it is."""
    return target.is_file() or not target.exists()


@contextmanager
def _whole(target: Path) -> Iterator[TextIO]:
    """Open a file that takes its name when all of it is written."""
    if not replaceable(target):
        with opened(target, "w", encoding="utf-8", errors=ESCAPED) as stream:
            yield stream
        return
    with (
        replacing(target, parents=False) as unfinished,
        opened(unfinished, "w", encoding="utf-8", errors=ESCAPED) as stream,
    ):
        yield stream
