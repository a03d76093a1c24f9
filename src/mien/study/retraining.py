"""Networks trained on the faces of a fold under one condition, and shown them under any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mien import occlusion
from mien.data.splits import Fold, Splits, take
from mien.data.table import FaceTable
from mien.errors import UsageError
from mien.evaluation import Chosen, Receipt, score
from mien.evaluation.receipts import points_hash
from mien.preparation import Preparation
from mien.recognizer import ExpressionReader
from mien.study.cells import Cell
from mien.study.settings import WHOLE
from mien.training import checkpoint
from mien.training.describe import describe
from mien.training.framing import (
    as_given,
    cut,
    enlarging,
    finished,
    framed,
    steps_of,
    with_statistics,
)
from mien.training.labelled import LabelledTask
from mien.training.logs import LOG, history
from mien.training.loop import train
from mien.training.material import DataSource, Material, rights_of
from mien.training.resuming import LAST
from mien.training.run import COMPARED, export_plain
from mien.training.settings import Recipe
from mien.training.stating import differing

AT_ONCE = 2048
MODEL = "model.onnx"
# What a log of `mien train` calls the figures of the faces that are judged: here those that test.
WATCHED = {"loss": "loss", "-loss": "test_loss", "accuracy": "test_accuracy"}


@dataclass(frozen=True, kw_only=True)
class Training:
    """A recipe, how it lays faces out, and the rights in them.

    given: they came cut by nobody knows what, so a model's file must say how.
    """

    recipe: Recipe
    preparation: Preparation
    rights: dict[str, Any]
    given: bool = False

    def stated(self) -> dict[str, Any]:
        """Say what a report tells of it."""
        height, width = self.preparation.size_hw
        steps = f"{height}x{width}, {self.preparation.colour}, levels {self.preparation.normalize}"
        settings = {name: here for name, here, _ in differing(self.recipe) if name not in UNTOLD}
        return {
            "network": self.recipe.network.name,
            "epochs": self.recipe.epochs,
            "recipe": self.recipe.name,
            "recipe_sha256": self.recipe.sha256(),
            "settings": settings,
            "preparation": steps,
            "epoch": "the last; nothing was chosen on the test faces",
        }


UNTOLD = ("name", "task", "seed", "epochs", "network.name", "data.dataset")


def training_of(recipe: Recipe, source: DataSource) -> Training:
    """Say how faces are laid out for a recipe; refuse one that would undo what a study compares."""
    _check(recipe)
    steps = steps_of(recipe, source.table)
    rights = rights_of(recipe.data, source)
    given = as_given(steps, recipe, source.table)
    return Training(recipe=recipe, preparation=steps, rights=rights, given=given)


class Retraining:
    """The faces of every condition, drawn once, and what is made of a fold of them.

    points: of the faces as they came, where they had any. labels: what the networks answer with.
    """

    def __init__(
        self,
        table: FaceTable,
        labels: tuple[str, ...],
        training: Training,
        *,
        points: NDArray[np.float32] | None,
        device: str,
        drawn: Mapping[str, Any],
        stated: Mapping[str, Any],
        splits: Splits,
    ) -> None:
        self.table, self.training, self.device = table, training, device
        self._drawn, self._stated, self._splits = drawn, stated, splits
        self._row = {one: row for row, one in enumerate(table.source_id.tolist())}
        self._given = replace(table, points_xy=points)
        names = table.expression_names().tolist()
        self._relabelled = replace(
            table, labels=np.array([labels.index(name) for name in names]), expressions=labels
        )
        self._cut: dict[str, FaceTable] = {}

    def reader(self, folder: Path, trained: str, seed: int, fold: Fold) -> ExpressionReader:
        """Open the network of a condition, or train it on the fold; it is kept in its folder.

        A training that was stopped goes on. The test faces are watched, and choose nothing: the
        last weights count, and the file is not calibrated.
        """
        path = folder / MODEL
        if not path.exists():
            recipe = replace(self.training.recipe, seed=self.training.recipe.seed + seed)
            task = LabelledTask(self._material(trained, fold), recipe)
            best = train(recipe, task, folder, device=self.device, quiet=True)
            groups, _ = checkpoint.load(folder / LAST)
            weights = groups.get("average", groups["network"])
            faces = task.material.validation.images[:COMPARED]
            export_plain(task, weights, describe(task, {}), path, faces)
            for spent in (best, folder / LAST):  # several times as large as the model itself
                spent.unlink(missing_ok=True)
        return ExpressionReader(path)

    def receipt(self, reader: ExpressionReader, cell: Cell, fold: Fold) -> Receipt:
        """Test a network on the fold's faces under a condition, as `mien evaluate` does."""
        stated = {**self._stated, **self._splits.stated(fold), "trained_on": cell.trained}
        stated["training_seed"] = self.training.recipe.seed + cell.seed
        chosen = Chosen(take(self.table, fold.test), stated)
        receipt = score(chosen, reader, occluder=cell.tested, quiet=True, **self._drawn)
        given = points_hash(take(self._given, fold.test)) if cell.tested != WHOLE else None
        return replace(receipt, condition={**receipt.condition, "points_sha256": given})

    def _material(self, trained: str, fold: Fold) -> Material:
        """Part the faces as the condition shows them; those that test stand where others choose."""
        faces, steps = self._shown(trained), self.training.preparation
        parts = [faces[self._rows(ids)] for ids in (fold.train, fold.test)]
        steps = enlarging(with_statistics(steps, parts[0]), parts[0])
        steps = framed(steps, parts[0]) if self.training.given else steps
        return Material(
            labels=faces.expressions,
            preparation=steps,
            train=parts[0],
            validation=finished(parts[1], steps),
            test=None,
            stated={},
            rights=self.training.rights,
        )

    def _shown(self, condition: str) -> FaceTable:
        """Give all faces under a condition, cut as the networks take them."""
        if condition not in self._cut:
            images = hidden(self.table, condition, **self._drawn)
            faces = replace(self._relabelled, images=images)
            self._cut[condition] = cut(faces, self.training.preparation)
        return self._cut[condition]

    def _rows(self, ids: Sequence[str]) -> NDArray[np.intp]:
        return np.array([self._row[one] for one in ids], np.intp)


