"""Ranking-aware adapter: a regression, beside scores that say which of two images ranks higher.

Source: Yu, Lin, Yang, Tsai (2025). Ranking-aware adapter for text-driven image ordering
with CLIP. ICLR 2025. https://arxiv.org/abs/2412.06760

Parity: not official: the two losses only, on one feature vector an image. The attention between
image patches and text, and between the patches of two images, needs more than that.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import RegressionHead, scores_of
from ordbench.recipe import Recipe, SearchSpace


def pair_loss(scores: Tensor, ranks: Tensor) -> Tensor:
    """Binary cross-entropy of "i ranks higher than j", mean over all ordered pairs of a batch.

    Args:
        scores: ``(N,)``; the difference of two is the log-odds.
        ranks: ``(N,)``, int64.

    Returns:
        Scalar, in nats. Images of one rank cost least, ln 2, if their scores are equal.

    >>> round(pair_loss(torch.zeros(2), torch.tensor([0, 1])).item(), 4)  # ln 2
    0.6931
    """
    is_higher = (ranks.unsqueeze(1) > ranks).to(scores.dtype)
    return F.binary_cross_entropy_with_logits(scores.unsqueeze(1) - scores, is_higher)


class RankingAdapter(RegressionHead):
    """A perceptron with two outputs, which share its hidden layers.

    Args:
        problem: See `Problem`.
        hidden: Widths of the hidden layers, at least one.
        weight: Of the regression's loss, beside that of pairs.

    Raises:
        SpecError: If there is no hidden layer: nothing would be shared.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-3, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"weight": (0.2, 1.0, 5.0)}

    def __init__(
        self, problem: Problem, *, hidden: tuple[int, ...] = (128,), weight: float = 0.2
    ) -> None:
        super().__init__(problem)
        if not hidden:
            raise SpecError("hidden must name at least one layer, such as hidden=128")
        self.weight = weight
        self.score = scores_of(problem, 2, hidden)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to standardised ranks and scores of pairs, ``(N, 2)``."""
        outputs: Tensor = self.score(features)
        return outputs

    def numbers(self, outputs: Tensor) -> Tensor:
        """The first output, ``(N,)``."""
        return outputs[:, 0]

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """`pair_loss`, and the logarithm of 1 + the smooth absolute error in rank steps."""
        error = F.smooth_l1_loss(self.raw(outputs), ranks.to(outputs.dtype))
        return pair_loss(outputs[:, 1], ranks) + self.weight * torch.log1p(error)

    def deployed(self) -> nn.Module:
        """The perceptron without the training statistics of the features."""
        return self.score.fold()
