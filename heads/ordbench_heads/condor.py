"""CONDOR: conditional probabilities, trained on the thresholds' own cross-entropy.

Source: Jenkinson, Khezeli, Oliver, Kalantari, Klee (2021). Universally rank consistent ordinal
regression in neural networks. https://arxiv.org/abs/2110.07470

Parity: agrees with condor-pytorch, the authors' library, in its ordinal cross-entropy and in the
probabilities. Not official: no epsilon inside the logarithm, where the authors' loss ends at 15.9
nats a threshold and loses its gradient; all ranks start equally likely. The authors' negative
log-likelihood is ``corn:normaliser=images``.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import PRIOR, ScoredHead
from ordbench.nn.links import even_conditionals, log_pmf_of_conditionals
from ordbench.nn.losses import exceeded
from ordbench.recipe import Recipe, SearchSpace


def condor_losses(logits: Tensor, ranks: Tensor) -> Tensor:
    """Cross-entropy of "the rank exceeds k", summed over the K - 1 thresholds k.

    Args:
        logits: ``(N, K - 1)``, log-odds that the rank exceeds k if it is at least k.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        ``(N,)``, in nats.

    The thresholds of rank 0 are not exceeded with probabilities 1/2 and 3/4:

    >>> condor_losses(torch.zeros(1, 2), torch.tensor([0]))  # ln 2 + ln 4/3
    tensor([0.9808])
    """
    log_above = F.logsigmoid(logits).cumsum(1)
    # As a sum of probabilities: 1 - P(above) is 0 in floating point long before it is 0.
    log_not_above = log_pmf_of_conditionals(logits)[:, :-1].logcumsumexp(1)
    return -torch.where(exceeded(ranks, logits.shape[1]), log_above, log_not_above).sum(1)


class CONDOR(ScoredHead):
    """Probabilities of going on from each rank."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2)
    search: ClassVar[SearchSpace] = {"l2": PRIOR}

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
        l2: float = 0.3,
    ) -> None:
        start = even_conditionals(problem.task.num_ranks)
        super().__init__(
            problem, len(start), hidden=hidden, class_weight=class_weight, bias=start, l2=l2
        )

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `condor_losses`."""
        return condor_losses(outputs, ranks)

    def posterior(self, outputs: Tensor) -> Tensor:
        """Products of the conditional probabilities, ``(N, K)``."""
        return log_pmf_of_conditionals(outputs).exp()
