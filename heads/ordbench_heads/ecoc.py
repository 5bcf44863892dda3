"""ECOC: squared error of the probability that the rank exceeds k, for each of the K - 1 thresholds.

Source: Barbero-Gomez, Gutierrez, Hervas-Martinez (2023). Error-correcting output codes in the
framework of deep ordinal classification. Neural Processing Letters 55.
https://doi.org/10.1007/s11063-022-10824-7

Parity: agrees with dlordinal in the loss, but for its sum over the batch, which makes the learning
rate depend on the batch size. Not official: probabilities that rise with the threshold are sorted
before their differences; where none rises, the median is the authors' nearest code. All ranks start
equally likely.
"""

from typing import ClassVar, Literal

from torch import Tensor

from ordbench.head import Problem
from ordbench.nn import ExceedanceHead
from ordbench.nn.links import even_thresholds
from ordbench.nn.losses import exceeded
from ordbench.recipe import Recipe


def ecoc_losses(logits: Tensor, ranks: Tensor) -> Tensor:
    """Squared distance to the rank's code: 1 for each threshold that it exceeds, 0 for the others.

    Args:
        logits: ``(N, K - 1)``, log-odds that the rank exceeds k.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        ``(N,)``.

    >>> import torch
    >>> ecoc_losses(torch.zeros(1, 2), torch.tensor([1])).item()  # two halves
    0.5
    """
    codes = exceeded(ranks, logits.shape[1]).to(logits.dtype)
    return (logits.sigmoid() - codes).square().sum(1)


class ECOC(ExceedanceHead):
    """A classifier for each threshold, trained by squared error."""

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-2, weight_decay=1e-2)

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        start = even_thresholds(problem.task.num_ranks)
        super().__init__(problem, len(start), hidden=hidden, class_weight=class_weight, bias=start)

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `ecoc_losses`."""
        return ecoc_losses(outputs, ranks)
