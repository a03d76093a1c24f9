"""A study as a page, as Markdown, as CSV and as JSON."""

import json
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np

from mien import __version__
from mien.files import write
from mien.report import figures
from mien.report.document import Block, Document, Shown, Table, Warned, csv_text
from mien.report.page import Fact, code, fold
from mien.study.cautions import cautions
from mien.study.estimates import Estimate, Findings
from mien.study.importance import RETRAIN, Done
from mien.study.pictures import maps, samples
from mien.study.sentences import capital, points
from mien.study.settings import WHOLE, phrase, ranked

FILES = {"page": "report.html", "text": "report.md", "rows": "results.csv", "record": "study.json"}
COLUMNS = ("trained", "tested", "expression", "faces", "measure", "value", "low", "high")

HOW = {
    "sweep": (
        "One model, trained before, was shown every face under every condition. What it loses is"
        " what it reads from the part hidden, and what it never learned to do without."
    ),
    RETRAIN: (
        "For every condition a network was trained on faces that showed it and tested on others"
        " that did, so that it could learn to do without the part hidden: what is lost is what"
        " the rest of the face does not tell."
    ),
}
INTERVALS = (
    "All intervals are 95 %, by a paired bootstrap of {rounds:,} draws over {whom}: every draw"
    " takes the same ones under all conditions. A cost is the accuracy on whole faces less that"
    " under the condition, in points"
)
TESTED = "; p is of {test}, corrected by Holm."


def write_report(
    done: Done, found: Findings, folder: Path, *, question: str, rounds: int
) -> dict[str, Any]:
    """Write all files of a report into the folder; give what the JSON says."""
    record = recorded(done, found, question)
    document = report(done, found, record, rounds)
    write(folder / FILES["page"], document.to_html())
    write(folder / FILES["text"], document.to_markdown())
    write(folder / FILES["rows"], csv_text(COLUMNS, rows(found)))
    write(folder / FILES["record"], json.dumps(record, indent=1) + "\n")
    return record


def recorded(done: Done, found: Findings, question: str) -> dict[str, Any]:
    """Give everything that was found, with the hashes of the receipts it was found in."""
    cells = {"/".join(map(str, cell)): digest for cell, digest in done.receipts.items()}
    record = {
        "schema": "mien.study/1",
        "mien": __version__,
        "question": question,
        "mode": done.mode,
        "protocol": {name: value for name, value in done.stated.items() if value is not None},
        "warnings": cautions(done, found),
        "cells": cells,
        **found.to_dict(),
    }
    plain: dict[str, Any] = json.loads(json.dumps(record, default=str))
    digest = sha256(json.dumps(plain, sort_keys=True).encode()).hexdigest()
    return {**plain, "sha256": digest}


def report(done: Done, found: Findings, record: dict[str, Any], rounds: int) -> Document:
    """Put the page together."""
    whom = "people" if found.people < found.faces else "faces"
    said = INTERVALS.format(rounds=rounds, whom=f"{found.people:,} {whom}")
    test = "sign flips of people" if whom == "people" else "McNemar's exact test"
    said += TESTED.format(test=test) if _tested(found) else "."
    histories: list[Block] = []
    if done.histories:
        histories = [
            "Averaged over folds and seeds. The test faces were watched; nothing was chosen by"
            " them.",
            Shown(figures.history_figure(done.histories)),
        ]
    return Document(
        title=record["question"],
        lead=found.answer,
        facts=list(_facts(done, found)),
        sections=[
            ("Warnings", [Warned(text) for text in record["warnings"]]),
            ("What each condition costs", [HOW[done.mode], *_conditions(found), said]),
            ("What was hidden", samples(done)),
            ("Expression by expression", _expressions(done, found)),
            ("Trained on one, tested on another", _matrix(found)),
            ("Epoch by epoch", histories),
            ("What is taken for what", [*_confusions(done, found)]),
            ("Protocol", [_protocol(record["protocol"])]),
            ("Receipt", _receipt(record)),
        ],
    )


def rows(found: Findings) -> Iterator[Sequence[object]]:
    """Yield a row a number of the CSV; shares from 0 to 1, differences of shares as costs."""
    for row, name in enumerate(found.trained):
        for column, tested in enumerate(found.conditions):
            value = found.matrix[row][column]
            yield (name, tested, "all", found.faces, "accuracy", f"{value:.6f}", "", "")
    for effect in found.effects:
        for measure in ("accuracy", "balanced", "cost"):
            of = getattr(effect, measure)
            yield ("own", effect.condition, "all", found.faces, measure, *_digits(of))
    for one in found.expressions:
        yield ("own", WHOLE, one.expression, one.faces, "accuracy", *_digits(one.accuracy))
        for condition, cost in one.costs.items():
            yield ("own", condition, one.expression, one.faces, "cost", *_digits(cost))


def _digits(of: Estimate) -> tuple[str, str, str]:
    return f"{of.value:.6f}", f"{of.low:.6f}", f"{of.high:.6f}"


