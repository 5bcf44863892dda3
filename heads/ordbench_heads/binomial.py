"""Binomial: one probability an image; the rank is the number of successes in K - 1 trials.

Source: da Costa, Alonso, Cardoso (2008). The unimodal model for the classification of ordinal data.
Neural Networks 21.

Parity: agrees with dlordinal and scipy in the probabilities. One number sets mean and variance: the
posterior of many ranks cannot be sharp, and its likelihood is poor even where its mean is right.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import LikelihoodHead
from ordbench.recipe import Recipe


class BinomialPmf(LikelihoodHead):
    """The score is the log-odds of a success; always unimodal. Options: `ScoredHead`."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-1, weight_decay=1e-2)
    coefficients: Tensor

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, 1, hidden=hidden, class_weight=class_weight)
        # Computed once: ONNX has no lgamma.
        factorials = torch.arange(1.0, self.num_ranks + 1, dtype=torch.float64).lgamma()
        coefficients = factorials[-1] - factorials - factorials.flip(0)
        self.register_buffer("coefficients", coefficients, persistent=False)

    def log_pmf(self, outputs: Tensor) -> Tensor:
        """Logarithm of the binomial coefficient, plus those of successes and failures."""
        successes = torch.arange(self.num_ranks, dtype=outputs.dtype, device=outputs.device)
        log_probs = successes * F.logsigmoid(outputs) + successes.flip(0) * F.logsigmoid(-outputs)
        return log_probs + self.coefficients.to(outputs.dtype)
