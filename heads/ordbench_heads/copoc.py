"""COPOC: scores that rise by absolute values, so that minus their size is unimodal.

Source: Dey, Merugu, Kaveri (2023). Conformal prediction sets for ordinal classification.
NeurIPS 2023.

Parity: agrees with dlordinal in the probabilities. Not official: the first score starts negative,
as from zero on the mode is rank 0 until it is; the paper's conformal sets are left out.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from ordbench.head import Problem
from ordbench.nn import LikelihoodHead
from ordbench.nn.links import start_slope
from ordbench.recipe import Recipe


class Copoc(LikelihoodHead):
    """Softmax of -|z_0|, -|z_0 + |z_1||, ...; always unimodal. Options: `ScoredHead`."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-3, weight_decay=1e-2)

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        num_ranks = problem.task.num_ranks
        start = torch.full((num_ranks,), start_slope(num_ranks))
        start[0] *= -(num_ranks - 1) / 2
        super().__init__(problem, num_ranks, hidden=hidden, class_weight=class_weight, bias=start)

    def log_pmf(self, outputs: Tensor) -> Tensor:
        """Log-softmax of minus the size of the rising scores."""
        rising = torch.cat([outputs[:, :1], outputs[:, 1:].abs()], dim=1).cumsum(1)
        return (-rising.abs()).log_softmax(-1)
