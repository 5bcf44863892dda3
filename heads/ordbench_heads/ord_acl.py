"""ORD-ACL: log-odds of adjacent ranks that rise with the rank, so that probabilities have one peak.

Source: Yamasaki (2022). Unimodal likelihood models for ordinal data. TMLR.
https://openreview.net/forum?id=1l0sClLiPc

Parity: agrees with the code of Cardoso, Cruz and Albuquerque (2023) in the loss. Not official: it
was not checked against code of the author's; steps of more than e^10 are linear in the score, and
training starts from a wide peak in the middle.
"""

from typing import ClassVar, Literal

from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import LikelihoodHead
from ordbench.nn.links import rising_scores, rising_start, start_slope
from ordbench.recipe import Recipe


class OrdAcl(LikelihoodHead):
    """log P(k - 1) - log P(k) rises with k; always unimodal. Options: `ScoredHead`."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        num_ranks = problem.task.num_ranks
        start = rising_start(num_ranks - 1, start_slope(num_ranks) ** 2)
        super().__init__(problem, len(start), hidden=hidden, class_weight=class_weight, bias=start)

    def log_pmf(self, outputs: Tensor) -> Tensor:
        """Log-softmax of minus the sums of the rising log-odds."""
        return (-F.pad(rising_scores(outputs).cumsum(1), (1, 0))).log_softmax(-1)
