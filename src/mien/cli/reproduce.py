"""`mien reproduce`: published runs done again, their protocol mended, beside what was published."""

import json
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli import _options, _recipe
from mien.cli._columns import aligned
from mien.cli._options import Report
from mien.cli._streams import writing
from mien.progress import say

EVERY = "list"


def reproduce(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME|list",
            help="A published run, like system1-vgg19, or all of a system; `list` tells them.",
        ),
    ],
    root: _recipe.Root = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Folder of the runs.  [default: runs/reproduced]"),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Another set than the recipe's, such as ckplus48."),
    ] = None,
    option: _options.Settings = None,
    points: _recipe.Points = None,
    epochs: _recipe.Epochs = None,
    pretrained: _recipe.Pretrained = None,
    set: _recipe.Set = None,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Do each N times over.")] = 1,
    device: _recipe.Device = "cpu",
    format: _options.ReportFormat = Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Do a published run again, and tell what came out beside what was published.

    Checks the files, prepares the faces, trains, and measures the model file on faces that nothing
    was chosen on. Stages that are done are not repeated: after a stop the same command goes on. A
    smaller budget (--epochs, --set) is named in the result.
    """
    from mien.training import published

    if name == EVERY:
        _list(format)
        return
    runs = published.named(name)
    _recipe.training()
    from mien.training.distributed import device_named
    from mien.training.material import DataSource
    from mien.training.reproducing import reproduce as do

    known = _recipe.kinds()
    changes = {"data.dataset": dataset, "epochs": epochs, "network.pretrained": pretrained}
    changes |= dict(_recipe.parsed(text, known) for text in set or ())
    source = DataSource(root=root, options=_options.settings(option), points_file=points)
    how: dict[str, Any] = {"seeds": seeds, "device": device_named(device), "quiet": quiet}
    out = out or Path("runs") / "reproduced"
    results = []
    for run in runs:
        folder = out / (f"{run.recipe}-{dataset}" if dataset else run.recipe)
        say(f"{run.recipe}: {run.title}, into {folder}", quiet=quiet)
        try:
            results.append(do(run, source, folder, changes=changes, **how))
        except KeyboardInterrupt:
            raise KeyboardInterrupt(
                f"{folder} keeps what is done; the same command goes on from there"
            ) from None
    with writing("standard output"):
        if format is Report.json:
            print(json.dumps(results, indent=2))
        else:
            print(*aligned(_rows(results)), sep="\n")
            for result in results:
                for setting, (now, then) in result["budget"].items():
                    print(f"mind: {result['run']}: {setting} {now} instead of {then}")


def _rows(results: list[dict[str, Any]]) -> list[list[str]]:
    rows = [["run", "", "accuracy", "of", "95 %"]]
    for result in results:
        here = result["here"]
        for name, one in ((result["run"], here), ("", here["without_duplicates"])):
            if one:
                rows.append([name, "here", f"{one['accuracy']:.1%}", one["of"], one["interval"]])
        for one in result["published"]:
            rows.append(["", "published", f"{one['value']:.1%}", one["of"], "-"])
    return rows


def _list(format: Report) -> None:
    from dataclasses import asdict

    from mien.training.published import RUNS

    with writing("standard output"):
        if format is Report.json:
            print(json.dumps([asdict(run) for run in RUNS.values()], indent=2))
            return
        rows = [["run", "data set", "published", "of", "what"]]
        for run in RUNS.values():
            for place, one in enumerate(run.figures):
                told = ("", "") if place else (run.recipe, run.title)
                rows.append([told[0], one.data_set, f"{one.value:.1%}", one.of, told[1]])
        print(*aligned(rows), sep="\n")
