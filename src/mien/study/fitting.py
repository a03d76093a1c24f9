"""Train a network on labelled faces: small, repeatable, and blind to the faces that test it.

No epoch is chosen: the last weights count. The loss and accuracy on the test faces are written down
beside those of training, and nothing looks at them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn
from torch.nn import functional

from mien.errors import MienError, UsageError, unknown_name
from mien.networks import registry
from mien.networks.residual import arranged
from mien.study.settings import Training
from mien.training.optimizers import make_optimizer, set_rate
from mien.training.passes import layout
from mien.training.schedules import learning_rate
from mien.training.settings import Optimizer

Crops = NDArray[np.uint8]
Labels = NDArray[np.int64]

HEAD = "expression"
_AT_ONCE = 256
_OPTIMIZERS = ("adam", "sgd")
_SCHEDULES = {"cosine": "one-cycle", "constant": "constant"}  # as recipes name them


@dataclass(frozen=True, eq=False)
class Faces:
    """Faces cut as the network takes them, uint8 (N, H, W) or (N, H, W, 3), and labels (N,)."""

    crops: Crops
    labels: Labels

    def __len__(self) -> int:
        return len(self.crops)


@dataclass(frozen=True, eq=False)
class Fitted:
    """A trained network, and its loss and accuracy after each epoch."""

    network: nn.Module
    training: Training
    device: str
    history: dict[str, list[float]] = field(default_factory=dict)

    def probabilities(self, crops: Crops) -> NDArray[np.float64]:
        """Give the probability (N, C) of every class."""
        self.network.eval()
        parts = []
        with torch.inference_mode():
            for first in range(0, len(crops), _AT_ONCE):
                inputs = self.training.preparation.normalized(crops[first : first + _AT_ONCE])
                logits = self.network(torch.from_numpy(inputs).to(self.device))[HEAD]
                parts.append(logits.double().softmax(1).cpu().numpy())
        return np.concatenate(parts)

    def sha256(self) -> str:
        """Hash the weights."""
        digest = sha256()
        for name, tensor in self.network.state_dict().items():
            digest.update(name.encode())
            digest.update(tensor.cpu().contiguous().numpy().tobytes())
        return digest.hexdigest()


def build(training: Training, classes: int, seed: int) -> nn.Module:
    """Make the network with weights drawn from the seed."""
    torch.manual_seed(seed)
    return registry.build(
        training.network,
        {HEAD: classes},
        side=training.preparation.size_hw[0],
        channels=1 if training.preparation.colour == "grey" else 3,
    )


def fit(
    train: Faces, test: Faces, classes: int, training: Training, seed: int, device: str = "cpu"
) -> Fitted:
    """Train on some faces; the others are only watched."""
    _check(training, device)
    quick = layout(training.network)
    network = arranged(build(training, classes, seed), quick).to(device)
    fitted = Fitted(network, training, device)
    moving = _moving(training)
    optimizer = make_optimizer(network, moving)
    rng = np.random.default_rng(seed)
    steps = math.ceil(len(train) / training.batch_size)
    for epoch in range(training.epochs):
        network.train()
        total, right = 0.0, 0
        for step, rows in enumerate(np.array_split(rng.permutation(len(train)), steps)):
            set_rate(optimizer, learning_rate(moving, epoch + step / steps, training.epochs))
            crops = _augmented(train.crops[rows], training, rng)
            inputs = torch.from_numpy(training.preparation.normalized(crops))
            inputs = inputs.to(device, memory_format=quick)
            truth = torch.from_numpy(train.labels[rows]).to(device)
            with torch.autocast(device.partition(":")[0], torch.bfloat16, training.bfloat16):
                logits = network(inputs)[HEAD]
            loss = functional.cross_entropy(logits.float(), truth)
            optimizer.zero_grad()
            torch.autograd.backward(loss)
            nn.utils.clip_grad_norm_(network.parameters(), moving.clip)
            optimizer.step()
            total += loss.item() * len(rows)
            right += int((logits.argmax(1) == truth).sum())
        if not math.isfinite(total):
            raise MienError(f"the loss must be finite, got {total}; lower the learning rate")
        _log(fitted, total / len(train), right / len(train), test)
    return fitted


def _log(fitted: Fitted, loss: float, accuracy: float, test: Faces) -> None:
    shares = fitted.probabilities(test.crops)
    own = shares[np.arange(len(test)), test.labels]
    entry: dict[str, Any] = {
        "loss": loss,
        "accuracy": accuracy,
        "test_loss": float(-np.log(np.maximum(own, 1e-12)).mean()),
        "test_accuracy": float((shares.argmax(1) == test.labels).mean()),
    }
    for name, value in entry.items():
        fitted.history.setdefault(name, []).append(round(value, 5))


def _moving(training: Training) -> Optimizer:
    """Say as recipes do how the weights move."""
    return Optimizer(
        kind=training.optimizer,
        learning_rate=training.learning_rate,
        weight_decay=training.weight_decay,
        decay_all=True,
        schedule=_SCHEDULES[training.schedule],
    )


def _augmented(crops: Crops, training: Training, rng: np.random.Generator) -> Crops:
    """Mirror half of the faces (n, H, W, ...) and move each a little, its border repeated."""
    n, height, width = crops.shape[:3]
    columns = np.tile(np.arange(width), (n, 1))
    rows = np.tile(np.arange(height), (n, 1))
    if training.mirror:
        mirrored = rng.random(n) < 0.5
        columns[mirrored] = columns[mirrored, ::-1]
    if training.shift_px:
        move = rng.integers(-training.shift_px, training.shift_px + 1, (2, n, 1))
        rows, columns = rows + move[0], columns + move[1]
    rows, columns = rows.clip(0, height - 1), columns.clip(0, width - 1)
    return crops[np.arange(n)[:, None, None], rows[:, :, None], columns[:, None, :]]


def _check(training: Training, device: str) -> None:
    if training.optimizer not in _OPTIMIZERS:
        raise UsageError(unknown_name("optimizer", training.optimizer, _OPTIMIZERS))
    if training.schedule not in _SCHEDULES:
        raise UsageError(unknown_name("schedule", training.schedule, _SCHEDULES))
    if device.startswith("cuda") and not torch.cuda.is_available():
        raise UsageError(f"the device {device!r} is not there; torch finds no CUDA: take cpu")
