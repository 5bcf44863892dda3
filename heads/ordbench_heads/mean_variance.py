"""Mean-variance: cross-entropy, plus penalties on the mean's error and on the variance.

Source: Pan, Han, Shan, Chen (2018). Mean-variance loss for deep age estimation from a face.
CVPR 2018. https://doi.org/10.1109/CVPR.2018.00554

Parity: agrees with the paper's formula, and with a golden value of the code of Paplham and Franc
(2024), in the loss. Not official: the layer is linear, on frozen features.
"""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.recipe import Recipe, SearchSpace
from ordbench_heads.linear import Linear


def mean_variance_loss(
    logits: Tensor, ranks: Tensor, mean_weight: float, variance_weight: float
) -> Tensor:
    """Cross-entropy + ``mean_weight`` x half squared error of the mean + ``variance_weight`` x var.

    Args:
        logits: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        mean_weight: Weight of the mean term, per squared rank step.
        variance_weight: Weight of the variance term, per squared rank step.

    Returns:
        Scalar.

    Three equal probabilities at rank 1: ln 3, no error of the mean, variance 2/3:

    >>> loss = mean_variance_loss(torch.zeros(1, 3), torch.tensor([1]), 0.2, 0.05)
    >>> round(loss.item(), 4)  # 1.0986 + 0 + 0.05 * 2 / 3
    1.1319
    """
    positions = torch.arange(logits.shape[1], dtype=logits.dtype, device=logits.device)
    probs = logits.softmax(-1)
    mean = (probs * positions).sum(1)
    variance = (probs * (positions - mean.unsqueeze(1)).square()).sum(1)
    half_squared_error = (mean - ranks).square() / 2
    penalties = mean_weight * half_squared_error + variance_weight * variance
    return F.cross_entropy(logits, ranks) + penalties.mean()


class MeanVariance(Linear):
    """A linear probe trained with `mean_variance_loss`.

    Args:
        problem: As in `Head`.
        mean_weight: Weight of the mean's half squared error, in squared rank steps.
        variance_weight: Weight of the variance, in squared rank steps.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {
        "mean_weight": (0.2, 0.05, 1.0),
        "variance_weight": (0.05, 0.01, 0.2),
    }

    def __init__(
        self, problem: Problem, *, mean_weight: float = 0.2, variance_weight: float = 0.05
    ) -> None:
        super().__init__(problem)
        self.mean_weight = mean_weight
        self.variance_weight = variance_weight

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `mean_variance_loss`."""
        return mean_variance_loss(outputs, ranks, self.mean_weight, self.variance_weight)
