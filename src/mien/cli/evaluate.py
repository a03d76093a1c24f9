"""`mien evaluate`: measure a model on faces of a data set, whole or with a part hidden."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli import _options
from mien.cli._columns import aligned
from mien.cli._options import Report
from mien.cli._streams import writing


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
        typer.Option(
            metavar="NAME",
            help="Hide a part first: mask-polygon, eyes, mouth, surgical, sunglasses.",
        ),
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
            metavar="ferplus|fer2013",
            help="Which of the model's answers.  [default: the data set's]",
        ),
    ] = None,
    mirror: _options.Mirror = None,
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
    stated = {**result["protocol"], "model": result["model_sha256"]}
    for name, value in stated.items():
        if value is not None:
            print(f"{name.replace('_', ' ')}: {value}")
    print()
    print(*aligned(list(measures(result))), sep="\n")
    print("\nthe truth in rows, the answers in columns")
    print(*aligned(list(confusion(result)), numbers=True), sep="\n")


def measures(result: dict[str, Any]) -> Iterator[list[str]]:
    """Yield a row a measure: its name, its value, what the value is of."""
    low, high = map(percent, result["interval95"])
    certain = result["certain"]
    counted = f"{result['correct']} of {result['faces']} faces, 95 % interval {low} to {high}"
    yield ["accuracy", percent(result["accuracy"]), counted]
    yield ["balanced accuracy", percent(result["balanced_accuracy"])]
    yield ["macro F1", percent(result["macro_f1"])]
    yield ["calibration error", percent(result["ece"])]
    of_all = f"of the certain answers are right; {percent(certain['share'])} of all are certain"
    yield ["certain", percent(certain["accuracy"]), of_all]
    for region, found in result["hidden"].items():
        hidden = f", of {found['hidden_faces']} that are: {percent(found['recall'])}"
        of_all = "of all faces" + (hidden if found["hidden_faces"] else "")
        yield [f"{region} said to be hidden", percent(found["reported"]), of_all]


def confusion(result: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the counts of each true expression's answers, and the share that is right."""
    yield ["", *result["labels"], "recall"]
    for name, counts in zip(result["labels"], result["confusion"], strict=True):
        yield [name, *map(str, counts), percent(result["recall"][name])]


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
