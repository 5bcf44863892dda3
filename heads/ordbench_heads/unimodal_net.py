"""UnimodalNet: the smaller of a rising and of a falling sum of positive steps.

Source: Cardoso, Cruz, Albuquerque (2023). Unimodal distributions for ordinal regression.
https://arxiv.org/abs/2303.04547

Parity: agrees with the authors' code in the loss. Not official: all steps start small where there
are many ranks, as with steps of ln 2 the outer ranks would never occur.
"""

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import LikelihoodHead
from ordbench.nn.links import start_slope
from ordbench.recipe import Recipe


class UnimodalNet(LikelihoodHead):
    """Softmax of the smaller of two sums; always unimodal. Options: `ScoredHead`."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        num_ranks = problem.task.num_ranks
        start = torch.full((num_ranks,), math.log(math.expm1(start_slope(num_ranks))))
        super().__init__(problem, num_ranks, hidden=hidden, class_weight=class_weight, bias=start)

    def log_pmf(self, outputs: Tensor) -> Tensor:
        """Log-softmax of the smaller of the sums from the first and from the last rank."""
        steps = F.softplus(outputs)
        rising, falling = steps.cumsum(1), steps.flip(1).cumsum(1).flip(1)
        return torch.minimum(rising, falling).log_softmax(-1)
