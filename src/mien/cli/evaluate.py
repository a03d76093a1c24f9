"""`mien evaluate`: measure a model on faces of a data set, whole or with a part hidden."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer

from mien.cli import _faces, _options
from mien.cli._columns import aligned
from mien.cli._compared import worst
from mien.cli._options import Report
from mien.cli._streams import writing
from mien.progress import say


def evaluate(
    dataset: _faces.Dataset = None,
    root: _faces.Root = None,
    table: _faces.Table = None,
    split: _faces.Split = None,
    rule: _faces.Rule = None,
    occlude: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="Hide a part first: eyes, mouth, mask-polygon, surgical, ...; `+` joins, as in"
            " eyes+mouth.",
        ),
    ] = "none",
    points: _faces.Points = None,
    list_file: _faces.List = None,
    without_duplicates: _faces.WithoutDuplicates = False,
    option: _options.Settings = None,
    splits: _faces.Splits = None,
    fold: _faces.Fold = None,
    part: _faces.Part = None,
    shared: _faces.Shared = False,
    by: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN|FILE.csv:COLUMN",
            help="Measure groups of faces by themselves too: by subject, sequence or split, or by a"
            " column of a file whose column source_id (or id) names the faces.",
        ),
    ] = None,
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
    receipt: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Write every answer and all hashes (.json), for `mien verify`."
        ),
    ] = None,
    report: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Draw the figures into a folder, and a page of them."),
    ] = None,
    faces: Annotated[
        bool,
        typer.Option(
            "--faces",
            help="Show faces with right and wrong answers on the page; mind who may see them.",
        ),
    ] = False,
    provider: _options.Provider = "cpu",
    format: _options.ReportFormat = Report.table,
    quiet: _options.Quiet = False,
    version: _options.Version = False,
) -> None:
    """Measure a model on the faces of a data set or a table.

    Tells how often it is right, with the 95 % interval, how well it knows that, what it confuses,
    and where people voted on the faces, how it compares with them. `--occlude` hides a part of
    every face first.
    """
    from mien import files
    from mien.evaluation import groups, score
    from mien.occlusion import occluder, parts
    from mien.recognizer import ExpressionReader
    from mien.report import figures

    drawn = _faces.drawn(
        bool(parts(occlude)),
        style=style,
        severity=severity,
        pad_px=pad_px,
        pad_share=pad_share,
        tone=tone,
        fixed_size=fixed_size,
    )
    occluder(occlude, **drawn)
    given = groups.named(by) if by else None
    if receipt is not None:
        files.check_file(receipt)
    if report is None:
        _options.refuse("goes with --report", faces=faces or None)
    else:
        files.check_folder(report)
        figures.check()
    choice = _faces.choice(
        option,
        data_set=dataset,
        table=table,
        split=split,
        rule=rule,
        list_file=list_file,
        points_file=points,
        without_duplicates=without_duplicates,
        splits=splits,
        fold=fold,
        part=part,
    )
    reader = ExpressionReader(
        model,
        labels=labels,
        data_set=choice.labelled_as,
        mirror=mirror,
        balanced=balanced,
        provider=provider,
    )
    chosen = choice.select(root, reader.preparation, quiet=quiet)
    if by:
        told = given or groups.Groups.of_faces(by, chosen.faces)
        chosen = replace(chosen, groups=told)
    found = score(
        chosen,
        reader,
        occluder=occlude,
        seed=seed,
        shared=shared,
        quiet=quiet,
        **drawn,
    )
    if receipt is not None:
        found.save(receipt)
        say(f"{receipt}: the receipt of {len(found.faces)} faces", quiet=quiet)
    if report is not None:
        from mien.evaluation.page import write

        write(report, found, chosen.faces if faces else None)
        say(f"{report / 'index.html'}: figures and measures", quiet=quiet)
    with writing("standard output"):
        if format is Report.json:
            print(json.dumps(found.result, indent=2))
        else:
            print_table(found.result)


def print_table(result: dict[str, Any]) -> None:
    """Print what was measured on, the measures, and the confusion."""
    stated = {**result["protocol"], "model": result["model_sha256"]}
    for name, value in stated.items():
        if value is not None:
            print(f"{name.replace('_', ' ')}: {value}")
    print()
    print(*aligned(list(measures(result))), sep="\n")
    print()
    print(*aligned(list(expressions(result)), numbers=True), sep="\n")
    if by := result["by"]:
        print(f"\nby {by['column']}; the worst group is {by['worst']}")
        print(*aligned(list(_groups(by)), numbers=True), sep="\n")
    print("\nthe truth in rows, the answers in columns")
    print(*aligned(list(confusion(result)), numbers=True), sep="\n")
    for warning in result["warnings"]:
        print(f"\nmind: {warning}")


def measures(result: dict[str, Any]) -> Iterator[list[str]]:
    """Yield a row a measure: its name, its value, what the value is of."""
    certain = result["certain"]
    of_all = f"{result['correct']} of {result['faces']} faces"
    counted = f"{of_all}, 95 % interval {_range(result['interval95'])}"
    yield ["accuracy", percent(result["accuracy"]), counted]
    if people := result["subjects_interval95"]:
        yield ["of other people", "", f"95 % interval {_range(people)}: subjects drawn anew"]
    balanced, f1 = _range(result["balanced_interval95"]), _range(result["macro_f1_interval95"])
    yield ["balanced accuracy", percent(result["balanced_accuracy"]), f"95 % interval {balanced}"]
    least = result["worst"]
    of_it = f"of {least['faces']} faces, 95 % interval {_range(least['recall_interval95'])}"
    yield [f"worst: {least['expression']}", percent(least["recall"]), of_it]
    yield ["macro F1", percent(result["macro_f1"]), f"95 % interval {f1}"]
    yield ["calibration error", percent(result["ece"])]
    of_all = f"of the certain answers are right; {percent(certain['share'])} of all are certain"
    yield ["certain", percent(certain["accuracy"]), of_all]
    yield ["risk over coverage", percent(result["risk_coverage"]["aurc"]), "wrong on average"]
    if votes := result["votes"]:
        most = f"people say what the model says; {votes['agree_at_most']:.1f} agree on the best"
        yield ["of ten", f"{votes['agree']:.1f}", f"{most}; {votes['faces']} faces have votes"]
        alone = f"what the label says; {percent(votes['lone_voter'])} what most others say"
        yield ["one voter says", percent(votes["voter"]), alone]
        if votes["kl"] is not None:
            yield ["divergence", f"{votes['kl']:.3f}", "nats, from the votes to the answers"]
    for region, found in result["hidden"].items():
        hidden = f", of {found['hidden_faces']} that are: {percent(found['recall'])}"
        of_all = "of all faces" + (hidden if found["hidden_faces"] else "")
        yield [f"{region} said to be hidden", percent(found["reported"]), of_all]


def expressions(result: dict[str, Any]) -> Iterator[list[str]]:
    """Yield each expression's faces, answers, and how often they meet."""
    yield ["", "faces", "answered", "recall", "95 % from", "to", "precision", "F1"]
    for name, of in result["expressions"].items():
        low, high = map(percent, of["recall_interval95"])
        shares = [percent(of["recall"]), low, high, percent(of["precision"]), percent(of["f1"])]
        yield [name, str(of["faces"]), str(of["answered"]), *shares]


def _groups(by: dict[str, Any]) -> Iterator[list[str]]:
    """Yield how each group of faces fares."""
    yield ["", "faces", "accuracy", "95 % from", "to", "balanced", "worst expression"]
    for name, of in by["groups"].items():
        shares = map(percent, (of["accuracy"], *of["interval95"], of["balanced_accuracy"]))
        yield [name, str(of["faces"]), *shares, worst(of["worst"])]


def confusion(result: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the counts of each true expression's answers, and the share that is right."""
    yield ["", *result["labels"], "recall"]
    for name, counts in zip(result["labels"], result["confusion"], strict=True):
        yield [name, *map(str, counts), percent(result["recall"][name])]


def percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"


def _range(interval: Sequence[float]) -> str:
    return " to ".join(map(percent, interval))
