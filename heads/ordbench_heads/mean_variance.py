"""Mean-variance: cross-entropy, plus penalties on the mean's error and on the variance.

Source: Pan, Han, Shan, Chen (2018). Mean-variance loss for deep age estimation from a face.
CVPR 2018. https://doi.org/10.1109/CVPR.2018.00554

Parity: agrees with the paper's formula, and with a golden value of the code of Paplham and Franc
(2024), in the loss. Not official: only the head is trained, on frozen features.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import PRIOR, SoftmaxHead
from ordbench.recipe import Recipe, SearchSpace


def mean_variance_losses(
    logits: Tensor, ranks: Tensor, mean_weight: float, variance_weight: float
) -> Tensor:
    """Cross-entropy + ``mean_weight`` x half squared error of the mean + ``variance_weight`` x var.

    Args:
        logits: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        mean_weight: Weight of the mean term, per squared rank step.
        variance_weight: Weight of the variance term, per squared rank step.

    Returns:
        ``(N,)``.

    Three equal probabilities at rank 1: ln 3, no error of the mean, variance 2/3:

    >>> losses = mean_variance_losses(torch.zeros(1, 3), torch.tensor([1]), 0.2, 0.05)
    >>> round(losses.item(), 4)  # 1.0986 + 0 + 0.05 * 2 / 3
    1.1319
    """
    positions = torch.arange(logits.shape[1], dtype=logits.dtype, device=logits.device)
    probs = logits.softmax(-1)
    mean = (probs * positions).sum(1)
    variance = (probs * (positions - mean.unsqueeze(1)).square()).sum(1)
    half_squared_error = (mean - ranks).square() / 2
    penalties = mean_weight * half_squared_error + variance_weight * variance
    return F.cross_entropy(logits, ranks, reduction="none") + penalties


class MeanVariance(SoftmaxHead):
    """A softmax over ranks, trained with `mean_variance_losses`.

    Args:
        problem: See `Problem`.
        mean_weight: Weight of the mean's half squared error, in squared rank steps.
        variance_weight: Weight of the variance, in squared rank steps.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2)
    search: ClassVar[SearchSpace] = {
        "mean_weight": (0.2, 0.05, 1.0),
        "variance_weight": (0.05, 0.01, 0.2),
        "l2": PRIOR,
    }

    def __init__(
        self,
        problem: Problem,
        *,
        mean_weight: float = 0.2,
        variance_weight: float = 0.05,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
        l2: float = 1.0,
    ) -> None:
        super().__init__(problem, hidden=hidden, class_weight=class_weight, l2=l2)
        self.mean_weight = mean_weight
        self.variance_weight = variance_weight

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `mean_variance_losses`."""
        return mean_variance_losses(outputs, ranks, self.mean_weight, self.variance_weight)
