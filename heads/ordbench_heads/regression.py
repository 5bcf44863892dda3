"""Regression: one number, a rank as a real value.

Source: the baseline of age estimation: Paplham and Franc (2024). A call to reflect on
evaluation practices for age estimation. CVPR 2024. https://arxiv.org/abs/2307.04570

Parity: agrees with scikit-learn's LinearRegression (l2) and QuantileRegressor (l1), which have its
minimum. Not official: ranks are standardised over the training images.
"""

from typing import ClassVar, Literal

from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import RegressionHead, scores_of
from ordbench.recipe import Recipe, SearchSpace


class Regression(RegressionHead):
    """A linear layer or a perceptron that starts at the mean training rank.

    Args:
        problem: See `Problem`.
        loss: Absolute error, squared error, or the one far from 0 and the other near it.
        beta: Where ``smooth-l1`` changes from one to the other, in rank steps.
        hidden: Widths of hidden layers; none for a linear layer.

    Raises:
        SpecError: If ``beta`` is negative.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"loss": ("l1", "l2", "smooth-l1")}

    def __init__(
        self,
        problem: Problem,
        *,
        loss: Literal["l1", "l2", "smooth-l1"] = "l1",
        beta: float = 1.0,
        hidden: tuple[int, ...] = (),
    ) -> None:
        super().__init__(problem)
        if beta < 0:
            raise SpecError(f"beta={beta} must be at least 0")
        self.kind = loss
        self.beta = beta
        self.score = scores_of(problem, 1, hidden)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to standardised ranks ``(N, 1)``."""
        scores: Tensor = self.score(features)
        return scores

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Mean error of the images, in rank steps or their squares."""
        estimates, ranks = self.raw(outputs), ranks.to(outputs.dtype)
        if self.kind == "l1":
            return F.l1_loss(estimates, ranks)
        if self.kind == "l2":
            return F.mse_loss(estimates, ranks)
        return F.smooth_l1_loss(estimates, ranks, beta=self.beta)

    def numbers(self, outputs: Tensor) -> Tensor:
        """The score, ``(N,)``."""
        return outputs.squeeze(-1)

    def deployed(self) -> nn.Module:
        """The scores without the training statistics of the features."""
        return self.score.fold()
