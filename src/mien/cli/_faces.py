"""The options that choose faces to measure on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _options

if TYPE_CHECKING:
    from mien.evaluation import Choice

Dataset = Annotated[
    str | None,
    typer.Option(
        metavar="NAME", help="Whose labels are the truth: a data set that `mien data list` names."
    ),
]
Root = Annotated[
    Path | None,
    typer.Option(
        "--root",
        "--data",
        metavar="DIR",
        envvar="MIEN_DATA",
        help="Folder with the data set, at any depth.",
    ),
]
Table = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Take a table that `mien data prepare` made instead."),
]
Split = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="Which part of the data set, or all.  [default: private; where there is none, the"
        " last, which tests]",
    ),
]
Rule = Annotated[
    str | None,
    typer.Option(
        metavar="NAME",
        help="How FER+ votes become labels: majority, probability, crossentropy,"
        " multi-target, argmax.  [default: majority]",
    ),
]
Points = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Landmarks to hide a part by (.npz).  [default: the network's own]"
    ),
]
List = Annotated[
    Path | None,
    typer.Option("--list", metavar="FILE", help="Take these FER+ faces and the list's labels."),
]
WithoutDuplicates = Annotated[
    bool,
    typer.Option("--without-duplicates", help="Leave out faces that equal a training face."),
]
Splits = Annotated[
    Path | None,
    typer.Option(metavar="FILE", help="Take a fold of the splits that `mien data split` wrote."),
]
Fold = Annotated[
    str | None,
    typer.Option(metavar="N|NAME", help="Which fold of the splits.  [default: 0, the first]"),
]
Part = Annotated[
    str | None,
    typer.Option(metavar="test|validation|train", help="Which part of the fold.  [default: test]"),
]
Shared = Annotated[
    bool,
    typer.Option(
        "--shared",
        help="Only faces of expressions that the model knows, and only answers that the faces"
        " have: for a model and a set with other expressions.",
    ),
]
Output = Annotated[
    str | None,
    typer.Option(
        metavar="ferplus|fer2013",
        help="Which of the model's answers.  [default: the data set's; where the model has none of"
        " them, its first]",
    ),
]
Style = Annotated[
    str | None,
    typer.Option(
        metavar="flat|realistic", help="How to draw what hides.  [default: each in its own]"
    ),
]
Severity = Annotated[float, typer.Option(min=0, max=1, help="How much of it to draw, from 0 to 1.")]
PadPx = Annotated[
    float | None, typer.Option(metavar="PX", help="How far flat ones exceed their outline.")
]
PadShare = Annotated[float | None, typer.Option(metavar="X", help="The same in parts of the face.")]
Tone = Annotated[
    str | None,
    typer.Option(metavar="LEVEL|R,G,B|mean", help="The tone of flat ones; mean: the image's."),
]
FixedSize = Annotated[
    str | None,
    typer.Option(
        metavar="face|WxH",
        help="Outline the mean face, not this one's expression; or a box of so many pixels.",
    ),
]
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, help="Of what is drawn at random on the faces.")
]


def drawn(
    hides: bool,
    *,
    style: str | None,
    severity: float,
    pad_px: float | None,
    pad_share: float | None,
    tone: str | None,
    fixed_size: str | None,
) -> dict[str, Any]:
    """Say by the options above how something is drawn; refuse them where nothing is hidden."""
    flat = {"pad_px": pad_px, "pad_share": pad_share, "tone": tone, "fixed_size": fixed_size}
    if not hides:
        less = severity if severity != 1 else None
        _options.refuse(
            "says how a part is hidden, and none is", style=style, severity=less, **flat
        )
    read = {"tone": _tone(tone), "fixed_size": _fixed_size(fixed_size)}
    return {"style": style, "severity": severity, **flat, **read}


def _tone(text: str | None) -> Any:
    """Read `128`, `141,197,231` or a word."""
    if text is None or not text.replace(",", "").replace(" ", "").isdecimal():
        return text
    levels = [int(part) for part in text.split(",") if part.strip()]
    return levels[0] if len(levels) == 1 else levels


def _fixed_size(text: str | None) -> bool | tuple[int, int]:
    if text is None or text == "face":
        return text is not None
    return _options.size(text, "--fixed-size face or WxH", "24x12")


def choice(
    option: list[str] | None,
    *,
    splits: Path | None = None,
    fold: str | None = None,
    part: str | None = None,
    **named: Any,
) -> "Choice":
    """Name the faces by the options above."""
    from mien.evaluation import Choice

    if splits is None:
        _options.refuse("goes with --splits", fold=fold, part=part)
    named |= {"fold": fold} if fold is not None else {}
    named |= {"part": part} if part is not None else {}
    return Choice(options=_options.settings(option), splits=splits, **named)
