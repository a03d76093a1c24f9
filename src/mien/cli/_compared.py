"""What `mien compare` answers: plain values, lines for people, and the drawing of a figure."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mien.cli._columns import aligned
from mien.errors import UsageError, unknown_name

if TYPE_CHECKING:
    from mien.evaluation import Receipt

# Plain values, lines, and what draws them into a file.
Answer = tuple[dict[str, Any], list[str], Callable[[Path], None]]

TESTS = {"mcnemar": "McNemar's exact test", "sign-flip": "exact test of sign flips of {}"}
USUAL = ("loss", "accuracy", "score")  # measures of a history, and all of whole faces


def pairs(receipts: "Sequence[Receipt | list[Receipt]]", **how: Any) -> Answer:
    """Compare receipts, or those of several seeds, of the same faces."""
    from mien.study.compare import compare

    found = compare(receipts, **how)
    head = ["", "right", "accuracy", "95 % from", "to", "balanced", "macro F1", "ECE"]
    measured = [[*head, "worst expression"]]
    for row in found.rows:
        shares = (row.accuracy, *row.interval95, row.balanced_accuracy, row.macro_f1, row.ece)
        measured.append([row.name, str(row.correct), *map(percent, shares), worst(row.worst)])
    tested = [["", "points", "95 % from", "to", "only a", "only b", "odds", "g", "p", "p, Holm"]]
    for pair in found.pairs:
        differing = (pair.difference, *pair.interval95)
        odds = "-" if pair.odds_ratio is None else f"{pair.odds_ratio:.2f}"
        tested.append(
            [
                f"{pair.a} - {pair.b}",
                *(f"{100 * share:+.1f}" for share in differing),
                *(str(pair.only_a), str(pair.only_b), odds, f"{pair.cohen_g:+.2f}"),
                *(_small(pair.p), _small(pair.p_holm)),
            ]
        )
    lines = [
        f"{found.faces} faces of {', '.join(found.expressions)}",
        "",
        *aligned(measured, numbers=True),
        "",
        *aligned(tested, numbers=True),
        "",
        f"{TESTS[found.test].format(found.drawn_from)}; bootstrap of {found.drawn_from},"
        f" {found.rounds} rounds, seed {found.seed}; only a, only b: faces that one alone is right"
        " about; g: Cohen's",
        *(f"mind: {note}" for note in found.notes),
    ]

    accuracies = {row.name: (row.accuracy, *row.interval95) for row in found.rows}
    return found.to_dict(), lines, _intervals(accuracies)


def across(receipts: "Sequence[Receipt]") -> Answer:
    """Set models against data sets."""
    from mien.metrics import wilson
    from mien.study.across import across as crossed

    found = crossed(receipts)
    rows, named = [["", *found.data_sets]], {}
    beside = [["balanced, worst", *found.data_sets]]
    each = zip(found.models, found.cells, found.balanced_accuracy, found.worst, strict=True)
    for model, cells, balanced, found_least in each:
        row = [model]
        beside.append([model])
        for data, cell, mean, least in zip(
            found.data_sets, cells, balanced, found_least, strict=True
        ):
            if cell is None or mean is None or least is None:
                row.append("-")
                beside[-1].append("-")
                continue
            beside[-1].append(f"{percent(mean)}, {worst(least)}")
            low, high = wilson(*cell)
            share = cell[0] / cell[1]
            named[f"{model} on {data}"] = (share, low, high)
            row.append(f"{percent(share)} ({percent(low)} to {percent(high)}) of {cell[1]}")
        rows.append(row)
    said = f"models in rows, data sets in columns, over {', '.join(found.expressions)}"
    lines = [*aligned(rows, numbers=True), "", *aligned(beside, numbers=True), "", said]
    return found.to_dict(), lines, _intervals(named)


def histories(folders: Sequence[str], measures: Sequence[str] | None) -> Answer:
    """Set the histories of trainings side by side."""
    from mien.report import figures
    from mien.training.logs import history

    names = names_of(folders)
    read = {name: history(one) for name, one in zip(names, folders, strict=True)}
    known = list(dict.fromkeys(measure for of in read.values() for measure in of))
    for one in measures or ():
        if one not in known:
            raise UsageError(unknown_name("measure", one, known))
    usual = [one for one in known if one.removeprefix("val_") in USUAL or one.endswith("/none")]
    wanted = list(measures or usual or known)
    shown = {name: {one: of[one] for one in wanted if one in of} for name, of in read.items()}
    rows = [["", "epochs", *wanted]]
    for name, of in shown.items():
        last = [_last(of.get(one, ())) for one in wanted]
        rows.append([name, str(max(map(len, read[name].values()), default=0)), *last])

    def draw(path: Path) -> None:
        figures.save(path, figures.history_figure, shown)

    return shown, [*aligned(rows, numbers=True)], draw


def names_of(folders: Sequence[str]) -> list[str]:
    """Name runs or jobs by their folders, with as many parents as tell them apart."""
    paths = [Path(one).resolve() for one in folders]
    if len(set(paths)) < len(paths):
        raise UsageError(f"a run folder is given twice; expected different ones, got {folders}")
    for depth in range(1, max(len(path.parts) for path in paths) + 1):
        names = ["/".join(path.parts[-depth:]) for path in paths]
        if len(set(names)) == len(names):
            break
    return names


def _last(values: Sequence[float | None]) -> str:
    there = [value for value in values if value is not None]
    return f"{there[-1]:.4g}" if there else "-"


def _intervals(named: Mapping[str, tuple[float, ...]]) -> Callable[[Path], None]:
    """Give what draws accuracies with their intervals."""
    from mien.report import figures

    def draw(path: Path) -> None:
        columns = [list(column) for column in zip(*named.values(), strict=True)]
        figures.save(path, figures.interval_figure, list(named), *columns, x="accuracy")

    return draw


def worst(of: Mapping[str, Any]) -> str:
    return f"{of['expression']} {percent(of['recall'])} of {of['faces']}"


def _small(p: float) -> str:
    return "<.0001" if p < 1e-4 else f"{p:.4f}"


def percent(share: float) -> str:
    return f"{share:.1%}"
