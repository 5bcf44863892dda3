"""SLACE: for each distance, the probability of being no farther from the true rank.

Source: Nachmani et al. (2025). SLACE: a monotone and balance-sensitive loss function for ordinal
regression. AAAI 2025. https://github.com/inbarnachmani/SLACE

Parity: agrees with dlordinal. Not official: the distance of two ranks is the number of steps,
where the authors' default counts the training images between them.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import SoftmaxHead
from ordbench.nn.links import NEVER
from ordbench.recipe import Recipe, SearchSpace


def slace_losses(scores: Tensor, ranks: Tensor, alpha: float) -> Tensor:
    """Sum over i of -w_i log P(|rank - y| <= |i - y|), with w = softmax(-alpha |i - y|).

    Args:
        scores: ``(N, K)``, of which the softmax is taken.
        ranks: ``(N,)``, int64, each in 0..K-1.
        alpha: The higher, the more the rank itself counts.

    Returns:
        ``(N,)``, in nats.

    Of two equal probabilities, the rank itself has one half and w = 1 / (1 + e^-1) = 0.7311:

    >>> slace_losses(torch.zeros(1, 2), torch.tensor([0]), 1.0)  # 0.7311 ln 2
    tensor([0.5067])
    """
    num_ranks = scores.shape[1]
    steps = torch.arange(num_ranks, device=ranks.device)
    log_probs = scores.log_softmax(1)
    sides = torch.stack([ranks.unsqueeze(1) - steps, ranks.unsqueeze(1) + steps])  # (2, N, K)
    once = torch.stack([steps >= 0, steps > 0]).unsqueeze(1)  # the rank itself is on both sides
    there = (sides >= 0) & (sides < num_ranks) & once
    found = log_probs.expand(2, -1, -1).gather(2, sides.clamp(0, num_ranks - 1))
    within = found.masked_fill(~there, NEVER).logsumexp(0).logcumsumexp(1)
    weights = torch.exp(-alpha * steps.to(scores.dtype)) * there.sum(0)
    return -(weights * within).sum(1) / weights.sum(1)


class SLACE(SoftmaxHead):
    """A softmax over ranks, trained with `slace_losses`.

    Args:
        problem: See `Problem`.
        alpha: The higher, the more the rank itself counts; above 0.

    Raises:
        SpecError: If ``alpha`` is not above 0.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"alpha": (1.0, 0.3, 0.5, 2.0, 3.0, 4.0, 7.0)}

    def __init__(
        self,
        problem: Problem,
        *,
        alpha: float = 1.0,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, hidden=hidden, class_weight=class_weight)
        if alpha <= 0:
            raise SpecError(f"alpha={alpha} must be above 0")
        self.alpha = alpha

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `slace_losses`."""
        return slace_losses(outputs, ranks, self.alpha)
