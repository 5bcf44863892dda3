"""CORAL: one score, and one bias for each of the K - 1 thresholds.

Source: Cao, Mirjalili, Raschka (2020). Rank consistent ordinal regression for neural
networks with application to age estimation. Pattern Recognition Letters 140.
https://doi.org/10.1016/j.patrec.2020.11.008

Parity: agrees with coral-pytorch, the authors' library, in the loss. Not official: features are
centred and scaled, and probabilities that rise with the threshold are sorted before their
differences.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ordbench.head import Problem
from ordbench.nn import PRIOR, ExceedanceHead, ScoreAndBiases
from ordbench.nn.losses import threshold_losses
from ordbench.recipe import Recipe, SearchSpace


class Coral(ExceedanceHead):
    """Rank = number of thresholds that the score passes."""

    # The thresholds have a long way to go from their start.
    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-1, min_steps=400, patience=10)
    search: ClassVar[SearchSpace] = {"l2": PRIOR}

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
        l2: float = 1.0,
    ) -> None:
        super().__init__(problem, 1, hidden=hidden, class_weight=class_weight, bias=False, l2=l2)
        # Falling biases start the thresholds in rank order, as in the authors' code.
        self.bias = nn.Parameter(torch.linspace(1, 0, self.num_ranks)[:-1].clone())

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K - 1)``."""
        return super().forward(features) + self.bias

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `threshold_losses`."""
        return threshold_losses(outputs, ranks)

    def deployed(self) -> nn.Module:
        """One score an image, and the biases."""
        return ScoreAndBiases(self.score.fold(), self.bias)
