"""EMD: the squared distance between the distribution functions of the posterior and of the truth.

Source: Hou, Yu, Samaras (2016). Squared earth mover's distance-based loss for training deep neural
networks. https://arxiv.org/abs/1611.05916

Parity: agrees with dlordinal in the loss, which is the ranked probability score.
"""

from typing import ClassVar

from torch import Tensor

from ordbench.nn import SoftmaxHead
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


class EMD(SoftmaxHead):
    """A softmax over ranks, trained with the ranked probability score."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `emd_losses`."""
        return emd_losses(outputs, ranks)
