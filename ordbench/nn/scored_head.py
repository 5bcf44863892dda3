"""The base of most heads: scores of the features, a loss for each image, and a posterior."""

from __future__ import annotations

from abc import abstractmethod
from typing import Literal

from torch import Tensor, nn

from ordbench.errors import SpecError
from ordbench.head import Head, Problem
from ordbench.nn.layers import scores_of
from ordbench.recipe import LogUniform

PRIOR = LogUniform(1 / 30, 30.0)
"""The strengths of a prior on the weights that tuning tries: those of the option ``l2``."""


class ScoredHead(Head):
    """Scores features by a linear layer or a perceptron; a subclass says what the scores mean.

    Args:
        problem: See `Problem`.
        num_scores: Scores of an image, such as K or K - 1.
        hidden: Widths of hidden layers; none for a linear layer.
        class_weight: ``balanced`` gives each rank of the training images the same weight in the
            loss: an image counts as scikit-learn's ``class_weight="balanced"`` makes it.
        bias: Whether scores have a bias; a tensor ``(num_scores,)`` holds the scores of every image
            before training, which are else zero.
        l2: Strength of a Gaussian prior on the weights of the scores; 0 leaves it out. About 1
            suits a loss that is a log-likelihood, in nats an image.

    Raises:
        SpecError: If ``l2`` is negative.
    """

    weight_of_rank: Tensor

    def __init__(
        self,
        problem: Problem,
        num_scores: int,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
        bias: bool | Tensor = True,
        l2: float = 0.0,
    ) -> None:
        super().__init__(problem)
        if l2 < 0:
            raise SpecError(f"l2={l2} must be at least 0; 0 leaves the prior on the weights out")
        self.score = scores_of(problem, num_scores, hidden, bias=bias)
        self.class_weight = class_weight
        self.l2 = l2
        counts = problem.train_counts.clamp_min(1)
        weights = problem.train_counts.sum() / (self.num_ranks * counts)
        self.register_buffer("weight_of_rank", weights.float(), persistent=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to scores ``(N, num_scores)``."""
        scores: Tensor = self.score(features)
        return scores

    @abstractmethod
    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Loss ``(N,)`` of each image."""

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Mean of the images' losses, weighted by ``class_weight``, and the prior's penalty."""
        losses = self.losses(outputs, ranks)
        penalty = self.l2 * self.score.penalty()
        if self.class_weight is None:
            return losses.mean() + penalty
        weights = self.weight_of_rank[ranks].to(losses.dtype)
        return (weights * losses).sum() / weights.sum() + penalty

    def deployed(self) -> nn.Module:
        """The scores without the training statistics."""
        return self.score.fold()
