"""`mien study importance`: which part of the face an expression depends on."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer

from mien.cli import _faces, _options, _recipe
from mien.cli._columns import aligned
from mien.cli._streams import writing
from mien.errors import UsageError
from mien.progress import say

if TYPE_CHECKING:
    from mien.evaluation import Choice
    from mien.study.estimates import Findings
    from mien.study.importance import Done
    from mien.study.settings import Preset
    from mien.training.settings import Recipe


Provider = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="What onnxruntime runs on: cpu, cuda, ...  [default: cpu]"),
]


def importance(
    out: Annotated[
        Path, typer.Option(metavar="DIR", help="Folder of the cells and the report; goes on there.")
    ],
    sweep: Annotated[bool, typer.Option("--sweep", help="Show one model all conditions.")] = False,
    retrain: Annotated[
        bool, typer.Option("--retrain", help="Train a network for each condition.")
    ] = False,
    conditions: Annotated[
        str | None,
        typer.Option(
            metavar="A,B,...",
            help="What to hide; `+` joins.  [default: eyes,mouth,eyes+mouth,mask-polygon,surgical,"
            "sunglasses; with --pad-px, --pad-share, --tone, --fixed-size only the flat ones]",
        ),
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A published comparison: eyes-or-mouth (system0), masked-faces (system1).",
        ),
    ] = None,
    dataset: _faces.Dataset = None,
    root: _faces.Root = None,
    table: _faces.Table = None,
    split: _faces.Split = None,
    rule: _faces.Rule = None,
    points: _faces.Points = None,
    without_duplicates: _faces.WithoutDuplicates = False,
    option: _options.Settings = None,
    style: _faces.Style = None,
    severity: _faces.Severity = 1.0,
    pad_px: _faces.PadPx = None,
    pad_share: _faces.PadShare = None,
    tone: _faces.Tone = None,
    fixed_size: _faces.FixedSize = None,
    model: _options.Model = None,
    labels: _faces.Output = None,
    mirror: _options.Mirror = None,
    provider: Provider = None,
    network: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="What to train: see `mien networks list`.  [default: residual]"
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="FILE|NAME",
            help="How to train: a recipe of the task labels, or the name of one that ships.",
        ),
    ] = None,
    set: _recipe.Set = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="How long to train.")] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="How faces are split, as `mien data split` does.  [default: by-subject; without"
            " subjects official, or else stratified]",
        ),
    ] = None,
    folds: Annotated[
        int | None, typer.Option(metavar="K", help="How many folds.  [default: 5]")
    ] = None,
    splits: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Take these splits instead.")
    ] = None,
    device: Annotated[
        str | None, typer.Option(metavar="cpu|cuda|auto", help="Where to train.  [default: cpu]")
    ] = None,
    seeds: Annotated[int, typer.Option(min=1, metavar="N", help="Do it N times over.")] = 1,
    rounds: Annotated[
        int, typer.Option(min=100, metavar="N", help="Draws of the bootstrap.")
    ] = 2000,
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Measure what hiding each part of the face costs, and write a report of it.

    `--sweep` shows one model all conditions; `--retrain` trains a network for each, with folds and
    seeds, and tests it on all. Finished cells are kept as receipts in the folder and never done
    again: after a stop the same command goes on, and more conditions and seeds may be asked for.
    """
    from mien import files
    from mien.evaluation.answers import USUAL
    from mien.report import figures
    from mien.study import settings
    from mien.study.findings import findings
    from mien.study.report import FILES, write_report

    if sweep == retrain:
        raise UsageError("expected either --sweep or --retrain")
    figures.check()
    files.check_folder(out)
    asked = _faces.drawn(
        True,
        style=style,
        severity=severity,
        pad_px=pad_px,
        pad_share=pad_share,
        tone=tone,
        fixed_size=fixed_size,
    )
    drawn = {name: of for name, of in asked.items() if of != USUAL[name]}
    chosen = settings.preset_named(preset) if preset else None
    if chosen and chosen.pad is not None:
        sides = None if drawn.get("fixed_size") is True else fixed_size
        pads = {"pad_px": pad_px, "pad_share": pad_share, "fixed_size": sides}
        _options.refuse(f"differs from the pad of the preset {preset}", **pads)
    usual = chosen.conditions if chosen else settings.usual(drawn)
    names = settings.checked(usual if conditions is None else conditions.split(","), drawn)
    choice = _faces.choice(
        option,
        data_set=dataset,
        table=table,
        split=split,
        rule=rule,
        points_file=points,
        without_duplicates=without_duplicates and sweep,
    )
    try:
        if sweep:
            trained: dict[str, Any] = {
                "epochs": epochs,
                "protocol": protocol,
                "folds": folds,
                "splits": splits,
            }
            trained |= {"network": network, "recipe": recipe, "set": set, "device": device}
            _options.refuse("goes with --retrain", **trained)
            reader = {"labels": labels, "mirror": mirror, "provider": provider or "cpu"}
            how = {"seeds": range(seeds), "drawn": drawn, "quiet": quiet}
            done = _sweep(choice, root, names, out, model, reader, chosen, how)
        else:
            swept = {"labels": labels, "mirror": mirror, "provider": provider, "split": split}
            _options.refuse("goes with --sweep", model=model, **swept)
            how = {"seeds": range(seeds), "drawn": drawn, "device": device or "cpu", "quiet": quiet}
            network = network or (chosen.network if chosen and not recipe else None)
            training = _training(recipe, network, epochs, set)
            made = {
                "protocol": protocol,
                "folds": 5 if folds is None else folds,
                "file": splits,
                "clean": without_duplicates,
            }
            done = _retrain(choice, root, names, out, training, chosen, made, how)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"{out} keeps every finished cell; the same command goes on from there"
        ) from None
    found = findings(done.outcome, rounds=rounds)
    question = chosen.question if chosen else settings.QUESTION
    record = write_report(done, found, out, question=question, rounds=rounds)
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(record, indent=2))
        else:
            print(*_lines(found, record["warnings"]), sep="\n")
    say(f"{out / FILES['page']}: the report", quiet=quiet)


