"""`mien compare`: receipts, models or conditions on the same faces; trainings in one plot."""

import json
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mien.cli import _compared, _faces, _options
from mien.cli._streams import result_stream, writing
from mien.errors import UsageError

if TYPE_CHECKING:
    from mien.evaluation import Receipt
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
        Path | None, typer.Option(metavar="FILE", help="Draw it, with intervals (.svg).")
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
    _check(what, plot)
    if Path(what[0]).is_dir():
        answer, lines, drawn = _compared.histories(what, measure)
    else:

        def chosen() -> Any:
            return _faces.choice(
                option,
                data_set=dataset,
                table=table,
                split=split,
                rule=rule,
                points_file=points,
                splits=splits,
                fold=fold,
                part=part,
            )

        def reader(name: str | None) -> "ExpressionReader":
            from mien.recognizer import ExpressionReader

            wanted = _faces.output(labels, dataset)
            return ExpressionReader(name, labels=wanted, provider=provider, mirror=mirror)

        drawn_as = {"style": style, "severity": severity, "seed": seed}
        score = _scorer(chosen, reader, root, drawn_as, quiet)
        found = [_receipt(one, score, model, occlude) for one in what]
        if receipts is not None:
            _keep(receipts, dict(zip(what, found, strict=True)))
        if across:
            answer, lines, drawn = _compared.across(found)
        else:
            pairs = "all" if all_pairs else "first"
            answer, lines, drawn = _compared.pairs(found, pairs=pairs, shared=shared, seed=seed)
    if plot is not None:
        with result_stream(plot) as stream:
            stream.write(drawn())
    with writing("standard output"):
        if format is _options.Report.json:
            print(json.dumps(answer, indent=2))
        else:
            print(*lines, sep="\n")


def _check(what: Sequence[str], plot: Path | None) -> None:
    from mien.occlusion import parts
    from mien.report import figures

    folders = [one for one in what if Path(one).is_dir()]
    if folders and len(folders) < len(what):
        raise UsageError(f"{folders[0]} is a run folder; compare run folders with each other only")
    for one in what:
        if not (folders or one.endswith((".json", ".onnx")) or _is_shipped(one)):
            parts(one)
    if plot is not None:
        figures.check()
        if plot.suffix.lower() != ".svg":
            raise UsageError(f"a plot is written as .svg, got {plot.name!r}; name it so")


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
    choice: Callable[[], Any],
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
            faces[known] = choice().select(root, steps, quiet=quiet)
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
