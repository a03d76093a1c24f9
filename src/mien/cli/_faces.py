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
Seed = Annotated[
    int, typer.Option(metavar="N", min=0, help="Of what is drawn at random on the faces.")
]


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
