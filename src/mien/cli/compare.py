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

MEASURED = ("model", "condition")


def compare(
    what: Annotated[
        list[str],
        typer.Argument(
            metavar="A B ...",
            help="Receipts (.json), models (.onnx or a shipped name), conditions (none, eyes,"
            " mouth+nose, ...), jobs of folds or seeds, or run folders of `mien train`.",
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
        str | None,
        typer.Option(metavar="NAME", help="Under which condition models are compared."),
    ] = None,
    points: _faces.Points = None,
    list_file: _faces.List = None,
    without_duplicates: _faces.WithoutDuplicates = False,
    option: _options.Settings = None,
    splits: _faces.Splits = None,
    fold: _faces.Fold = None,
    part: _faces.Part = None,
    style: _faces.Style = None,
    severity: _faces.Severity = 1.0,
    pad_px: _faces.PadPx = None,
    pad_share: _faces.PadShare = None,
    tone: _faces.Tone = None,
    fixed_size: _faces.FixedSize = None,
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

    The first is what the others are compared with, by an exact test, corrected by Holm's method,
    and a paired bootstrap, both of people where they are known. Models and conditions are evaluated
    first, on the faces that the options choose. A job of `mien train --folds` or `--seeds` stands
    for what its runs answered to the faces held out. Run folders show how their trainings went.
    """
    from mien.evaluation import Receipt
    from mien.occlusion import occluder, parts

    kinds = [_kind(one) for one in what]
    hiding = _hiding(what, kinds, occlude)
    drawn = _faces.drawn(
        any(map(parts, hiding)),
        style=style,
        severity=severity,
        pad_px=pad_px,
        pad_share=pad_share,
        tone=tone,
        fixed_size=fixed_size,
    )
    for one in hiding:
        occluder(one, **drawn)
    _check_targets(plot, receipts)
    measured = [one for one, kind in zip(what, kinds, strict=True) if kind in MEASURED]
    if not measured:
        _options.refuse(
            "is of models and conditions, which are evaluated",
            receipts=receipts,
            dataset=dataset,
            table=table,
            model=model,
        )
    each = {"all_pairs": all_pairs or None, "shared": shared or None}
    if "run" in kinds:
        _options.refuse("goes with receipts, models, conditions", across=across or None, **each)
        answer, lines, draw = _compared.histories(what, measure)
    else:
        _options.refuse("goes with run folders", measure=measure)
        if across:
            _options.refuse("is no matter of --across", **each)
            if "job" in kinds:
                raise UsageError(f"{what[kinds.index('job')]} is a job, which --across cannot take")
        elif len(what) < 2:
            raise UsageError(f"expected at least two to compare, got {what[0]} alone")
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

            return ExpressionReader(
                name,
                labels=labels,
                data_set=choice.labelled_as if choice else None,
                mirror=mirror,
                balanced=balanced,
                provider=provider,
            )

        models = cache(reader)
        score = _scorer(choice, models, root, {**drawn, "seed": seed}, quiet)
        found = _receipts(
            *(what, kinds, models, score),
            model=model,
            occluder=occlude or "none",
            kept=receipts,
        )
        if across:
            answer, lines, draw = _compared.across(
                [one for one in found if isinstance(one, Receipt)]
            )
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


def _kind(name: str) -> str:
    """Tell what a name is: a receipt, a model, a condition, the folder of a job or of a run."""
    from mien.occlusion import parts
    from mien.training.joined import RECORD
    from mien.training.logs import LOG

    if name.endswith(".json"):
        return "receipt"
    if name.endswith(".onnx") or _is_shipped(name):
        return "model"
    if (Path(name) / RECORD).is_file():
        return "job"
    if (Path(name) / LOG).is_file():
        return "run"
    try:
        parts(name)
    except UsageError as error:
        raise UsageError(
            f"no receipt (.json), model (.onnx), condition, job (with {RECORD}) or run folder (with"
            f" {LOG}) of the name {name!r}: {error}"
        ) from error
    return "condition"


def _hiding(what: Sequence[str], kinds: Sequence[str], occlude: str | None) -> list[str]:
    """Name the conditions that something is measured under."""
    if "run" in kinds and set(kinds) != {"run"}:
        run = what[kinds.index("run")]
        raise UsageError(f"{run} is a run folder; compare run folders with each other only")
    if "model" not in kinds:
        _options.refuse("is the condition that models are compared under", occlude=occlude)
    conditions = [one for one, kind in zip(what, kinds, strict=True) if kind == "condition"]
    return [*conditions, *filter(None, [occlude])]


def _check_targets(plot: Path | None, receipts: Path | None) -> None:
    from mien import files
    from mien.report import figures

    if plot is not None:
        figures.check()
        figures.check_name(plot)
        files.check_file(plot)
    if receipts is not None:
        files.check_folder(receipts)


def _is_shipped(name: str) -> bool:
    from mien import weights

    known = (*weights.list_models(), *weights.added().values())
    return any(entry.name == name for entry in known if entry.kind == "expression")


Models = Callable[[str | None], "ExpressionReader"]
Score = Callable[[str | None, str], "Receipt"]


def _scorer(
    choice: "Choice | None", models: Models, root: Path | None, drawn: dict[str, Any], quiet: bool
) -> Score:
    """Give what measures a model under a condition; faces are read once."""
    from mien import evaluation

    faces = dict[str, Any]()

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


def _receipts(
    what: Sequence[str],
    kinds: Sequence[str],
    models: Models,
    score: Score,
    *,
    model: str | None,
    occluder: str,
    kept: Path | None,
) -> "list[Receipt | list[Receipt]]":
    """Open receipts and make the others, each kept as soon as it is made; a job's are a list."""
    from mien import files
    from mien.evaluation import Receipt
    from mien.study.pooled import pooled

    jobs = [one for one, kind in zip(what, kinds, strict=True) if kind == "job"]
    names = zip(jobs, _compared.names_of(jobs) if jobs else (), strict=True)
    opened: dict[str, Receipt | list[Receipt]] = {
        one: pooled(Path(one), name) for one, name in names
    }
    for one, kind in zip(what, kinds, strict=True):  # what is wrong costs no evaluation
        if kind == "receipt":
            opened[one] = Receipt.open(one)
        elif kind != "job":
            models(one if kind == "model" else model)
    found: list[Receipt | list[Receipt]] = []
    taken = set[str]()
    for one, kind in zip(what, kinds, strict=True):
        if one in opened:
            found.append(opened[one])
            continue
        made = score(one, occluder) if kind == "model" else score(model, one)
        found.append(made)
        if kept is not None:
            made.save(kept / f"{files.numbered(Path(one).name, taken)}.json")
    return found
