"""`mien compare`: receipts, models or conditions on the same faces; trainings in one plot."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _compared, _faces, _options
from mien.cli._streams import writing
from mien.errors import UsageError

if TYPE_CHECKING:
    from mien.evaluation import Choice, Receipt
    from mien.recognizer import ExpressionReader


def compare(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="A B ...",
            help="Receipts (.json), models (.onnx or a shipped name), conditions (none, eyes,"
            " mouth+nose, ...), or run folders of `mien train`.",
        ),
    ],
    plot: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Draw it, with intervals (.svg, .png).")
    ] = None,
    all_pairs: Annotated[
        bool, typer.Option("--all-pairs", help="Each with each other, not only with the first.")
    ] = False,
    across: Annotated[
        bool,
        typer.Option(
            "--across", help="Models against data sets, over the expressions that all share."
        ),
    ] = False,
    shared: _faces.Shared = False,
    dataset: _faces.Dataset = None,
    root: _faces.Root = None,
    table: _faces.Table = None,
    split: _faces.Split = None,
    rule: _faces.Rule = None,
    occlude: Annotated[
        str, typer.Option(metavar="NAME", help="Under which condition models are compared.")
    ] = "none",
    points: _faces.Points = None,
    list_file: _faces.List = None,
    without_duplicates: _faces.WithoutDuplicates = False,
    option: _options.Settings = None,
    splits: _faces.Splits = None,
    fold: _faces.Fold = "0",
    part: _faces.Part = "test",
    style: _faces.Style = None,
    severity: _faces.Severity = 1.0,
    seed: _faces.Seed = 0,
    model: _options.Model = None,
    labels: _faces.Output = None,
    mirror: _options.Mirror = None,
    balanced: _options.Balanced = False,
    receipts: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Keep the receipts of models and conditions here."),
    ] = None,
    measure: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="A measure of the histories; may be repeated."),
    ] = None,
    provider: _options.Provider = "cpu",
    format: _options.ReportFormat = _options.Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Compare on the same faces: who is right more often, by how much, and whether that is chance.

    The first is what the others are compared with, by McNemar's exact test, corrected by Holm's
    method, and a paired bootstrap. Models and conditions are evaluated first, on the faces that the
    options choose. Run folders show how their trainings went.
    """
    drawn: dict[str, Any] = {"style": style, "severity": severity}
    _check(what, occlude, drawn)
    _check_targets(plot, receipts)
    if Path(what[0]).is_dir():
        answer, lines, draw = _compared.histories(what, measure)
    else:
        measured = [one for one in what if not one.endswith(".json")]
        if measured and not (dataset or table):
            raise UsageError(
                f"{measured[0]} is evaluated first; say on which faces: --dataset NAME --root DIR,"
                " or --table DIR"
            )
        asked: dict[str, Any] = {
            "data_set": dataset,
            "table": table,
            "split": split,
            "rule": rule,
            "list_file": list_file,
            "points_file": points,
            "without_duplicates": without_duplicates,
            "splits": splits,
            "fold": fold,
            "part": part,
        }
        choice = _faces.choice(option, **asked) if measured else None

        def reader(name: str | None) -> "ExpressionReader":
            from mien.recognizer import ExpressionReader

            wanted = _faces.output(labels, dataset)
            return ExpressionReader(
                name, labels=wanted, provider=provider, mirror=mirror, balanced=balanced
            )

        score = _scorer(choice, reader, root, {**drawn, "seed": seed}, quiet)
        found = [_receipt(one, score, model, occlude) for one in what]
        if receipts is not None:
            _keep(receipts, dict(zip(what, found, strict=True)))
        if across:
            answer, lines, draw = _compared.across(found)
        else:
            pairs = "all" if all_pairs else "first"
            answer, lines, draw = _compared.pairs(found, pairs=pairs, shared=shared, seed=seed)
    if plot is not None:
        draw(plot)
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(answer, indent=2))
        else:
            print(*lines, sep="\n")


def _check(what: Sequence[str], occlude: str, drawn: dict[str, Any]) -> None:
    from mien.occlusion import occluder

    folders = [one for one in what if Path(one).is_dir()]
    if folders and len(folders) < len(what):
        raise UsageError(f"{folders[0]} is a run folder; compare run folders with each other only")
    for one in what:
        if not (folders or one.endswith((".json", ".onnx")) or _is_shipped(one)):
            occluder(one, **drawn)
    occluder(occlude, **drawn)


def _check_targets(plot: Path | None, receipts: Path | None) -> None:
    from mien import files
    from mien.report import figures

    if plot is not None:
        figures.check()
        figures.check_name(plot)
        files.check_file(plot)
    if receipts is not None:
        files.check_folder(receipts)


def _keep(folder: Path, found: "dict[str, Receipt]") -> None:
    names = {Path(one).name.removesuffix(".json"): one for one in found}
    if len(names) < len(found):
        raise UsageError(f"two of {', '.join(found)} would be kept under one name; rename one")
    for name, one in names.items():
        found[one].save(folder / f"{name}.json")


def _is_shipped(name: str) -> bool:
    from mien import weights

    known = (*weights.list_models(), *weights.added().values())
    return any(entry.name == name for entry in known if entry.kind == "expression")


Score = Callable[[str | None, str], "Receipt"]


def _scorer(
    choice: "Choice | None",
    reader: Callable[[str | None], "ExpressionReader"],
    root: Path | None,
    drawn: dict[str, Any],
    quiet: bool,
) -> Score:
    """Give what measures a model under a condition; models and faces are read once."""
    from mien import evaluation

    models, faces = cache(reader), dict[str, Any]()

    def score(model: str | None, occluder: str) -> "Receipt":
        steps = models(model).preparation
        known = json.dumps(steps.to_json(), sort_keys=True)
        if known not in faces:
            assert choice is not None  # or there would be nothing to measure
            faces[known] = choice.select(root, steps, quiet=quiet)
        return evaluation.score(
            faces[known], models(model), occluder=occluder, quiet=quiet, **drawn
        )

    return score


def _receipt(one: str, score: Score, model: str | None, occluder: str) -> "Receipt":
    from mien.evaluation import Receipt

    if one.endswith(".json"):
        return Receipt.open(one)
    if one.endswith(".onnx") or _is_shipped(one):
        return score(one, occluder)
    return score(model, one)