def _facts(done: Done, found: Findings) -> Iterator[Fact]:
    whole = found.effects[0].accuracy
    worst = max(found.effects[1:], key=lambda one: one.cost.value)
    yield Fact(f"{found.faces:,}", "faces tested")
    if found.people < found.faces:
        yield Fact(f"{found.people:,}", "people")
    yield Fact(f"{whole.value:.1%}", "right on whole faces")
    yield Fact(points(worst.cost.value), f"points lost at most, by {worst.condition}", "bad")
    level, said = ("good", "settled") if found.settled else ("bad", "not settled")
    yield Fact(said, "by these faces", level)


def _tested(found: Findings) -> bool:
    """Tell whether there are p-values: several networks of a condition have no single answer."""
    return any(one.p is not None for one in found.effects)


def _conditions(found: Findings) -> Iterator[Block]:
    tested, spread = _tested(found), len(found.trained) == 1 and _several(found)
    lines = [
        (
            one.condition,
            f"{one.accuracy.value:.1%}",
            f"{one.accuracy.low:.1%} to {one.accuracy.high:.1%}",
            *([points(found.deviations[0][at] or 0)] if spread else []),
            f"{one.balanced.value:.1%}",
            points(one.cost.value) if one.condition != WHOLE else "",
            _between(one.cost) if one.condition != WHOLE else "",
            *([_p(one.p)] if tested else []),
        )
        for at, one in enumerate(found.effects)
    ]
    header = ("condition", "right", "95 %", *(["± of seeds"] if spread else []), "balanced")
    yield Table((*header, "cost in points", "95 %", *(["p"] if tested else [])), lines)
    yield Shown(cost_figure(found))


def cost_figure(found: Findings) -> str:
    """Draw as SVG what each condition costs."""
    costs = [one for one in found.effects if one.condition != WHOLE]
    values, lows, highs = zip(*(one.cost for one in costs), strict=True)
    names = [one.condition for one in costs]
    return figures.interval_figure(names, values, lows, highs, x="cost in points", points=True)


def _expressions(done: Done, found: Findings) -> list[Block]:
    each = found.expressions
    conditions = [one.condition for one in found.effects if one.condition != WHOLE]
    lines = [
        ("faces", *(f"{one.faces:,}" for one in each)),
        ("right, whole", *(f"{one.accuracy.value:.1%}" for one in each)),
        *(
            (name, *(f"{points(of.value)}\n{_between(of)}" for of in (e.costs[name] for e in each)))
            for name in conditions
        ),
        ("matters most", *(one.matters_most.replace(", ", ",\n") for one in each)),
    ]
    single = ranked(found.conditions)
    return [
        "Costs in points with their intervals. For what matters most only single parts compete"
        f" ({', '.join(single or conditions)}); it is settled where the interval of the lead over"
        " the next one leaves out 0.",
        Table(("", *(one.expression for one in each)), lines),
        *maps(done, found),
    ]


def _matrix(found: Findings) -> list[Block]:
    if len(found.trained) < 2:
        return []
    several = _several(found)
    cells = [
        [
            f"{value:.1%}" + (f"\n± {points(spread)}" if spread is not None else "")
            for value, spread in zip(values, spreads, strict=True)
        ]
        for values, spreads in zip(found.matrix, found.deviations, strict=True)
    ]
    flat = [(name, *line) for name, line in zip(found.trained, cells, strict=True)]
    drawn = figures.matrix_figure(
        found.matrix, found.trained, found.conditions, cells, x="tested on", y="trained on"
    )
    said = "Right of the faces tested" + ("; ± is the deviation of the seeds." if several else ".")
    return [said, Shown(drawn), Table(("trained on", *found.conditions), flat)]


def _several(found: Findings) -> bool:
    """Tell whether there are several seeds."""
    return found.deviations[0][0] is not None


def _confusions(done: Done, found: Findings) -> Iterator[Block]:
    chosen = [WHOLE]
    if found.contrast is not None:
        chosen += [found.contrast.more, found.contrast.less]
    else:
        chosen.append(found.effects[-1].condition)
    there = np.array(
        [(done.outcome.truth == at).any() for at in range(len(done.outcome.expressions))]
    )
    for name in chosen:
        counts = done.confusions[name]
        kept = np.flatnonzero(there | (counts.sum(axis=0) > 0))
        labels = [done.outcome.expressions[at] for at in kept]
        yield f"{capital(phrase(name))}:"
        yield Shown(figures.confusion_figure(counts[np.ix_(kept, kept)], labels))


def _protocol(stated: dict[str, Any]) -> Table:
    lines = [(name.replace("_", " "), _text(value)) for name, value in stated.items()]
    return Table(("setting", "value"), lines)


def _receipt(record: dict[str, Any]) -> list[Block]:
    count = len(record["cells"])
    cells = "\n".join(f"{digest}  {name}" for name, digest in record["cells"].items())
    return [
        f"mien {record['mien']}; {count} cells, a receipt each under cells/; the hash of this"
        f" record (study.json) is {record['sha256']}.",
        Shown(fold(f"The hashes of the {count} receipts", code(cells))),
    ]


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return (
        ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else str(value)
    )


def _between(found: Estimate) -> str:
    return f"{points(found.low)} to {points(found.high)}"


def _p(p: float | None) -> str:
    return "" if p is None else "<0.001" if p < 0.001 else f"{p:.3f}"