def watched(folder: Path) -> dict[str, list[float | None]]:
    """Give by epoch the loss of a training, and loss and accuracy of the faces that test.

    None where its log is gone.
    """
    if not (folder / LOG).exists():
        return {}
    found = {WATCHED[name]: of for name, of in history(folder).items() if name in WATCHED}
    lost = [None if one is None else -one for one in found["test_loss"]]
    return {**found, "test_loss": lost}


def hidden(table: FaceTable, condition: str, *, seed: int = 0, **drawn: Any) -> NDArray[np.uint8]:
    """Draw a condition on copies of all faces."""
    if condition == WHOLE or table.points_xy is None:
        return np.asarray(table.images)
    parts = [
        occlusion.batch(
            condition,
            table.images[first : first + AT_ONCE],
            table.points_xy[first : first + AT_ONCE],
            seed,
            first,
            **drawn,
        )[0]
        for first in range(0, len(table), AT_ONCE)
    ]
    return np.concatenate(parts)


def _check(recipe: Recipe) -> None:
    if recipe.task != "labels":
        raise UsageError(
            f"a study trains recipes of the task 'labels', {recipe.name} has {recipe.task!r}; name"
            " another, or leave --recipe out"
        )
    wrong = {
        "hiding": not recipe.hiding.nothing and "the conditions say what is hidden",
        "selection.patience": recipe.selection.patience and "the last epoch counts",
        "optimizer.schedule": recipe.optimizer.schedule == "plateau"
        and "a plateau is seen on the faces that test",
        "start_share": recipe.start_share and "nothing is mixed",
        "quantize": (recipe.quantize or recipe.quantize_always) and "files stay in floats",
    }
    for name, why in wrong.items():
        if why:
            raise UsageError(f"{recipe.name} sets {name}, but in a study {why}; leave it out")
