"""Options that several commands share."""

from enum import StrEnum
from typing import Annotated, Any

import typer

from mien import __version__
from mien.errors import UsageError
from mien.faces.centerface import LEAST_MIN_FACE


class Report(StrEnum):
    """How a command that gives one answer prints it."""

    table = "table"
    json = "json"


def _print_version(asked: bool) -> None:
    if asked:
        print(f"mien {__version__}")
        raise typer.Exit()


Version = Annotated[
    bool,
    typer.Option(
        "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
    ),
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Print results and errors, no progress or summary.")
]
ReportFormat = Annotated[Report, typer.Option("--format", help="How to print the answer.")]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|NAME",
        help="Expression model: an ONNX file, or as `mien models` names it.  [default: shipped]",
    ),
]
Labels = Annotated[
    str | None,
    typer.Option(
        metavar="ferplus|fer2013",
        help="Answer as FER+ voters do, with eight expressions, or by FER-2013's seven labels."
        "  [default: ferplus]",
    ),
]
Mirror = Annotated[
    bool | None,
    typer.Option(
        "--mirror/--no-mirror",
        help="Average each face with its mirror image: twice the work, more accurate."
        "  [default: as the model says]",
    ),
]
Balanced = Annotated[
    bool,
    typer.Option(
        "--balanced",
        help="Answer as if all expressions were equally frequent: finds more of the rare ones, and"
        " is wrong more often.",
    ),
]
Provider = Annotated[
    str, typer.Option(metavar="NAME", help="What onnxruntime runs on: cpu, cuda, ...")
]
Settings = Annotated[
    list[str] | None,
    typer.Option(
        "--option",
        metavar="NAME=VALUE",
        help="A setting of the set's reader; may be given more than once.",
    ),
]
Landmarks = Annotated[
    str | None,
    typer.Option(
        metavar="FILE|NAME|dlib",
        help="Landmark model: an ONNX file, or as `mien models` names it; or dlib's."
        "  [default: shipped]",
    ),
]
MinFace = Annotated[
    int,
    typer.Option(
        metavar="PX",
        min=LEAST_MIN_FACE,
        help="Longer side of the smallest face to find in a picture of 640x480; grows with the"
        " square root of the pixels of a larger one. Smaller is slower.",
    ),
]
ImagesAtOnce = Annotated[
    int | None, typer.Option(metavar="N", min=1, help="Images at once.  [default: one a core]")
]


def settings(texts: list[str] | None) -> dict[str, str]:
    """Split what `--option` was given into names and values."""
    return dict(map(_setting, texts or ()))


def refuse(why: str, **options: Any) -> None:
    """Refuse options that something else given here, or lacking, leaves without a meaning."""
    for name, value in options.items():
        if value is not None:
            raise UsageError(f"--{name.replace('_', '-')} {why}; leave it out")


def size(text: str, option: str, example: str) -> tuple[int, int]:
    """Read WxH, width and height in pixels."""
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal() and int(width) and int(height)):
        raise UsageError(f"expected {option} in pixels, as in {example}; got {text!r}")
    return int(width), int(height)


def _setting(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals):
        raise UsageError(f"expected --option NAME=VALUE, got {text!r}")
    return name.strip().replace("-", "_"), value
