"""A task that a tiny network learns in seconds, for tests of the loop and what is around it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import models
import tiny_tables
from mien.session import Output
from mien.training import checkpoint
from mien.training.augment import Augmentation
from mien.training.building import residual
from mien.training.expression import HEADS
from mien.training.faces import Faces, Source, View
from mien.training.hiding import Hiding
from mien.training.material import DataSource
from mien.training.settings import NetworkSettings, Optimizer, Recipe, Selection
from mien.training.task import Task
from mien.training.validation import Answer

FACES = 24
TINY = Recipe(
    name="tiny",
    task="expression",
    epochs=3,
    batch_size=8,
    precision="float32",
    validate_every=1,
    network=NetworkSettings(widths=(8, 16), blocks=(1, 1), dropout=0.2),
    optimizer=Optimizer(learning_rate=0.05, ema=0.5),
    hiding=Hiding(mask=0.2, blocks=0.3),
)
LABELLED = replace(
    TINY,
    task="labels",
    side=24,
    epochs=2,
    network=NetworkSettings(widths=(8, 16), blocks=(1, 1)),
    optimizer=Optimizer(kind="adam", learning_rate=0.003, ema=0.0),
    augmentation=Augmentation(align_share=0.0),
    hiding=Hiding(),
    selection=Selection(metric="loss"),
)


def labelled_faces(folder: Path) -> DataSource:
    """Write a table of forty faces, half of them to be learned, and name it."""
    parts = np.array(["train"] * 20 + ["validation"] * 10 + ["test"] * 10)
    replace(tiny_tables.table(len(parts), people=0), split=parts).save(folder)
    return DataSource(table=folder)


def save_checkpoint(path: Path, **settings: Any) -> Path:
    """Save an expression network as `mien train` does, the same weights for any settings."""
    torch.manual_seed(0)
    shape = NetworkSettings(widths=(4, 8), blocks=(1, 1))
    recipe = Recipe(**{"name": "tiny", "task": "expression", "network": shape, **settings})
    state = {"recipe": recipe.to_dict(), "figures": {}}
    checkpoint.save(path, {"average": residual(shape, HEADS).state_dict()}, state)
    return path


class BrightOrDark(Task):
    """Tell bright faces from dark ones by a stripe that normalisation leaves."""

    selection = "accuracy"

    def __init__(self, recipe: Recipe = TINY, faces: int = FACES) -> None:
        self.recipe = recipe
        self.heads = {"bright": 2}
        rng = np.random.default_rng(0)
        images = rng.integers(100, 156, (faces, 48, 48), dtype=np.uint8)
        self.labels = np.arange(faces) % 2
        images[self.labels == 1, 20:] = 250
        points = np.tile(models.face_points(48), (faces, 1, 1))
        self.source = Source(images, points, np.ones(faces, dtype=bool))
        self.source_ids = np.array([f"face-{number:02}" for number in range(faces)])

    def loss(self, outputs: dict[str, Tensor], faces: Faces, view: View) -> Tensor:
        truth = torch.from_numpy(self.labels[faces]).to(outputs["bright"].device)
        return nn.functional.cross_entropy(outputs["bright"].float(), truth)

    def judge(self, answer: Answer) -> dict[str, float]:
        answers = answer(self.source.images)["bright"].argmax(1)
        return {"accuracy": float((answers == self.labels).mean())}

    def outputs(self) -> tuple[Output, ...]:
        return (Output("bright", "expression", ("neutral", "happiness")),)


class Scored(BrightOrDark):
    """Judge each epoch by the next of some given figures."""

    def __init__(self, scores: list[float], recipe: Recipe = TINY, **settings: Any) -> None:
        super().__init__(recipe, **settings)
        self.scores = iter(scores)

    def judge(self, answer: Answer) -> dict[str, float]:
        return {"accuracy": next(self.scores)}
