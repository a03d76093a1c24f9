"""Losses against what torch and arithmetic say."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mien import metrics
from mien.errors import UsageError
from mien.training.losses import OneForEach, expression_loss, taught_loss
from mien.training.settings import Losses

LABELS = torch.tensor([0, 2, 1, 2])
WEIGHTS = torch.tensor([0.5, 1.0, 2.0])


@pytest.fixture
def logits() -> Tensor:
    return torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


def test_cross_entropy_is_that_of_the_labels_smoothed(logits: Tensor) -> None:
    shares = functional.one_hot(LABELS, 3).float()
    for smoothing in (0.0, 0.1):
        expected = functional.cross_entropy(logits, LABELS, label_smoothing=smoothing)
        found = expression_loss(logits, shares, Losses(smoothing=smoothing))
        torch.testing.assert_close(found, expected)


def test_class_weights_multiply_a_faces_loss(logits: Tensor) -> None:
    shares = functional.one_hot(LABELS, 3).float()
    for kind in ("cross-entropy", "binary"):
        settings = Losses(kind=kind, smoothing=0.0)
        each = torch.stack(
            [expression_loss(logits[i : i + 1], shares[i : i + 1], settings) for i in range(4)]
        )
        found = expression_loss(logits, shares, settings, WEIGHTS)
        torch.testing.assert_close(found, (each * WEIGHTS[LABELS]).mean())


def test_binary_asks_of_each_expression_by_itself(logits: Tensor) -> None:
    shares = functional.one_hot(LABELS, 3).float()
    expected = functional.binary_cross_entropy_with_logits(logits, shares)
    found = expression_loss(logits, shares, Losses(kind="binary", smoothing=0.0))
    torch.testing.assert_close(found, expected)


def test_votes_are_not_smoothed(logits: Tensor) -> None:
    shares = torch.tensor([[0.7, 0.3, 0.0]]).repeat(4, 1)
    found = expression_loss(logits, shares, Losses(kind="votes", smoothing=0.3))
    torch.testing.assert_close(found, -(shares * logits.log_softmax(1)).sum(1).mean())


class Fixed(nn.Module):
    """Give the same logits for any image."""

    undecayed = ("weight",)

    def __init__(self, logits: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(logits)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"expression": self.weight}


def test_a_yes_or_no_for_each_becomes_shares_when_it_is_judged(logits: Tensor) -> None:
    network = OneForEach(Fixed(logits))
    images = torch.zeros(4, 1, 2, 2)
    torch.testing.assert_close(network(images)["expression"], logits)
    network.eval()
    with torch.inference_mode():
        found = metrics.softmax(network(images)["expression"].numpy())
    single = 1 / (1 + np.exp(-logits.numpy()))
    np.testing.assert_allclose(found, single / single.sum(1, keepdims=True), atol=1e-6)
    assert network.undecayed == tuple(name for name, _ in network.named_parameters())


def test_a_teacher_teaches_the_answer_that_counts() -> None:
    taught = torch.tensor([[0.6, 0.3, 0.1]])
    right = {"cross-entropy": taught.log(), "binary": torch.logit(taught)}
    for kind, logits in right.items():
        logits = logits.clone().requires_grad_()
        loss = taught_loss(logits, taught, kind, 1.0)
        (gradient,) = torch.autograd.grad(loss, logits)
        torch.testing.assert_close(gradient, torch.zeros_like(gradient), atol=1e-6, rtol=0)


@pytest.mark.parametrize("name", ["beta", "smoothing"])
def test_settings_that_cannot_be_meant_are_refused(name: str) -> None:
    with pytest.raises(UsageError, match=rf"losses\.{name} must be from 0 to below 1, got 1"):
        Losses(**{name: 1.0})  # type: ignore[arg-type]
