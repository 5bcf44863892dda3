"""CLM, the cumulative link model: one score, and ordered thresholds that cut it into ranks.

Source: McCullagh (1980). Regression models for ordinal data. JRSS B 42.
https://doi.org/10.1111/j.2517-6161.1980.tb01109.x; with a network: Vargas, Gutiérrez,
Hervás-Martínez (2020). Cumulative link models for deep ordinal classification. Neurocomputing 401.
https://doi.org/10.1016/j.neucom.2020.03.034

Parity: agrees with dlordinal, the authors' library, in the probabilities. Not official: a gap
between thresholds is a softplus (a square has no gradient at 0), all ranks start equally likely,
and logarithms of probabilities are never those of rounded differences.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import LikelihoodHead, ScoreAndBiases
from ordbench.nn.links import Link, link_quantiles, log_pmf_of_link
from ordbench.recipe import Recipe, SearchSpace


class CumulativeLink(LikelihoodHead):
    """P(rank <= k) = F(threshold k - score). Other options: `ScoredHead`.

    Args:
        problem: See `Problem`.
        link: Names F: the logistic, the normal, or the Gumbel distribution (of minima).
        min_distance: Least distance of two thresholds.

    Raises:
        SpecError: If ``min_distance`` is negative.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"link": ("logit", "probit", "cloglog")}
    start: Tensor

    def __init__(
        self,
        problem: Problem,
        *,
        link: Link = "logit",
        min_distance: float = 0.0,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, 1, hidden=hidden, class_weight=class_weight, bias=False)
        if min_distance < 0:
            raise SpecError(f"min_distance={min_distance} must be at least 0")
        self.link: Link = link
        self.min_distance = min_distance
        equal = link_quantiles(torch.arange(1, self.num_ranks) / self.num_ranks, link)
        gaps = (equal.diff() - min_distance).clamp_min(1e-3)
        start = torch.cat([equal[:1], gaps.expm1().log()])  # softplus takes them back
        self.register_buffer("start", start, persistent=False)
        self.moves = nn.Parameter(torch.zeros(self.num_ranks - 1))

    def thresholds(self) -> Tensor:
        """``(K - 1,)``, rising."""
        raw = self.start + self.moves
        gaps = F.softplus(raw[1:]) + self.min_distance
        return raw[0] + F.pad(gaps.cumsum(0), (1, 0))

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to how far the score is above each threshold, ``(N, K - 1)``."""
        return super().forward(features) - self.thresholds()

    def log_pmf(self, outputs: Tensor) -> Tensor:
        """See `log_pmf_of_link`."""
        return log_pmf_of_link(-outputs, self.link)

    def deployed(self) -> nn.Module:
        """The score, and the thresholds as biases."""
        return ScoreAndBiases(self.score.fold(), -self.thresholds())
