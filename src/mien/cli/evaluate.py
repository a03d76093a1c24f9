"""`mien evaluate`: measure a model on faces of a data set, whole or with a part hidden."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _options
from mien.cli._options import Report
from mien.cli._streams import console, writing

if TYPE_CHECKING:
    from rich.table import Table


def evaluate(
    dataset: Annotated[
        str, typer.Option(metavar="ferplus|fer2013", help="Whose labels are the truth.")
    ],
    root: _options.Data,
    split: Annotated[
        str, typer.Option(metavar="train|public|private", help="Which part of the data set.")
    ] = "private",
    rule: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How FER+ votes become labels: majority, probability, crossentropy,"
            " multi-target, argmax.  [default: majority]",
        ),
    ] = None,
    occlude: Annotated[
        str,
        typer.Option(metavar="NAME", help="Hide a part first: none, mask-polygon, eyes, mouth."),
    ] = "none",
    points: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Landmarks to hide it by (.npz).  [default: the network's own]"
        ),
    ] = None,
    list_file: Annotated[
        Path | None,
        typer.Option("--list", metavar="FILE", help="Take these FER+ faces and the list's labels."),
    ] = None,
    without_duplicates: Annotated[
        bool,
        typer.Option("--without-duplicates", help="Leave out faces that equal a training face."),
    ] = False,
    model: _options.Model = None,
    labels: Annotated[
        str | None,
        typer.Option(
            metavar="ferplus|fer2013", help="Which of the model's answers.  [default: the data set's]"
        ),
    ] = None,
    mirror: _options.Mirror = False,
    provider: _options.Provider = "cpu",
    format: _options.ReportFormat = Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Measure a model on the faces of a data set.

    Tells how often it is right, with the 95 % interval, how well it knows that, and what it
    confuses. `--occlude` hides a part of every face first.
    """
    from mien import evaluation
    from mien.data.protocol import Protocol
    from mien.recognizer import ExpressionReader

    protocol = Protocol(
        data_set=dataset,
        split=split,
        rule=rule,
        list_file=list_file,
        points_file=points,
        without_duplicates=without_duplicates,
    )
    reader = ExpressionReader(model, labels=labels or dataset, provider=provider, mirror=mirror)
    result = evaluation.measure(root, protocol, reader, occluder=occlude, quiet=quiet).to_dict()
    with writing("standard output"):
        if format is Report.json:
            print(json.dumps(result, indent=2))
        else:
            print_table(result)


def print_table(result: dict[str, Any]) -> None:
    """Print what was measured on, the measures, and the confusion."""
    screen = console()
    stated = {**result["protocol"], "model": result["model_sha256"]}
    for name, value in stated.items():
        if value is not None:
            screen.print(f"{name.replace('_', ' ')}: {value}", style="dim", soft_wrap=True)
    screen.print()
    screen.print(_columns(_measures(result)))
    screen.print()
    screen.print(_columns(_confusion(result), numbers=True))
    screen.print("rows: the truth; columns: the answers; recall of each row", style="dim")


def _measures(result: dict[str, Any]) -> Iterator[list[str]]:
    low, high = map(_percent, result["interval95"])
    counted = f"{result['correct']} of {result['faces']} faces, 95 % interval {low} to {high}"
    certain = result["certain"]
    yield ["accuracy", f"[bold]{_percent(result['accuracy'])}[/bold]", counted]
    yield ["balanced accuracy", _percent(result["balanced_accuracy"]), ""]
    yield ["macro F1", _percent(result["macro_f1"]), ""]
    yield ["calibration error", _percent(result["ece"]), ""]
    yield [
        "certain answers",
        _percent(certain["accuracy"]),
        f"right; they are {_percent(certain['share'])} of all",
    ]
    for region, found in result["hidden"].items():
        detail = "of all faces"
        if found["hidden_faces"]:
            detail += f", {_percent(found['recall'])} of the {found['hidden_faces']} hidden ones"
        yield [f"{region} reported hidden", _percent(found["reported"]), detail]


def _confusion(result: dict[str, Any]) -> Iterator[list[str]]:
    labels = result["labels"]
    yield ["", *(name[:4] for name in labels), "recall"]
    for name, counts in zip(labels, result["confusion"], strict=True):
        yield [name, *map(str, counts), f"[bold]{_percent(result['recall'][name])}[/bold]"]


def _columns(rows: Iterable[list[str]], *, numbers: bool = False) -> "Table":
    """Line up rows; with `numbers` all but the first column to the right."""
    from rich.table import Table

    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for place, row in enumerate(rows):
        if place == 0:
            for column in range(len(row)):
                table.add_column(justify="right" if numbers and column else "left")
        table.add_row(*row)
    return table


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
