"""CDW-CE: each wrong rank is made unlikely, the more so the farther it is from the true one.

Source: Polat et al. (2022). Class distance weighted cross-entropy loss for ulcerative colitis
severity estimation. MIUA 2022. https://doi.org/10.1007/978-3-031-12053-4_12; OLL, which is
``alpha=1.5``: Castagnos, Mihelich, Dognin (2022). A simple log-based loss function for ordinal text
classification. COLING 2022. https://aclanthology.org/2022.coling-1.407

Parity: agrees with dlordinal but for a constant factor. Not official: distances are shares of
K - 1, since (K - 1)^5 is 1e10 for ages; logarithms do not overflow.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import SoftmaxHead
from ordbench.nn.links import NEVER
from ordbench.recipe import Recipe, SearchSpace


def cdw_losses(scores: Tensor, ranks: Tensor, alpha: float) -> Tensor:
    """Sum over k of -(|k - y| / (K - 1))^alpha log(1 - p_k).

    Args:
        scores: ``(N, K)``, of which the softmax p is taken.
        ranks: ``(N,)``, int64, each in 0..K-1.
        alpha: Power of the distance.

    Returns:
        ``(N,)``, in nats.

    The one wrong rank of two has probability 1/2:

    >>> cdw_losses(torch.zeros(1, 2), torch.tensor([0]), 5.0)  # ln 2
    tensor([0.6931])
    """
    positions = torch.arange(scores.shape[1], dtype=scores.dtype, device=scores.device)
    distances = (positions - ranks.unsqueeze(1)).abs() / (scores.shape[1] - 1)
    return -(distances**alpha * _log_others(scores.log_softmax(1))).sum(1)


def _log_others(log_probs: Tensor) -> Tensor:
    """log(1 - p_k) as what is below k plus what is above: 1 - p_k itself would round to 0."""
    below = log_probs[:, :-1].logcumsumexp(1)
    above = log_probs[:, 1:].flip(1).logcumsumexp(1).flip(1)
    return torch.logaddexp(F.pad(below, (1, 0), value=NEVER), F.pad(above, (0, 1), value=NEVER))


class CDWCE(SoftmaxHead):
    """A softmax over ranks, trained with `cdw_losses`.

    Args:
        problem: See `Problem`.
        alpha: Power of the distance, above 0.

    Raises:
        SpecError: If ``alpha`` is not above 0.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-2, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"alpha": (1.5, 0.5, 1.0, 2.0, 3.0, 5.0)}

    def __init__(
        self,
        problem: Problem,
        *,
        alpha: float = 1.5,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, hidden=hidden, class_weight=class_weight)
        if alpha <= 0:
            raise SpecError(f"alpha={alpha} must be above 0")
        self.alpha = alpha

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `cdw_losses`."""
        return cdw_losses(outputs, ranks, self.alpha)
