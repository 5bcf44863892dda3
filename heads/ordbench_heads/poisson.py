"""Poisson: one rate an image; the rank is a count, cut off at K ranks.

Source: Beckham and Pal (2017). Unimodal probability distributions for deep ordinal classification.
https://arxiv.org/abs/1705.05278

Parity: agrees with dlordinal in the probabilities (counts from 0, a learned temperature), and with
scipy. Not official: the rate starts in the middle of the counts and is not clamped. The code of
Cardoso, Cruz and Albuquerque is ``first_count=1:temperature=false``.
"""

import math
from typing import ClassVar, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import LikelihoodHead
from ordbench.recipe import Recipe, SearchSpace


class PoissonPmf(LikelihoodHead):
    """The rate is a softplus of the score, which counts in K / 10 ranks where K is above 10.

    Always unimodal. Other options: `ScoredHead`.

    Args:
        problem: See `Problem`.
        first_count: The count that rank 0 stands for.
        temperature: Whether a temperature is learned, by which log-probabilities are divided;
            without it, the rate sets mean and variance.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"first_count": (0, 1)}
    counts: Tensor
    factorials: Tensor

    def __init__(
        self,
        problem: Problem,
        *,
        first_count: Literal[0, 1] = 0,
        temperature: bool = True,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        middle = first_count + (problem.task.num_ranks - 1) / 2
        start = torch.tensor([middle + math.log(-math.expm1(-middle))])  # softplus takes it back
        # A step of the optimiser moves a score equally far, however many ranks there are to cross.
        unit = max(1.0, problem.task.num_ranks / 10)
        super().__init__(problem, 1, hidden=hidden, class_weight=class_weight, bias=start / unit)
        self.unit = unit
        counts = torch.arange(self.num_ranks, dtype=torch.float64) + first_count
        self.register_buffer("counts", counts, persistent=False)
        # Computed once: ONNX has no lgamma.
        self.register_buffer("factorials", (counts + 1).lgamma(), persistent=False)
        self.log_temperature = nn.Parameter(torch.zeros(()), requires_grad=temperature)

    def log_pmf(self, outputs: Tensor) -> Tensor:
        """Log-softmax of the Poisson's log-probabilities, divided by the temperature."""
        # The rate itself is the same for all counts, and a softmax does not see it.
        counts, factorials = self.counts.to(outputs.dtype), self.factorials.to(outputs.dtype)
        log_probs = counts * log_softplus(self.unit * outputs) - factorials
        return (log_probs * (-self.log_temperature).exp()).log_softmax(-1)


def log_softplus(x: Tensor) -> Tensor:
    """Logarithm of `softplus`; it is x where exp(x) is small.

    >>> log_softplus(torch.tensor([-1000.0, 1000.0]))
    tensor([-1000.0000,     6.9078])
    """
    return torch.where(x < -15, x, F.softplus(x.clamp_min(-15)).log())
