"""Which part of the face matters: one model shown every condition, or a network trained on each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien.data.columns import check_unique
from mien.data.points import check_places, with_points
from mien.data.splits import Fold, Splits, take
from mien.data.table import FaceTable
from mien.errors import DataError, UsageError
from mien.evaluation import Chosen, check_classes, score
from mien.evaluation.receipts import data_hash, points_hash
from mien.expressions import EXPRESSIONS
from mien.recognizer import ExpressionReader
from mien.study.cells import Cell, Store, steps
from mien.study.estimates import Outcome
from mien.study.settings import WHOLE, checked

if TYPE_CHECKING:
    from mien.study.retraining import Training

MODEL = "the model"
SWEEP, RETRAIN = "sweep", "retrain"


@dataclass(frozen=True, eq=False, kw_only=True)
class Done:
    """A finished study: what was answered, the receipts behind it, histories of trainings.

    faces: those that were tested, in the order of the answers. drawn: how occluders were drawn.
    table, splits: where folds were trained, all faces and which of them.
    """

    mode: str
    outcome: Outcome
    faces: FaceTable
    stated: dict[str, Any]
    receipts: Mapping[Cell, str]
    confusions: Mapping[str, NDArray[np.int64]]
    histories: Mapping[str, dict[str, list[float | None]]]
    drawn: Mapping[str, Any] = field(default_factory=dict)
    table: FaceTable | None = None
    splits: Splits | None = None


def sweep(
    chosen: Chosen,
    reader: ExpressionReader,
    conditions: Sequence[str],
    folder: Path,
    *,
    seeds: Sequence[int] = (0,),
    drawn: Mapping[str, Any] | None = None,
    locate: bool = False,
    quiet: bool = True,
) -> Done:
    """Show one model the chosen faces under every condition; a seed is that of what is drawn.

    `drawn`: how occluders are drawn, see `mien.evaluation.answers.Drawn`. `locate` finds, once for
    all conditions, the points that lack; the receipts are those of `mien evaluate` all the same.
    """
    conditions = checked(conditions, drawn)
    check_classes(chosen.faces)
    given = points_hash(chosen.faces)
    if locate:
        faces, whose = with_points(chosen.faces, quiet=quiet)
        stated = {**chosen.stated, "points": chosen.stated.get("points") or whose}
        chosen = replace(chosen, faces=faces, stated=stated)
    _check_points(chosen.faces)
    plan = {
        "mode": SWEEP,
        "faces": data_hash(chosen.faces),
        "points": points_hash(chosen.faces),
        "model": reader.sha256,
        "labels": reader.labels,
        "mirror": reader.mirror,
        "drawn": dict(drawn or {}),
    }
    store = Store(folder, plan)
    cells = [Cell(MODEL, name, seed, "all") for seed in _seeds(seeds) for name in conditions]
    for cell in steps([one for one in cells if one not in store], "conditions", quiet):
        how = {"occluder": cell.tested, "seed": cell.seed, **(drawn or {})}
        receipt = score(chosen, reader, quiet=True, **how)
        points = given if cell.tested != WHOLE else None
        condition = {**receipt.condition, "points_sha256": points}
        store.save(cell, replace(receipt, condition=condition))
    stated = {
        **chosen.stated,
        "model": reader.metadata.name,
        "model_sha256": reader.sha256,
        "output": reader.output,
        "test_time_augmentation": "mirror" if reader.mirror else "none",
        "drawn": dict(drawn or {}) or None,
        "seeds": list(seeds),
    }
    own = {name: (MODEL, name) for name in conditions}
    done = _gathered(SWEEP, store, cells, conditions, (MODEL,), own, chosen.faces, stated)
    return replace(done, drawn=drawn or {})


def retrain(
    table: FaceTable,
    splits: Splits,
    conditions: Sequence[str],
    training: "Training",
    folder: Path,
    *,
    seeds: Sequence[int] = (0,),
    drawn: Mapping[str, Any] | None = None,
    stated: Mapping[str, Any] | None = None,
    device: str = "cpu",
    quiet: bool = True,
) -> Done:
    """Train a network per condition, fold and seed; test each on all conditions.

    `drawn` are options of the occluders. Points that lack are found, once for all. The receipts are
    those of `mien evaluate`, of models that are kept.
    """
    from mien.study.retraining import Retraining, watched
    from mien.training.settings import Recipe

    conditions = checked(conditions, drawn)
    given = table.points_xy
    table, whose = with_points(table, quiet=quiet)
    stated = {**(stated or {}), "points": (stated or {}).get("points") or whose}
    check_classes(table)
    _check_points(table)
    check_unique(table.source_id)
    labels = tuple(name for name in EXPRESSIONS if (table.expression_names() == name).any())
    _check_folds(table, splits)
    plan = {
        "mode": RETRAIN,
        "faces": data_hash(table),
        "points": points_hash(table),
        "splits": [splits.description, sha256(repr(splits.folds).encode()).hexdigest()],
        "training": {**training.recipe.to_dict(), "compile": False},
        "preparation": training.preparation.to_json(),
        "drawn": dict(drawn or {}),
    }
    store = Store(folder, plan, {"training": Recipe.usual()})
    work = Retraining(
        table,
        labels,
        training,
        points=given,
        device=device,
        drawn=drawn or {},
        stated=stated,
        splits=splits,
    )
    units = [
        (name, seed, fold) for seed in _seeds(seeds) for fold in splits.folds for name in conditions
    ]

    def lacking(trained: str, seed: int, fold: Fold) -> list[Cell]:
        cells = [Cell(trained, tested, seed, fold.name) for tested in conditions]
        return [cell for cell in cells if cell not in store]

    for trained, seed, fold in steps([one for one in units if lacking(*one)], "trainings", quiet):
        reader = work.reader(store.training(trained, seed, fold.name), trained, seed, fold)
        for cell in lacking(trained, seed, fold):
            store.save(cell, work.receipt(reader, cell, fold))
    cells = [
        Cell(name, tested, seed, fold.name) for name, seed, fold in units for tested in conditions
    ]
    said = {
        **stated,
        "splits": splits.description,
        **training.stated(),
        "drawn": dict(drawn or {}) or None,
        "seeds": [training.recipe.seed + seed for seed in seeds],
    }
    own = {name: (name, name) for name in conditions}
    done = _gathered(RETRAIN, store, cells, conditions, conditions, own, table, said)
    histories = {
        name: _mean(
            [
                watched(store.training(name, seed, fold.name))
                for one, seed, fold in units
                if one == name
            ]
        )
        for name in conditions
    }
    return replace(done, drawn=drawn or {}, histories=histories, table=table, splits=splits)


def _gathered(
    mode: str,
    store: Store,
    cells: Sequence[Cell],
    conditions: tuple[str, ...],
    trained: tuple[str, ...],
    own: Mapping[str, tuple[str, str]],
    table: FaceTable,
    stated: dict[str, Any],
) -> Done:
    """Read all cells back; the folds of a seed become one row of answers."""
    opened = {cell: store.open(cell) for cell in cells}
    right: dict[tuple[str, str], NDArray[np.float64]] = {}
    confusions: dict[str, NDArray[np.int64]] = {}
    order: list[str] = []
    labels = opened[cells[0]].labels
    for pair in dict.fromkeys((cell.trained, cell.tested) for cell in cells):
        rows = []
        for seed in dict.fromkeys(cell.seed for cell in cells):
            mine = [opened[one] for one in cells if one[:3] == (*pair, seed)]
            ids = [one for receipt in mine for one in receipt.faces]
            order = order or ids
            if ids != order or any(receipt.labels != labels for receipt in mine):
                raise DataError(f"the cells under {store.folder} are of different faces; remove it")
            rows.append(np.concatenate([receipt.right for receipt in mine]))
            if own[pair[1]] == pair:
                counts = np.sum([receipt.result["confusion"] for receipt in mine], axis=0)
                confusions[pair[1]] = counts + confusions.get(pair[1], np.zeros_like(counts))
        right[pair] = np.array(rows, np.float64)
    faces = take(table, order)
    outcome = Outcome(
        conditions=conditions,
        trained=trained,
        expressions=labels,
        truth=np.array([labels.index(name) for name in faces.expression_names().tolist()]),
        subject=faces.subject,
        right=right,
        own=own,
    )
    return Done(
        mode=mode,
        outcome=outcome,
        faces=faces,
        stated=stated,
        receipts={cell: receipt.sha256 for cell, receipt in opened.items()},
        confusions=confusions,
        histories={},
    )


def _check_points(table: FaceTable) -> None:
    lacking = int((~table.has_points).sum())
    if lacking:
        raise DataError(
            f"{lacking} of {len(table)} faces have no landmarks to hide parts by; prepare the"
            " table with --points, or let the landmark network find them"
        )
    check_places(table)


def _check_folds(table: FaceTable, splits: Splits) -> None:
    """Check that every fold trains on, and all together test, at least two expressions."""
    for fold in splits.folds:
        names = set(take(table, fold.train).expression_names().tolist())
        if len(names) < 2:
            raise DataError(
                f"{fold.name} has only {', '.join(names)} to train on; expected at least two"
                " expressions: take fewer folds or another protocol"
            )
    check_classes(take(table, [one for fold in splits.folds for one in fold.test]))


def _seeds(seeds: Sequence[int]) -> Sequence[int]:
    if not seeds:
        raise UsageError("expected at least one seed, got none")
    return seeds


def _mean(histories: Sequence[Mapping[str, list[float | None]]]) -> dict[str, list[float | None]]:
    """Average histories epoch by epoch; what was measured in some epochs alone has gaps."""
    names = dict.fromkeys(name for one in histories for name in one)
    found = {name: [one[name] for one in histories if name in one] for name in names}
    means = {name: np.array(of, np.float64).mean(axis=0).tolist() for name, of in found.items()}
    return {name: [None if one != one else one for one in of] for name, of in means.items()}
