"""Linear probe: one linear layer, softmax, cross-entropy.

Source: the reference row of every benchmark; Radford et al. (2021). Learning transferable visual
models from natural language supervision, section 3.2. https://arxiv.org/abs/2103.00020

Parity: agrees with the formula of the cross-entropy. Not official: the paper fits scikit-learn's
logistic regression by L-BFGS; here features are standardised, and AdamW takes the steps.
"""

from typing import ClassVar

from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Head, Problem
from ordbench.nn.layers import StandardizedLinear
from ordbench.recipe import Recipe


class Linear(Head):
    """Scores each rank on its own; knows nothing of their order."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem)
        self.score = StandardizedLinear(problem, self.num_ranks)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K)``."""
        logits: Tensor = self.score(features)
        return logits

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats per sample."""
        return F.cross_entropy(outputs, ranks)

    def posterior(self, outputs: Tensor) -> Tensor:
        """Softmax over the ranks, ``(N, K)``."""
        return outputs.softmax(-1)

    def deployed(self) -> nn.Module:
        """One plain linear layer."""
        return self.score.fold()
