"""The task of faces with labels: one expression each, of any data set."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from mien import metrics
from mien.data.table import FaceTable
from mien.errors import DataError
from mien.expressions import EXPRESSIONS
from mien.preparation import Preparation
from mien.session import Output
from mien.training import distill, sampling
from mien.training.faces import Faces, Source, View, Viewer, plain_view
from mien.training.framing import finished, known_points
from mien.training.losses import OneForEach, expression_loss, taught_loss
from mien.training.material import Material
from mien.training.settings import Recipe
from mien.training.task import TRAINED, Task, some_of
from mien.training.validation import Answer

HEAD = "expression"


class LabelledTask(Task):
    """What a batch means, what it costs, and how the network is judged on the validation part."""

    def __init__(self, material: Material, recipe: Recipe) -> None:
        self.recipe, self.material = recipe, material
        self.heads = {HEAD: len(material.labels)}
        metric = recipe.selection.metric
        self.selection = "-loss" if metric == "loss" else metric
        train = material.train
        self.source_ids = train.source_id
        labels = train.labels.astype(np.int64)
        larger = sampling.copies(labels, material.labels, recipe.data.set)
        self.source = Source(train.images, *known_points(train), larger)
        self.shown = labels[self.source.originals(np.arange(len(self.source)))]
        self.shares = _shares(train, recipe.losses.kind)
        kind, beta = recipe.losses.class_weights, recipe.losses.beta
        self.counts = np.bincount(self.shown, minlength=len(material.labels))
        self.weights = sampling.class_weights(self.counts, kind, beta)
        if kind == "sampler":
            self.counts = np.ones(len(material.labels), np.int64)
        heads = {HEAD: material.labels}
        self.taught = distill.taught(recipe.distillation, heads, train.source_id).get(HEAD)

    def build(self, network: nn.Module) -> nn.Module:
        """Let the outputs be what the loss takes them for."""
        return OneForEach(network) if self.recipe.losses.kind == "binary" else network

    def viewer(self, device: str = "cpu") -> Viewer:
        """Give what turns training faces into batches on the device."""
        return Viewer(self.source, self.recipe, self.material.preparation, device)

    def order(self, epoch: int, rng: np.random.Generator) -> Faces:
        """Show every face once, or with the sampler all expressions equally often."""
        if self.recipe.losses.class_weights == "sampler":
            return sampling.balanced(self.shown, rng)
        return rng.permutation(len(self.source))

    def shows(self, faces: Faces) -> list[str]:
        """Name the expression of each of the numbers of training faces (n,)."""
        return [self.material.labels[at] for at in self.shown[faces % len(self.source)]]

    def plain(self, faces: npt.NDArray[np.uint8], device: str = "cpu") -> Tensor:
        """Normalise unchanged faces as prediction does: float (n, C, S, S)."""
        return plain_view(faces, self.recipe.side, self.material.preparation, device)

    def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
        """Give the loss against the labels or votes, and that against a teacher beside it."""
        logits, settings = outputs[HEAD].float(), self.recipe.losses
        shares = torch.from_numpy(self._mixed(self.shares, faces, view)).to(logits.device)
        weighted = settings.class_weights in ("inverse", "effective")
        weights = torch.from_numpy(self.weights).to(logits.device) if weighted else None
        loss = expression_loss(logits, shares, settings, weights)
        if self.taught is None:
            return loss
        taught = torch.from_numpy(self._mixed(self.taught, faces, view)).to(logits.device)
        teaching = self.recipe.distillation
        soft = taught_loss(logits, taught, settings.kind, teaching.temperature)
        return distill.mixed(loss, soft, teaching)

    def judge(self, answer: Answer) -> dict[str, float]:
        """Measure the answers to the validation part; `-loss` is the log-likelihood of a face.

        Where every face trains, there is nothing to measure.
        """
        faces = self.material.validation
        if not len(faces):
            return {}
        probabilities = metrics.softmax(answer(faces.images)[HEAD].astype(np.float64))
        return figures(probabilities, faces.labels)

    def look_back(self, answer: Answer) -> dict[str, float]:
        """Give the accuracy on a sample of training faces, neither changed nor hidden."""
        if not len(self.trained):
            return {}
        predicted = answer(self.trained.images)[HEAD].argmax(1)
        return {TRAINED: float((predicted == self.trained.labels).mean())}

    @cached_property
    def trained(self) -> FaceTable:
        """The training faces to look back at."""
        faces = self.material.train
        return finished(faces[some_of(len(faces), self.recipe)], self.material.preparation)

    def worth(self, figures: dict[str, float]) -> float:
        """Take the accuracy, that of training faces where there is no other."""
        return figures["accuracy" if "accuracy" in figures else TRAINED]

    def besides(self) -> Mapping[str, npt.NDArray[Any]]:
        """Give the validation part."""
        faces = self.material.validation
        return {"images": faces.images, "labels": faces.labels}

    def outputs(self) -> tuple[Output, ...]:
        """Describe the one output before it is calibrated."""
        labels = self.material.labels
        shares = sampling.prior(self.counts * self.weights)
        return (Output(HEAD, "expression", labels, thresholds={"certain": 1.0}, prior=shares),)

    def preparation(self) -> Preparation:
        """Say how a face must be laid out for the model file."""
        return self.material.preparation

    def trained_on(self) -> tuple[dict[str, Any], ...]:
        """Name the data set and its rights."""
        return (self.material.rights,)

    def _mixed(
        self, targets: npt.NDArray[np.float32], faces: Faces, view: View
    ) -> npt.NDArray[np.float32]:
        """Give the targets (n, C) of faces, mixed as the view mixes their images."""
        own = targets[self.source.originals(faces)]
        if view.partner is None or view.share is None:
            return own
        share = view.share[:, None]
        return own * share + targets[self.source.originals(view.partner)] * (1 - share)


def figures(probabilities: npt.NDArray[np.float64], labels: npt.NDArray[Any]) -> dict[str, float]:
    """Give every figure that can choose an epoch, of probabilities (N, C) and labels (N,)."""
    counts = metrics.confusion(labels, probabilities.argmax(1), probabilities.shape[1])
    recalls = metrics.recalls(counts)
    return {
        "accuracy": metrics.accuracy(counts),
        "balanced_accuracy": metrics.balanced_accuracy(counts),
        "macro_f1": metrics.macro_f1(counts),
        "worst_recall": float(recalls[~np.isnan(recalls)].min()),
        "-loss": -metrics.nll(probabilities, labels),
    }


def _shares(faces: FaceTable, kind: str) -> npt.NDArray[np.float32]:
    """Give what a face shows (N, C): its label wholly, or the shares of the votes it got."""
    labelled = np.zeros((len(faces), len(faces.expressions)), np.float32)
    labelled[np.arange(len(faces)), faces.labels] = 1
    if kind != "votes":
        return labelled
    if faces.votes is None:
        raise DataError(
            "losses.kind 'votes' needs faces with FER+ votes, found none; take cross-entropy"
        )
    votes = faces.votes[:, [EXPRESSIONS.index(name) for name in faces.expressions]]
    total = votes.sum(1, keepdims=True)
    shares = np.where(total > 0, votes / np.maximum(total, 1e-12), labelled)
    return np.asarray(shares, np.float32)
