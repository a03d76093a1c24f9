"""The expression task: FER+ votes, FER-2013 labels and hidden regions on one trunk."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional

from mien.data import labels as vote_rules
from mien.data.table import FaceTable
from mien.expressions import EXPRESSIONS, EXPRESSIONS_7
from mien.occlusion import regions
from mien.session import Output
from mien.training import distill, sampling
from mien.training.faces import Faces, Source, View
from mien.training.settings import Recipe
from mien.training.task import TRAINED, Task, some_of
from mien.training.validation import Answer, auc, occluded

ANSWERS = {"ferplus": EXPRESSIONS, "fer2013": EXPRESSIONS_7}
HEADS = {**{name: len(labels) for name, labels in ANSWERS.items()}, "hidden": 2}
REGIONS = tuple(regions.REGIONS)


class ExpressionTask(Task):
    """What a batch means, what it costs, and how the network is judged on the public part."""

    heads = HEADS
    selection = "score"

    def __init__(self, table: FaceTable, found: npt.NDArray[np.bool_], recipe: Recipe) -> None:
        assert table.votes is not None and table.points_xy is not None
        self.recipe = recipe
        train, public = table.split == "train", table.split == "public"
        part = table[train]
        assert part.votes is not None and part.points_xy is not None
        self.source = Source(part.images, part.points_xy, found[train])
        self.source_ids = part.source_id
        shares = part.votes[:, : len(EXPRESSIONS)]
        total = shares.sum(1, keepdims=True)
        self.shares = (shares / np.maximum(total, 1)).astype(np.float32)
        # Votes for "unknown" and "no face" say how little the face has to teach.
        self.weights = (total[:, 0] / 10).astype(np.float32)
        self.majority = vote_rules.labels(part.votes, "majority")
        self.labels = seven(part)
        self.public = _Public(table[public])
        self.taught = distill.taught(recipe.distillation, ANSWERS, part.source_id)

    def shows(self, faces: Faces) -> list[str]:
        """Name the expression of each of the numbers of training faces (n,), by FER-2013."""
        return [EXPRESSIONS_7[at] for at in self.labels[self.source.originals(faces)]]

    def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
        """Sum the losses of the three heads over a batch."""
        settings, device = self.recipe.losses, outputs["ferplus"].device
        shares = torch.from_numpy(self.shares[faces]).to(device)
        weights = torch.from_numpy(self.weights[faces]).to(device)
        votes = functional.cross_entropy(outputs["ferplus"].float(), shares, reduction="none")
        plus = (votes * weights).sum() / weights.sum().clamp_min(1.0)
        labels = functional.cross_entropy(
            outputs["fer2013"].float(),
            torch.from_numpy(self.labels[faces]).to(device),
            label_smoothing=settings.smoothing,
        )
        if self.taught:
            plus = self._with_teacher("ferplus", plus, outputs, faces)
            labels = self._with_teacher("fer2013", labels, outputs, faces)
        states = torch.from_numpy(view.hidden).to(device)
        hidden = hidden_loss(outputs["hidden"].float(), states)
        return settings.ferplus * plus + settings.fer2013 * labels + settings.hidden * hidden

    def _with_teacher(
        self, head: str, loss: Tensor, outputs: dict[str, Tensor], faces: Faces
    ) -> Tensor:
        settings = self.recipe.distillation
        taught = torch.from_numpy(self.taught[head][faces]).to(outputs[head].device)
        soft = distill.soft_loss(outputs[head].float(), taught, settings.temperature).mean()
        return distill.mixed(loss, soft, settings)

    def judge(self, answer: Answer) -> dict[str, float]:
        """Judge on the public part: whole and masked faces, both labellings, hidden regions."""
        return self.public.judge(answer)

    def look_back(self, answer: Answer) -> dict[str, float]:
        """Give the accuracy by FER+ votes on a sample of training faces as they are."""
        rows = some_of(len(self.source), self.recipe)
        rows = rows[self.majority[rows] >= 0]
        if not len(rows):
            return {}
        predicted = answer(self.source.images[rows])["ferplus"].argmax(1)
        return {TRAINED: float((predicted == self.majority[rows]).mean())}

    def besides(self) -> Mapping[str, npt.NDArray[Any]]:
        """Give what the teacher says, and the public part as it is judged on."""
        return {**self.taught, **self.public.arrays}

    def worth(self, figures: dict[str, float]) -> float:
        """Take the mean of the accuracies that choose the epoch, whole faces and hidden ones."""
        return figures["score"]

    def outputs(self) -> tuple[Output, ...]:
        usual = {"certain": 1.0}
        voted = self.majority[self.majority >= 0]
        plus = sampling.prior(np.bincount(voted, minlength=len(EXPRESSIONS)))
        seven = sampling.prior(np.bincount(self.labels, minlength=len(EXPRESSIONS_7)))
        return (
            Output("ferplus", "expression", EXPRESSIONS, thresholds=usual, prior=plus),
            Output("fer2013", "expression", EXPRESSIONS_7, thresholds=usual, prior=seven),
            Output("hidden", "regions", REGIONS, thresholds=dict.fromkeys(REGIONS, 0.5)),
        )


def seven(table: FaceTable) -> npt.NDArray[np.int64]:
    """Give the set's own labels as positions in EXPRESSIONS_7."""
    names = np.array([EXPRESSIONS_7.index(name) for name in table.expressions], dtype=np.int64)
    labels: npt.NDArray[np.int64] = names[table.labels]
    return labels


def hidden_loss(logits: Tensor, states: Tensor) -> Tensor:
    """Binary cross-entropy over the regions that are clearly hidden or clearly visible."""
    known = ~torch.isnan(states)
    targets = torch.where(known, states, torch.zeros_like(states))
    losses = functional.binary_cross_entropy_with_logits(logits, targets, reduction="none")
    return (losses * known).sum() / known.sum().clamp_min(1)


class _Public:
    """The public part, whole and with regions hidden."""

    def __init__(self, table: FaceTable) -> None:
        assert table.votes is not None and table.points_xy is not None
        self.seven = seven(table)
        self.majority = vote_rules.labels(table.votes, "majority")
        self.images = {"none": table.images}
        for name in ("mask-polygon", "eyes", "mouth"):
            self.images[name] = occluded(table.images, table.points_xy, name)

    @property
    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        return {**self.images, "seven": self.seven, "majority": self.majority}

    def judge(self, answer: Answer) -> dict[str, float]:
        outputs = {name: answer(images) for name, images in self.images.items()}
        result: dict[str, float] = {}
        for name, output in outputs.items():
            kept = self.majority >= 0
            plus = output["ferplus"].argmax(1)[kept] == self.majority[kept]
            own = output["fer2013"].argmax(1) == self.seven
            result[f"ferplus/{name}"] = float(plus.mean())
            result[f"fer2013/{name}"] = float(own.mean())
        clean, bar, mask = (outputs[name]["hidden"] for name in ("none", "eyes", "mask-polygon"))
        result["hidden/eyes"] = auc(clean[:, 0], bar[:, 0])
        result["hidden/mouth"] = auc(clean[:, 1], mask[:, 1])
        parts = ("ferplus/none", "fer2013/none", "fer2013/mask-polygon", "fer2013/eyes")
        result["score"] = sum(result[part] for part in parts) / len(parts)
        return result
