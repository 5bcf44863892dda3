"""CO2, HO2, QUL: cross-entropy or entropy, and a margin between the probabilities of neighbours.

Source: ``co2``, ``ho2``: Albuquerque, Cruz, Cardoso (2021). Ordinal losses for classification of
cervical cancer risk. PeerJ Computer Science 7. https://doi.org/10.7717/peerj-cs.457; ``qul``:
Albuquerque, Cruz, Cardoso (2022). Quasi-unimodal distributions for ordinal classification.
Mathematics 10. https://doi.org/10.3390/math10060980

Parity: agrees with golden values of the authors' code in the losses. Not official: the weight of
``ho2`` is 10, or K if that is more, as the authors' 1 trains badly here.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import SoftmaxHead
from ordbench.nn.losses import wrong_way
from ordbench.recipe import Recipe, SearchSpace


def unimodal_penalties(probs: Tensor, ranks: Tensor, margin: float) -> Tensor:
    """How much each probability lacks to be ``margin`` below its neighbour nearer to the rank.

    Args:
        probs: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        margin: Wanted difference.

    Returns:
        ``(N,)``, summed over the K - 1 pairs of neighbours.

    The probabilities of ranks 1 and 2 are 0.1 too near:

    >>> unimodal_penalties(torch.tensor([[0.6, 0.2, 0.2]]), torch.tensor([0]), 0.1)
    tensor([0.1000])
    """
    return (margin + wrong_way(probs, ranks)).relu().sum(1)


def quasi_unimodal_penalties(probs: Tensor, ranks: Tensor, margin: float) -> Tensor:
    """Arguments and result of `unimodal_penalties`, for another order.

    The next ranks are to be below the rank itself, and all farther ones below the next rank.

    >>> probs = torch.tensor([[0.6, 0.3, 0.0, 0.1]])
    >>> quasi_unimodal_penalties(probs, torch.tensor([0]), 0.1).item()  # 0.1 is below 0.3
    0.0
    """
    positions = torch.arange(probs.shape[1], device=ranks.device)
    offsets = positions - ranks.unsqueeze(1)
    nearer = ranks.unsqueeze(1) + offsets.sign() * (offsets.abs() > 1)
    lacking = (margin + probs - probs.gather(1, nearer)).relu()
    return lacking.masked_fill(offsets == 0, 0).sum(1)


class CO2(SoftmaxHead):
    """A softmax over ranks, trained by cross-entropy plus `unimodal_penalties`.

    Args:
        problem: See `Problem`.
        penalty_weight: Weight of the penalties; ``none`` is 0.01 for CO2, 0.1 for QUL, and for HO2
            the greater of 10 and K.
        margin: Wanted difference of probabilities; CO2 with 0 is the loss CO. Not all of K - 1
            margins above 1 / (K - 1) can be kept.

    Raises:
        SpecError: If a number is negative.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {
        "penalty_weight": (None, 0.01, 0.1, 1.0, 10.0),
        "margin": (0.05, 0.0, 0.01),
    }

    def __init__(
        self,
        problem: Problem,
        *,
        penalty_weight: float | None = None,
        margin: float = 0.05,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, hidden=hidden, class_weight=class_weight)
        default = self.default_weight(problem.task.num_ranks)
        self.penalty_weight = default if penalty_weight is None else penalty_weight
        self.margin = margin
        if self.penalty_weight < 0:
            raise SpecError(f"penalty_weight={self.penalty_weight} must be at least 0")
        if margin < 0:
            raise SpecError(f"margin={margin} must be at least 0")

    @staticmethod
    def default_weight(num_ranks: int) -> float:
        """Weight of the penalties where none is given."""
        return 0.01

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats, plus the weighted penalties."""
        penalties = unimodal_penalties(outputs.softmax(-1), ranks, self.margin)
        return F.cross_entropy(outputs, ranks, reduction="none") + self.penalty_weight * penalties


class HO2(CO2):
    """Entropy in place of cross-entropy: only the penalties know the rank."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-3, weight_decay=1e-2)

    @staticmethod
    def default_weight(num_ranks: int) -> float:
        """Weight of the penalties where none is given."""
        return max(10.0, num_ranks)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Entropy in nats, plus the weighted penalties."""
        penalties = unimodal_penalties(outputs.softmax(-1), ranks, self.margin)
        entropies = -(outputs.softmax(-1) * outputs.log_softmax(-1)).sum(1)
        return entropies + self.penalty_weight * penalties


class QUL(CO2):
    """Penalties that are more forgiving: `quasi_unimodal_penalties`."""

    @staticmethod
    def default_weight(num_ranks: int) -> float:
        """Weight of the penalties where none is given."""
        return 0.1

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats, plus the weighted penalties."""
        penalties = quasi_unimodal_penalties(outputs.softmax(-1), ranks, self.margin)
        return F.cross_entropy(outputs, ranks, reduction="none") + self.penalty_weight * penalties
