"""The command `mien`: a thin skin over the package, one file a command."""

import sys
import warnings
from collections.abc import Sequence
from io import TextIOWrapper
from typing import NoReturn


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line, that of the process by default, and give its exit code."""
    from mien.cli import _app

    try:
        _app.build()(args=arguments, prog_name="mien")
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0
    return 0


def run() -> NoReturn:
    """End the process as the command line asks."""
    # Pillow warns of damaged tags in photographs that it reads all the same.
    warnings.filterwarnings("ignore", module="PIL")
    if isinstance(sys.stdout, TextIOWrapper):  # a name it cannot encode is no reason to stop
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = main()
    except KeyboardInterrupt:  # before or after a command's own work
        code = 130
    sys.exit(code)
