"""Stick-breaking: each rank takes a share of the probability that lower ranks have left.

Source: Liu et al. (2018). Ordinal regression with neuron stick-breaking for medical diagnosis.
ECCV workshops. https://doi.org/10.1007/978-3-030-11024-6_23

Parity: agrees with the code of Cardoso, Cruz and Albuquerque in loss and probabilities. Not
official: there is no code of the authors, and all ranks start equally likely. dlordinal's layer of
this name is another function: K clamped shares, each times its own rest, and a softmax over them.
``loss=nll`` is CONDOR's negative log-likelihood, ``corn:normaliser=images``, with signs reversed.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import LikelihoodHead
from ordbench.nn.links import NEVER, even_conditionals, log_pmf_of_conditionals
from ordbench.recipe import Recipe, SearchSpace


def stick_breaking_losses(logits: Tensor, ranks: Tensor) -> Tensor:
    """Binary cross-entropy of each rank's probability, summed over the K ranks.

    Args:
        logits: ``(N, K - 1)``, log-odds that the rank is k if it is at least k.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        ``(N,)``, in nats.

    Probabilities are 1/2, 1/4 and 1/4:

    >>> stick_breaking_losses(torch.zeros(1, 2), torch.tensor([0]))  # ln 2 + 2 ln 4/3
    tensor([1.2685])
    """
    log_pmf = log_pmf_of_conditionals(-logits)
    # As a sum of probabilities: 1 - p is 0 in floating point long before it is 0.
    log_below = F.pad(log_pmf[:, :-1].logcumsumexp(1), (1, 0), value=NEVER)
    log_above = F.pad(F.logsigmoid(-logits).cumsum(1), (0, 1), value=NEVER)
    is_rank = ranks.unsqueeze(1) == torch.arange(log_pmf.shape[1], device=ranks.device)
    return -torch.where(is_rank, log_pmf, torch.logaddexp(log_below, log_above)).sum(1)


class StickBreaking(LikelihoodHead):
    """K - 1 shares; the last rank takes the rest. Other options: `ScoredHead`.

    Args:
        problem: See `Problem`.
        loss: `stick_breaking_losses`, or the negative log-likelihood.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"loss": ("bce", "nll")}

    def __init__(
        self,
        problem: Problem,
        *,
        loss: Literal["bce", "nll"] = "bce",
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        start = -even_conditionals(problem.task.num_ranks)
        super().__init__(problem, len(start), hidden=hidden, class_weight=class_weight, bias=start)
        self.kind = loss

    def log_pmf(self, outputs: Tensor) -> Tensor:
        """Logarithms of the products of shares and rests."""
        return log_pmf_of_conditionals(-outputs)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `stick_breaking_losses`."""
        if self.kind == "nll":
            return super().losses(outputs, ranks)
        return stick_breaking_losses(outputs, ranks)
