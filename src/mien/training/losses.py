"""What answers to labelled faces cost, as functions of logits and shares."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

from mien.training.distill import soft_loss
from mien.training.settings import Losses


def expression_loss(
    logits: Tensor, shares: Tensor, settings: Losses, weights: Tensor | None = None
) -> Tensor:
    """Average over faces the loss of logits (n, C) against the shares (n, C) of the expressions.

    weights (C,) are of the classes. Labels are smoothed, votes are not: they say how sure they are.
    `binary` asks of each expression by itself whether the face shows it.
    """
    if settings.kind != "votes":
        shares = shares * (1 - settings.smoothing) + settings.smoothing / shares.shape[1]
    if settings.kind == "binary":
        losses = functional.binary_cross_entropy_with_logits(logits, shares, reduction="none")
        each = losses.mean(1)
        return (each if weights is None else each * (shares @ weights)).mean()
    return functional.cross_entropy(logits, shares, weight=weights)


def taught_loss(logits: Tensor, taught: Tensor, kind: str, temperature: float) -> Tensor:
    """Average the loss of logits (n, C) against a teacher's shares (n, C), both softened."""
    if kind == "binary":
        logits = functional.logsigmoid(logits)
    return soft_loss(logits, taught, temperature).mean()


class OneForEach(nn.Module):
    """A network whose outputs are each a yes or no; judged, they compete for a face.

    Softmax of what it gives in evaluation are the probabilities of the single questions, brought
    to a sum of 1.
    """

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network
        free = getattr(network, "undecayed", ())
        self.undecayed = tuple(f"network.{name}" for name in free)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Give logits (n, C) a head."""
        found: dict[str, Tensor] = self.network(images)
        if self.training:
            return found
        return {name: functional.logsigmoid(logits) for name, logits in found.items()}
