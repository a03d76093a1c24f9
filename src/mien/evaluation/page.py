"""The report of one evaluation: figures as files, and a page that holds them."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from mien import files
from mien.data.splits import take
from mien.data.table import FaceTable
from mien.evaluation.measures import worst_found
from mien.evaluation.receipts import Receipt
from mien.report import figures
from mien.report.document import Block, Document, Shown, Table, Warned
from mien.report.faces import answer_gallery
from mien.report.page import Fact, Html, paragraph

SHOWN = 6  # faces an expression, half of them right if there are as many
PAGE, MARKDOWN = "index.html", "report.md"


def write(folder: Path, receipt: Receipt, faces: FaceTable | None = None) -> None:
    """Write `index.html`, `report.md` and the figures (.svg); `faces` are shown if given."""
    drawn = draw(receipt)
    document = _document(receipt, drawn, faces)
    texts = {f"{name}.svg": svg for name, svg in drawn.items()}
    texts |= {PAGE: document.to_html(), MARKDOWN: document.to_markdown()}
    for name, text in texts.items():
        files.write(folder / name, text)


def draw(receipt: Receipt) -> dict[str, Html]:
    """Draw the figures of a receipt, SVG by name."""
    result, labels = receipt.result, receipt.labels
    told = receipt.probabilities.max(axis=1)
    both = result["distribution"]
    return {
        "confusion": figures.confusion_figure(result["confusion"], labels),
        "distribution": figures.distribution_figure(both["true"], both["answered"], labels),
        "reliability": figures.reliability_figure(result["reliability"]),
        "risk-coverage": figures.risk_coverage_figure(told, receipt.right),
    }


def _document(receipt: Receipt, drawn: dict[str, Html], faces: FaceTable | None) -> Document:
    result = receipt.result  # of an earlier version it does not name the worst
    worst = result.get("worst") or worst_found(np.array(result["confusion"]), receipt.labels)
    low, high = result["interval95"]
    right = f"{result['correct']:,} of {result['faces']:,} faces"
    sections: list[tuple[str, Sequence[Block]]] = [
        ("Mind", [Warned(text) for text in result["warnings"]]),
        ("What is confused", [Shown(drawn["confusion"])]),
        ("By expression", [by_expression(result)]),
        *_by(result.get("by")),
        ("What is true and what is answered", [Shown(drawn["distribution"])]),
        ("How well it knows how sure it is", [Shown(drawn["reliability"]), _certain(result)]),
        ("When it may be silent", [Shown(drawn["risk-coverage"])]),
        ("What it says is hidden", list(_hidden(result["hidden"]))),
        ("Beside the people who voted", list(_votes(result["votes"]))),
        ("Right and wrong", [Shown(_gallery(receipt, faces))] if faces is not None else []),
        ("How it was measured", [Table(("", ""), list(_stated(receipt)))]),
    ]
    return Document(
        title=f"{receipt.model['name']} on {receipt.data['name']}",
        lead=(
            f"Right on {right}: {low:.1%} to {high:.1%} at 95 %. Found least is"
            f" {worst['expression']}, {worst['recall']:.1%} of {worst['faces']:,} faces:"
            f" {' to '.join(map(_percent, worst['recall_interval95']))}."
        ),
        facts=[
            Fact(f"{result['accuracy']:.1%}", "accuracy"),
            Fact(f"{result['balanced_accuracy']:.1%}", "balanced accuracy"),
            Fact(f"{worst['recall']:.1%}", f"{worst['expression']}, found least"),
            Fact(f"{result['macro_f1']:.1%}", "macro F1"),
            Fact(f"{result['ece']:.1%}", "calibration error"),
        ],
        sections=[(title, blocks) for title, blocks in sections if blocks],
    )


def by_expression(result: dict[str, Any]) -> Table:
    """Tell how each expression is found."""
    rows = [
        (
            name,
            f"{of['faces']:,}",
            f"{of['answered']:,}",
            _percent(of["recall"]),
            " to ".join(map(_percent, of["recall_interval95"])),
            _percent(of["precision"]),
            _percent(of["f1"]),
        )
        for name, of in result["expressions"].items()
    ]
    header = ("expression", "faces", "answered", "recall", "95 %", "precision", "F1")
    return Table(header, rows)


def _by(by: dict[str, Any] | None) -> Iterator[tuple[str, Sequence[Block]]]:
    """Tell how each group of faces fares, and which one worst."""
    if by is None:
        return
    rows = [
        (
            name,
            f"{of['faces']:,}",
            _percent(of["accuracy"]),
            " to ".join(map(_percent, of["interval95"])),
            _percent(of["balanced_accuracy"]),
            f"{of['worst']['expression']} {_percent(of['worst']['recall'])}"
            f" of {of['worst']['faces']:,}",
        )
        for name, of in by["groups"].items()
    ]
    header = ("group", "faces", "accuracy", "95 %", "balanced", "found least")
    least = by["groups"][by["worst"]]
    right = f"{_percent(least['accuracy'])} of {least['faces']:,} faces"
    said = f"Right least often on {by['worst']}: {right}."
    yield f"By {by['column']}", [said, Table(header, rows)]


def _certain(result: dict[str, Any]) -> str:
    certain = result["certain"]
    return (
        f"The model calls {certain['share']:.1%} of its answers certain;"
        f" {_percent(certain['accuracy'])} of those are right."
    )


def _hidden(hidden: dict[str, dict[str, Any]]) -> Iterator[Block]:
    if hidden:
        header = (
            "region",
            "faces with it hidden",
            "noticed",
            "faces with it whole",
            "false alarms",
        )
        rows = [
            (
                region,
                f"{of['hidden_faces']:,}",
                _percent(of["recall"]),
                f"{of['visible_faces']:,}",
                _percent(of["false_alarms"]),
            )
            for region, of in hidden.items()
        ]
        yield Table(header, rows)


def _votes(votes: dict[str, Any] | None) -> Iterator[str]:
    if votes is None:
        return
    yield (
        f"Of ten people {votes['agree']:.1f} say what the model says; the best answer to every face"
        f" would find {votes['agree_at_most']:.1f}."
    )
    yield (
        f"One voter says what the label says {votes['voter']:.1%} of the time, and"
        f" {votes['lone_voter']:.1%} what most of the others say. On {votes['ties']:,} of"
        f" {votes['faces']:,} faces two expressions have equally many votes."
    )
    if votes["kl"] is not None:
        yield f"The divergence from their shares to the model's (KL) is {votes['kl']:.2f} nats."


def _gallery(receipt: Receipt, faces: FaceTable) -> Html:
    """Show some faces of each expression, the surest answers first, right and wrong."""
    told = receipt.probabilities.max(axis=1)
    said = np.array(receipt.labels)[receipt.predicted]
    parts = []
    for place, name in enumerate(receipt.labels):
        own = np.flatnonzero(receipt.truth == place)
        own = own[np.argsort(-told[own], kind="stable")]
        wrong = own[~receipt.right[own]][: SHOWN // 2].tolist()
        rows = own[receipt.right[own]][: SHOWN - len(wrong)].tolist() + wrong
        images = np.asarray(take(faces, [receipt.faces[row] for row in rows]).images)
        notes = [f"{told[row]:.0%}" for row in rows]
        shown = answer_gallery(images, [name] * len(rows), said[rows].tolist(), notes)
        parts.append(paragraph(f"{name}:") + shown if shown else "")
    return "".join(parts)


def _stated(receipt: Receipt) -> Iterator[tuple[str, str]]:
    for name, value in receipt.result["protocol"].items():
        if value is not None:
            yield name.replace("_", " "), str(value)
    yield "model", f"{receipt.model['name']} {receipt.model['sha256']}"
    yield "faces' ids", receipt.data["ids_sha256"]
    yield "faces' pixels, labels, votes", receipt.data["sha256"]
    yield "software", ", ".join(f"{name} {version}" for name, version in receipt.versions.items())
    yield "receipt", receipt.sha256


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share:.1%}"
