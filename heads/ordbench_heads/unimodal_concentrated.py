"""Unimodal-concentrated: a normal distribution's likelihood of the mean, and a falling posterior.

Source: Li et al. (2022). Unimodal-concentrated loss: fully adaptive label distribution learning for
ordinal regression. CVPR 2022. https://arxiv.org/abs/2204.00309

Parity: not official: the authors' code is not public. The loss has the value of the rewriting of
Paplham and Franc (2024), but for a floor of the variance; their weight 1000 trains badly here.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from ordbench.head import Problem
from ordbench.nn import SoftmaxHead
from ordbench.nn.losses import wrong_way
from ordbench.recipe import Recipe, SearchSpace

FLOOR = 1 / 12  # added to the variance: that within a rank, of a uniform distribution


def unimodal_concentrated_losses(
    scores: Tensor, ranks: Tensor, unimodal_weight: float, floor: float = FLOOR
) -> Tensor:
    """(log v + (mean - y)^2 / v) / 2 + weight x what falls towards the rank or rises behind it.

    Args:
        scores: ``(N, K)``, of which the softmax is taken; v is its variance plus ``floor``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        unimodal_weight: Weight of the differences of neighbours that have the wrong sign.
        floor: Keeps the loss from falling without end where the variance vanishes.

    Returns:
        ``(N,)``, in nats.

    Three equal probabilities at rank 1: log(2/3 + 1/12) / 2, and nothing falls or rises:

    >>> unimodal_concentrated_losses(torch.zeros(1, 3), torch.tensor([1]), 1000.0)
    tensor([-0.1438])
    """
    positions = torch.arange(scores.shape[1], dtype=scores.dtype, device=scores.device)
    probs = scores.softmax(1)
    mean = (probs * positions).sum(1)
    variance = (probs * (positions - mean.unsqueeze(1)).square()).sum(1) + floor
    concentrated = (variance.log() + (mean - ranks).square() / variance) / 2
    return concentrated + unimodal_weight * wrong_way(probs, ranks).relu().sum(1)


class UnimodalConcentrated(SoftmaxHead):
    """A softmax over ranks, trained with `unimodal_concentrated_losses`.

    Args:
        problem: See `Problem`.
        unimodal_weight: Weight of the wrong-way differences of probabilities.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"unimodal_weight": (10.0, 1.0, 100.0, 1000.0)}

    def __init__(
        self,
        problem: Problem,
        *,
        unimodal_weight: float = 10.0,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, hidden=hidden, class_weight=class_weight)
        self.unimodal_weight = unimodal_weight

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `unimodal_concentrated_losses`."""
        return unimodal_concentrated_losses(outputs, ranks, self.unimodal_weight)
