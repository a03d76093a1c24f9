"""A job as a page, as JSON and as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mien import __version__, metrics
from mien.evaluation.measures import few_people
from mien.files import write
from mien.progress import span
from mien.report import figures
from mien.report.document import Block, Document, Shown, Table, Warned, csv_text
from mien.report.page import Fact, code
from mien.training.curves import panels, worded
from mien.training.joined import RECORD, Joined, row
from mien.training.logs import History
from mien.training.settings import Recipe
from mien.training.stating import naming, toml, words
from mien.training.summary import PAGE

ROWS = "results.csv"
SCHEMA = "mien.job/1"
CURVES = (("loss", "training"), ("loss", "validation"), ("share right", "accuracy"))
OVERLAP = (
    "Subjects are in training and test: the same people were trained on and tested, so the result"
    " is too good. Deal the folds by subject."
)


def write_job(out: Path, recipe: Recipe, job: Joined) -> None:
    """Write `job.json`, `results.csv` with a row a run, and last `index.html`."""
    about = {"schema": SCHEMA, "mien": __version__, "recipe": recipe.to_dict(), **job.to_dict()}
    write(out / RECORD, json.dumps(about, indent=1) + "\n")
    rows = [row(run) for run in job.runs]
    write(out / ROWS, csv_text([*rows[0]], ([*map(_plain, one.values())] for one in rows)))
    write(out / PAGE, document(recipe, job).to_html())


def document(recipe: Recipe, job: Joined) -> Document:
    """Put the page together."""
    sections: list[tuple[str, Sequence[Block]]] = [
        ("Mind", list(_warnings(job))),
        ("All faces", list(_measures(job))),
        ("Run by run", list(_runs(job))),
        ("Expression by expression", list(_expressions(job))),
        ("Epoch by epoch", list(_curves(recipe, job))),
        ("Protocol", [Table(("", ""), [*_protocol(job)])]),
        ("How to repeat it", list(_repeat(recipe, job))),
    ]
    low, high = job.interval95
    found = job.measures["accuracy"]
    return Document(
        title=f"{recipe.name}: {_named(job)}",
        lead=(
            f"Right on {found.value:.1%} of {job.faces:,} faces, each tested by networks that were"
            f" not trained on it: {low:.1%} to {high:.1%} at 95 %"
            f"{', people drawn anew' if job.drawn == 'people' else ''}."
        ),
        facts=list(_facts(job)),
        sections=[(title, blocks) for title, blocks in sections if blocks],
    )


def _warnings(job: Joined) -> Iterator[Block]:
    if job.subjects_overlap:
        yield Warned(OVERLAP)
    few = few_people(job.subjects)
    yield from (Warned(f"Mind: {text}.") for text, holds in few.items() if holds)


def _repeat(recipe: Recipe, job: Joined) -> Iterator[Block]:
    name = f"{recipe.name}.toml"
    folds = f" --folds {len(job.folds)}" if job.folds != [None] else ""
    yield (
        f"Save these lines as {name} and run mien train {name}{naming(job.protocol)}{folds}"
        f" --seeds {len(job.seeds)} with the same data."
    )
    yield Shown(code(toml(recipe)))


def _named(job: Joined) -> str:
    counts = (len(job.folds), "fold"), (len(job.seeds), "seed")
    return ", ".join(f"{n} {name}{'s' if n > 1 else ''}" for n, name in counts)


def _facts(job: Joined) -> Iterator[Fact]:
    for name, spread in job.measures.items():
        yield Fact(f"{spread.value:.1%}", worded(name, 0)[0])
    yield Fact(f"{job.faces:,}", "faces tested")
    if job.subjects:
        yield Fact(f"{job.subjects:,}", "people")
    yield Fact(str(len(job.runs)), "runs")
    seconds = [run.about.get("seconds") or 0 for run in job.runs]
    yield Fact(span(sum(seconds)), "of training")


def _measures(job: Joined) -> Iterator[Block]:
    header = ("measure", "all faces", "mean of folds", "± of folds", "± of seeds")
    lines = [
        (
            worded(name, 0)[0],
            f"{of.value:.1%}",
            f"{of.fold_mean:.1%}",
            _points(of.fold_sd),
            _points(of.seed_sd),
        )
        for name, of in job.measures.items()
    ]
    yield (
        "All faces are taken together for each seed and the seeds averaged; ± is a standard"
        " deviation in points."
    )
    yield Table(header, lines)


def _runs(job: Joined) -> Iterator[Block]:
    rows = [row(run) for run in job.runs]
    names = [_name(one) for one in rows]
    right = [round(one["accuracy"] * one["faces"]) for one in rows]
    intervals = [metrics.wilson(n, one["faces"]) for n, one in zip(right, rows, strict=True)]
    values = [one["accuracy"] for one in rows]
    lows, highs = zip(*intervals, strict=True)
    yield Shown(figures.interval_figure(names, values, lows, highs, x="accuracy"))
    lines = [
        (
            name,
            f"{one['faces']:,}",
            f"{one['accuracy']:.1%}",
            f"{one['balanced_accuracy']:.1%}",
            f"{one['macro_f1']:.1%}",
            words(one["best_epoch"]),
        )
        for name, one in zip(names, rows, strict=True)
    ]
    yield Table(("run", "faces", "accuracy", "balanced", "macro F1", "best epoch"), lines)


def _expressions(job: Joined) -> Iterator[Block]:
    seeds = len(job.seeds)
    columns = (metrics.recalls, metrics.precisions, metrics.f1s)
    found = np.stack([measure(job.confusion) for measure in columns], axis=1)
    faces = job.confusion.sum(axis=1) // seeds
    lines = [
        (name, f"{n:,}", *("-" if np.isnan(of) else f"{of:.1%}" for of in shares))
        for name, n, shares in zip(job.labels, faces.tolist(), found.tolist(), strict=True)
    ]
    yield Table(("expression", "faces", "recall", "precision", "F1"), lines)
    if seeds > 1:
        yield f"Every face is counted {seeds} times, once a seed:"
    yield Shown(figures.confusion_figure(job.confusion, job.labels))


def _curves(recipe: Recipe, job: Joined) -> Iterator[Block]:
    """Draw a line a fold, averaged over seeds; of one fold a line a seed."""
    by_fold = len(job.folds) > 1
    lines: dict[str, list[History]] = {}
    for run in job.runs:
        name = f"fold {(run.fold or 0) + 1}" if by_fold else f"seed {run.seed}"
        lines.setdefault(name, []).append(run.history)
    chosen = ("share right", worded(recipe.selection.metric, 0)[0])
    for title, line in dict.fromkeys((*CURVES, chosen)):
        told = {
            name: [of[title][line] for of in map(panels, histories) if line in of.get(title, {})]
            for name, histories in lines.items()
        }
        named = f"{line} loss" if title == "loss" else line
        drawn = {name: {named: _mean(values)} for name, values in told.items() if values}
        if drawn:
            yield Shown(figures.history_figure(drawn))


def _mean(runs: Sequence[Sequence[float | None]]) -> list[float | None]:
    """Average values an epoch over the runs that measured something then."""
    epochs = range(max(map(len, runs)))
    told = [[of[at] for of in runs if at < len(of) and of[at] is not None] for at in epochs]
    return [float(np.mean(values)) if values else None for values in told]  # type: ignore[arg-type]


def _protocol(job: Joined) -> Iterator[tuple[str, str]]:
    for name, value in job.protocol.items():
        yield name.replace("_", " "), words(value)
    overlap = {True: "yes", False: "no", None: "not known"}[job.subjects_overlap]
    yield "subjects in training and test", overlap


def _name(one: dict[str, Any]) -> str:
    fold = "" if one["fold"] is None else f"fold {one['fold']}, "
    return f"{fold}seed {one['seed']}"


def _points(deviation: float | None) -> str:
    return "" if deviation is None else f"{100 * deviation:.1f}"


def _plain(value: Any) -> Any:
    return f"{value:.6f}" if isinstance(value, float) else "" if value is None else value
