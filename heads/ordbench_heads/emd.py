"""EMD: the squared distance between the distribution functions of the posterior and of the truth.

Source: Hou, Yu, Samaras (2016). Squared earth mover's distance-based loss for training deep neural
networks. https://arxiv.org/abs/1611.05916

Parity: agrees with dlordinal in the loss, which is the ranked probability score.
"""

from typing import ClassVar, Literal

from torch import Tensor

from ordbench.head import Problem
from ordbench.nn import ScoredHead
from ordbench.nn.losses import exceeded
from ordbench.recipe import Recipe


def emd_losses(scores: Tensor, ranks: Tensor) -> Tensor:
    """Sum of the squared differences of the distribution functions at the K - 1 thresholds.

    Args:
        scores: ``(N, K)``, of which the softmax is taken.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        ``(N,)``, in squared rank steps.

    Two equal probabilities are one half off at the one threshold:

    >>> import torch
    >>> emd_losses(torch.zeros(1, 2), torch.tensor([0])).item()
    0.25
    """
    at_most = scores.softmax(1).cumsum(1)[:, :-1]
    return (at_most - (~exceeded(ranks, at_most.shape[1])).to(at_most.dtype)).square().sum(1)


class EMD(ScoredHead):
    """A softmax over ranks, trained with the ranked probability score."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        super().__init__(problem, problem.task.num_ranks, hidden=hidden, class_weight=class_weight)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `emd_losses`."""
        return emd_losses(outputs, ranks)

    def posterior(self, outputs: Tensor) -> Tensor:
        """Softmax over the ranks, ``(N, K)``."""
        return outputs.softmax(-1)
