"""Networks trained on the faces of a fold under one condition, and tested under any."""

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mien import occlusion
from mien.data.splits import Fold
from mien.data.table import FaceTable
from mien.errors import MissingExtraError
from mien.evaluation import Receipt
from mien.evaluation.answers import Answers
from mien.evaluation.measures import result
from mien.evaluation.receipts import DECIMALS, data_hash, ids_hash, versions
from mien.study.cells import Cell
from mien.study.settings import WHOLE, Training

if TYPE_CHECKING:
    from mien.study.fitting import Fitted

_AT_ONCE = 2048


def check() -> None:
    """Tell whether networks can be trained, before the work that this is for."""
    try:
        import mien.study.fitting  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("training a network", "PyTorch", "train") from error


class Retraining:
    """The faces of every condition, drawn once, and what is made of a fold of them."""

    def __init__(
        self,
        table: FaceTable,
        labels: tuple[str, ...],
        training: Training,
        device: str,
        drawn: Mapping[str, Any],
        stated: Mapping[str, Any],
    ) -> None:
        self.table, self.labels, self.training, self.device = table, labels, training, device
        self._drawn, self._stated = drawn, stated
        self._truth = np.array([labels.index(name) for name in table.expression_names().tolist()])
        self._row = {one: row for row, one in enumerate(table.source_id.tolist())}
        self._crops: dict[str, NDArray[np.uint8]] = {}

    def fit(self, trained: str, seed: int, fold: Fold) -> "Fitted":
        """Train on the fold's faces as the condition shows them; watch its test faces."""
        check()
        from mien.study import fitting

        parts = [
            fitting.Faces(self.crops(trained)[rows], self._truth[rows])
            for rows in (self._rows(fold.train), self._rows(fold.test))
        ]
        return fitting.fit(parts[0], parts[1], len(self.labels), self.training, seed, self.device)

    def receipt(self, fitted: "Fitted", cell: Cell, fold: Fold) -> Receipt:
        """Test a network on the fold's faces as another condition, or the same, shows them."""
        rows = self._rows(fold.test)
        found = fitted.probabilities(self.crops(cell.tested)[rows])
        n, tested = len(rows), self.table[rows]
        condition = {"occluder": cell.tested, "style": None, "severity": 1.0, "seed": 0}
        condition |= dict(self._drawn)
        answers = Answers(
            faces=tested,
            labels=self.labels,
            truth=self._truth[rows],
            predicted=found.argmax(axis=1),
            probabilities=found,
            certain=np.zeros(n, bool),
            regions=(),
            reported=np.zeros((n, 0), bool),
            covered=np.zeros((n, 0)),
            condition=condition,
            shared={},
        )
        digest = fitted.sha256()
        protocol = {**self._stated, "occluder": cell.tested, "trained_on": cell.trained}
        known = bool((tested.subject != "").all())
        return Receipt(
            result=json.loads(json.dumps(result(answers, protocol, digest).to_dict())),
            faces=tuple(tested.source_id.tolist()),
            subjects=tuple(tested.subject.tolist()) if known else (),
            truth=answers.truth,
            predicted=answers.predicted,
            probabilities=found.round(DECIMALS),
            labels=self.labels,
            condition=condition,
            model={
                "name": f"{self.training.network} trained on {cell.trained}",
                "sha256": digest,
                "output": "expression",
                "labels": list(self.labels),
                "mirror": False,
            },
            data={
                "name": self._stated.get("data_set") or self._stated.get("table"),
                "fold": fold.name,
                "sha256": data_hash(tested),
                "ids_sha256": ids_hash(tested.source_id.tolist()),
            },
            seeds={"occluder": 0, "training": cell.seed},
            versions=versions(),
        )

    def crops(self, condition: str) -> NDArray[np.uint8]:
        """Give all faces under a condition, cut as the network takes them."""
        if condition not in self._crops:
            cut = self.training.preparation.whole
            images = hidden(self.table, condition, **self._drawn)
            self._crops[condition] = np.stack([cut(image) for image in images])
        return self._crops[condition]

    def _rows(self, ids: Sequence[str]) -> NDArray[np.intp]:
        return np.array([self._row[one] for one in ids], np.intp)


def hidden(table: FaceTable, condition: str, *, seed: int = 0, **drawn: Any) -> NDArray[np.uint8]:
    """Draw a condition on copies of all faces."""
    if condition == WHOLE or table.points_xy is None:
        return np.asarray(table.images)
    parts = [
        occlusion.batch(
            condition,
            table.images[first : first + _AT_ONCE],
            table.points_xy[first : first + _AT_ONCE],
            seed,
            first,
            **drawn,
        )[0]
        for first in range(0, len(table), _AT_ONCE)
    ]
    return np.concatenate(parts)
