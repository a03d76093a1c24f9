"""The end of a run: what its file answers, curves, and one page that tells all of it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mien.data.table import FaceTable
from mien.evaluation import Receipt
from mien.evaluation.page import by_expression
from mien.files import read_object, write
from mien.progress import span
from mien.report import figures
from mien.report.document import Block, Document, Shown, Table, Warned
from mien.report.page import Fact, code, fold
from mien.training import checkpoint
from mien.training.curves import panels, worded, write_curves
from mien.training.logs import entries, history
from mien.training.predictions import PREDICTIONS, measured, write_predictions
from mien.training.settings import ALL, Recipe
from mien.training.stating import differing, naming, toml, words

PAGE, SUMMARY, RUN = "index.html", "summary.json", "run.json"
UNSCORED = (
    "no face was held out, so there is no score, and the file is not calibrated: its temperature is"
    " 1 and none of its answers counts as certain"
)
NAMES = {"validation": "Validation part", "test": "Test part"}


@dataclass(frozen=True)
class Run:
    """A run that is over, as its folder holds it."""

    folder: Path
    recipe: Recipe
    state: Mapping[str, Any]  # of the checkpoint that is the file: best_epoch, figures
    about: Mapping[str, Any]  # run.json
    receipts: Mapping[str, Receipt]


def conclude(
    out: Path,
    recipe: Recipe,
    model: Path,
    parts: Mapping[str, FaceTable],
    *,
    stated: Mapping[str, Any],
    save_predictions: bool = False,
) -> dict[str, Receipt]:
    """Measure the file on its parts, `validation` and `test`, and write curves and page.

    The page comes last: where there is one, nothing is left to do. Parts are measured once and
    their receipts kept as PART.json; predictions.csv is of the test part.
    """
    receipts = {
        name: measured(model, faces, out / f"{name}.json", {**stated, "part": name})
        for name, faces in parts.items()
    }
    if save_predictions and "test" in receipts:
        write_predictions(receipts["test"], out / PREDICTIONS)
    _, state = checkpoint.load(checkpoint.of_the_file(out))
    write_curves(out, state.get("best_epoch"))
    run = Run(out, recipe, state, read_object(out / RUN, "train once more"), receipts)
    write(out / SUMMARY, json.dumps(_numbers(run), indent=1) + "\n")
    write(out / PAGE, document(run).to_html())
    return receipts


def document(run: Run) -> Document:
    """Put the page together."""
    log = entries(run.folder)
    sections: list[tuple[str, Sequence[Block]]] = [
        ("Mind", [Warned(text) for text in _warnings(run)]),
        ("Epoch by epoch", list(_curves(run))),
        *((NAMES.get(part, part), list(_part(of))) for part, of in run.receipts.items()),
        ("What differs from the defaults", [Table(("setting", "here", "default"), _changes(run))]),
        ("Data", list(_data(run))),
        ("How it was computed", [Table(("", ""), list(_computed(run)))]),
        ("How to repeat it", list(_repeat(run))),
    ]
    return Document(
        title=run.recipe.name,
        lead=_lead(run, len(log)),
        facts=list(_facts(run, log)),
        sections=[(title, blocks) for title, blocks in sections if blocks],
    )


def _numbers(run: Run) -> dict[str, Any]:
    log = entries(run.folder)
    return {
        "best_epoch": run.state.get("best_epoch"),
        "epochs": len(log),
        "seconds": round(sum(entry.get("seconds") or 0 for entry in log), 1),
        "figures": run.state.get("figures", {}),
        **{part: of.result["accuracy"] for part, of in run.receipts.items()},
    }


def _lead(run: Run, epochs: int) -> str:
    best = f"Of {epochs} epochs, epoch {run.state.get('best_epoch', epochs)} was kept"
    share = run.recipe.start_share
    best += f", and mixed with the weights it started from: {share:g} are theirs." if share else "."
    for part in ("test", "validation"):
        if part in run.receipts:
            result = run.receipts[part].result
            low, high = result["interval95"]
            return (
                f"The file is right on {result['correct']:,} of {result['faces']:,} faces of the"
                f" {part} part: {low:.1%} to {high:.1%} at 95 %. {best}"
            )
    return best


def _facts(run: Run, log: Sequence[Mapping[str, Any]]) -> Iterator[Fact]:
    for part, of in reversed([*run.receipts.items()]):
        yield Fact(f"{of.result['accuracy']:.1%}", f"accuracy, {part} part")
        yield Fact(f"{of.result['balanced_accuracy']:.1%}", f"balanced, {part} part")
    if not run.receipts:
        for name, value in _figures(run):
            yield Fact(f"{value:.4g}", name)
    yield Fact(str(run.state.get("best_epoch", len(log))), f"best epoch of {len(log)}")
    yield Fact(span(sum(entry.get("seconds") or 0 for entry in log)), "of training")


def _warnings(run: Run) -> Iterator[str]:
    if run.recipe.data.protocol == ALL:
        yield f"{UNSCORED[0].upper()}{UNSCORED[1:]}."
    for part, of in run.receipts.items():
        for text in of.result["warnings"]:
            yield f"{NAMES.get(part, part)}: {text}"


def _curves(run: Run) -> Iterator[Block]:
    for title, lines in panels(history(run.folder)).items():
        yield Shown(figures.history_figure({name: {title: of} for name, of in lines.items()}))
    if found := _figures(run):
        mixed = ", mixed with the start" if run.recipe.start_share else ""
        yield f"At epoch {run.state['best_epoch']}{mixed}, before the file was written:"
        yield Table(("measure", "value"), [(name, f"{value:.4f}") for name, value in found])


def _figures(run: Run) -> list[tuple[str, float]]:
    return [worded(name, value) for name, value in run.state.get("figures", {}).items()]


def _part(receipt: Receipt) -> Iterator[Block]:
    result = receipt.result
    (low, high), people = result["interval95"], result["subjects_interval95"]
    drawn = f"; {people[0]:.1%} to {people[1]:.1%} if people are drawn anew" if people else ""
    yield (
        f"Accuracy {result['accuracy']:.1%} ({low:.1%} to {high:.1%} at 95 %{drawn}), balanced"
        f" {result['balanced_accuracy']:.1%}, macro F1 {result['macro_f1']:.1%}, calibration error"
        f" {result['ece']:.1%}; measured on the model file."
    )
    yield by_expression(result)
    yield Shown(figures.confusion_figure(result["confusion"], receipt.labels))


def _changes(run: Run) -> list[tuple[str, str, str]]:
    return [(name, words(here), words(usual)) for name, here, usual in differing(run.recipe)]


def _data(run: Run) -> Iterator[Block]:
    stated = run.about.get("data")
    if isinstance(stated, Mapping):
        rows = [
            (name.replace("_", " "), words(of)) for name, of in stated.items() if of is not None
        ]
        yield Table(("", ""), rows)


def _computed(run: Run) -> Iterator[tuple[str, str]]:
    for name, value in run.about.items():
        if name not in ("recipe", "data") and value is not None:
            yield name.replace("_", " "), words(value)
    yield "recipe SHA-256", run.recipe.sha256()
    for part, of in run.receipts.items():
        yield f"receipt of the {part} part", of.sha256
    if run.receipts:
        yield "model SHA-256", next(iter(run.receipts.values())).model["sha256"]


def _repeat(run: Run) -> Iterator[Block]:
    name = f"{run.recipe.name}.toml"
    yield (
        f"Save these lines as {name} and run mien train {name}{naming(run.about.get('data') or {})}"
        " with the same data; two runs on one machine's processors give one result; on a GPU they"
        " differ by rounding."
    )
    yield Shown(code(toml(run.recipe)))
    everything = json.dumps(run.recipe.to_dict(), indent=1)
    yield Shown(fold("Every setting", code(everything)))
