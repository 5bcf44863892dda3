"""WK: weighted kappa, of the posteriors and the ranks of a batch.

Source: de la Torre, Puig, Valls (2018). Weighted kappa loss function for multi-class classification
of ordinal data in deep learning. Pattern Recognition Letters 105.
https://doi.org/10.1016/j.patrec.2017.05.018; without logarithm:
Vargas, Gutiérrez, Hervás-Martínez (2020). Cumulative link models for deep ordinal classification.
Neurocomputing 401. https://doi.org/10.1016/j.neucom.2020.03.034

Parity: agrees with dlordinal; of one-hot posteriors with 1 - scikit-learn's ``cohen_kappa_score``.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor

from ordbench.head import Problem
from ordbench.nn import SoftmaxHead
from ordbench.recipe import Recipe, SearchSpace

EPSILON = 1e-10  # for a batch of one rank, all of which is predicted


def kappa_losses(probs: Tensor, ranks: Tensor, power: int) -> Tensor:
    """1 - weighted kappa: the disagreement, divided by the one that chance would bring.

    Args:
        probs: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        power: Of the distance of ranks, 1 or 2.

    Returns:
        ``(N,)``, whose mean is the loss, from 0 to 2; each depends on the whole batch.

    What is right costs nothing; the wrong way round, 2:

    >>> kappa_losses(torch.eye(2), torch.tensor([0, 1]), 2).tolist()
    [0.0, 0.0]
    >>> kappa_losses(torch.eye(2), torch.tensor([1, 0]), 2).tolist()
    [2.0, 2.0]
    """
    positions = torch.arange(probs.shape[1], dtype=probs.dtype, device=probs.device)
    apart = (positions - positions.unsqueeze(1)).abs() / (probs.shape[1] - 1)
    costs = (apart**power)[ranks]  # (N, K), of each rank that may be said
    by_chance = (costs.mean(0) * probs.mean(0)).sum()
    return (costs * probs).sum(1) / (by_chance + EPSILON)


class WeightedKappa(SoftmaxHead):
    """A softmax over ranks, trained to agree more than by chance; a batch needs several ranks.

    Args:
        problem: See `Problem`.
        weights: Whether an error counts with its distance or with its square.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"weights": ("quadratic", "linear")}

    def __init__(
        self,
        problem: Problem,
        *,
        weights: Literal["quadratic", "linear"] = "quadratic",
        hidden: tuple[int, ...] = (),
    ) -> None:
        super().__init__(problem, hidden=hidden)
        self.power = 2 if weights == "quadratic" else 1

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `kappa_losses`."""
        return kappa_losses(outputs.softmax(-1), ranks, self.power)
