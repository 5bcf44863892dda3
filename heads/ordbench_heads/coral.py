"""CORAL: one shared weight vector, one bias for each of the K - 1 thresholds.

Source: Cao, Mirjalili, Raschka (2020). Rank consistent ordinal regression for neural
networks with application to age estimation. https://doi.org/10.1016/j.patrec.2020.11.008

Parity: agrees with coral-pytorch, the authors' library, in the loss. Not official: features are
centred and scaled, and probabilities that rise with the threshold are sorted before their
differences.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Head, Problem
from ordbench.nn import StandardizedLinear
from ordbench.nn.links import pmf_of_exceedance
from ordbench.recipe import Recipe


def coral_loss(logits: Tensor, ranks: Tensor) -> Tensor:
    """Binary cross-entropy summed over the thresholds, averaged over the batch.

    Args:
        logits: ``(N, K - 1)``, log-odds that the rank exceeds k.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        Scalar, in nats per sample.

    An undecided model pays ln 2 for each threshold:

    >>> round(coral_loss(torch.zeros(4, 3), torch.tensor([0, 1, 2, 3])).item(), 4)
    2.0794
    """
    thresholds = torch.arange(logits.shape[1], device=ranks.device)
    exceeds = (ranks.unsqueeze(1) > thresholds).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, exceeds, reduction="none").sum(1).mean()


class Coral(Head):
    """Rank = number of thresholds passed."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-1, weight_decay=1e-2)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.score = StandardizedLinear(problem, 1, bias=False)
        # Falling biases start the thresholds in rank order, as in the authors' code.
        self.bias = nn.Parameter(torch.linspace(1, 0, self.num_ranks)[:-1].clone())

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K - 1)``."""
        logits: Tensor = self.score(features) + self.bias
        return logits

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `coral_loss`."""
        return coral_loss(outputs, ranks)

    def posterior(self, outputs: Tensor) -> Tensor:
        """Differences of the exceedance probabilities, ``(N, K)``."""
        return pmf_of_exceedance(outputs.sigmoid())

    def deployed(self) -> nn.Module:
        """One score an image, and the biases."""
        score = self.score.fold()
        return CoralClassifier(score.weight.detach(), (score.bias + self.bias).detach())


class CoralClassifier(nn.Module):
    """A trained CORAL head without the training statistics.

    Args:
        weight: ``(1, D)``.
        bias: ``(K - 1,)``.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(weight, requires_grad=False)
        self.bias = nn.Parameter(bias, requires_grad=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K - 1)``."""
        logits: Tensor = F.linear(features, self.weight) + self.bias
        return logits