def _sweep(
    choice: "Choice",
    root: Path | None,
    names: tuple[str, ...],
    out: Path,
    model: str | None,
    options: dict[str, Any],
    preset: "Preset | None",
    how: dict[str, Any],
) -> "Done":
    from mien.recognizer import ExpressionReader
    from mien.study.importance import sweep

    reader = ExpressionReader(model, data_set=choice.labelled_as, **options)
    chosen = choice.select(root, reader.preparation, quiet=how["quiet"])
    chosen = replace(chosen, stated={**chosen.stated, **_about(choice, preset)})
    if preset is not None:
        how["drawn"] |= preset.drawn(chosen.faces.images.shape[1:3])
    return sweep(chosen, reader, names, out, locate=True, **how)


def _training(
    recipe: str | None, network: str | None, epochs: int | None, texts: list[str] | None
) -> "Recipe":
    """Read the recipe, or take the usual one, that of the network if it was published with one."""
    from mien.study.settings import RECIPES, USUAL

    _recipe.training()
    flags = {"network": network, "epochs": epochs}
    return _recipe.made(recipe or RECIPES.get(network or ""), flags, texts or (), usual=USUAL)


def _retrain(
    choice: "Choice",
    root: Path | None,
    names: tuple[str, ...],
    out: Path,
    recipe: "Recipe",
    preset: "Preset | None",
    made: dict[str, Any],
    how: dict[str, Any],
) -> "Done":
    from mien.data.splits import Splits, check_protocol, make
    from mien.study.faces import protocol_for, without_copies
    from mien.study.importance import retrain
    from mien.study.retraining import training_of
    from mien.training.distributed import device_named
    from mien.training.material import DataSource

    if made["protocol"]:
        check_protocol(made["protocol"])
    how["device"] = device_named(how["device"])
    splits = Splits.open(made["file"]) if made["file"] else None
    recipe = replace(recipe, data=replace(recipe.data, dataset=choice.data_set or ""))
    training = training_of(recipe, DataSource(root=root, table=choice.table))
    faces, left_out = choice.read(root, training.preparation, quiet=how["quiet"])
    if recipe.data.expressions:
        faces = faces[np.isin(faces.expression_names(), recipe.data.expressions)]
    if splits is None:
        splits = make(faces, made["protocol"] or protocol_for(faces), folds=made["folds"])
    if made["clean"]:
        splits = without_copies(faces, splits)
    if preset is not None:
        how["drawn"] |= preset.drawn(faces.images.shape[1:3])
    stated = {
        "data_set": choice.data_set,
        "table": choice.table and choice.table.resolve().name,
        "options": [f"{name}={value}" for name, value in choice.options.items()] or None,
        **_about(choice, preset),
        "rule": choice.rule,
        "points": choice.points_file and choice.points_file.name,
        **left_out,
        "duplicates_of_train": "left out" if made["clean"] else "kept",
    }
    return retrain(faces, splits, names, training, out, stated=stated, **how)


def _about(choice: "Choice", preset: "Preset | None") -> dict[str, Any]:
    """Name the preset, and the data set that a table was prepared from."""
    said = {"preset": preset.alias} if preset else {}
    return {**said, "prepared_from": choice.prepared_from}


def _lines(found: "Findings", warnings: list[str]) -> Iterator[str]:
    """Yield the answer, a row a condition, and what to mind."""
    from mien.study.sentences import points

    yield found.answer
    yield ""
    rows = [["", "right", "95 % from", "to", "cost", "95 % from", "to"]]
    for one in found.effects:
        accuracy = [f"{share:.1%}" for share in one.accuracy]
        cost = [points(share) for share in one.cost] if any(one.cost) else []
        rows.append([one.condition, *accuracy, *cost])
    yield from aligned(rows, numbers=True)
    yield ""
    rows = [["", "faces", "right, whole", "cost", "matters most"]]
    for each in found.expressions:
        lost, whole = points(each.costs[each.most].value), f"{each.accuracy.value:.1%}"
        rows.append([each.expression, str(each.faces), whole, lost, each.matters_most])
    yield from aligned(rows, numbers=True)
    yield from (f"mind: {warning}" for warning in warnings)
