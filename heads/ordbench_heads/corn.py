"""CORN: for each threshold, a classifier of the images that have come so far.

Source: Shi, Cao, Raschka (2023). Deep neural networks for rank-consistent ordinal regression based
on conditional probabilities. Pattern Analysis and Applications 26.
https://doi.org/10.1007/s10044-023-01181-9

Parity: agrees with coral-pytorch, the authors' library, in loss and labels; with
``normaliser=images`` with condor-pytorch's negative log-likelihood. Not official: all ranks start
equally likely, where zeros would start at the lowest ranks.
"""

from typing import ClassVar, Literal

from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import ScoredHead
from ordbench.nn.links import even_conditionals, log_pmf_of_conditionals
from ordbench.recipe import Recipe


def corn_losses(logits: Tensor, ranks: Tensor, normaliser: Literal["sets", "images"]) -> Tensor:
    """Binary cross-entropy of "beyond k", summed over the thresholds k that the image has come to.

    That is the negative logarithm of the rank's probability.

    Args:
        logits: ``(N, K - 1)``, log-odds that the rank exceeds k if it is at least k.
        ranks: ``(N,)``, int64, each in 0..K-1.
        normaliser: ``images`` leaves the sum as it is. ``sets`` divides by the average number of
            thresholds that an image of the batch has come to, as the authors' code does.

    Returns:
        ``(N,)``, in nats.

    The first image has come to one threshold, the second to two:

    >>> import torch
    >>> corn_losses(torch.zeros(2, 2), torch.tensor([0, 2]), "images")  # ln 2, 2 ln 2
    tensor([0.6931, 1.3863])
    >>> corn_losses(torch.zeros(2, 2), torch.tensor([0, 2]), "sets")  # divided by 1.5
    tensor([0.4621, 0.9242])
    """
    losses = F.nll_loss(log_pmf_of_conditionals(logits), ranks, reduction="none")
    if normaliser == "images":
        return losses
    thresholds_reached = (ranks + 1).clamp_max(logits.shape[1])
    return losses / thresholds_reached.to(losses.dtype).mean()


class CORN(ScoredHead):
    """Probabilities of going on from each rank.

    Args:
        problem: See `Problem`.
        normaliser: What the loss is averaged over; see `corn_losses`.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-2, weight_decay=1e-2)

    def __init__(
        self,
        problem: Problem,
        *,
        normaliser: Literal["sets", "images"] = "sets",
        hidden: tuple[int, ...] = (),
        class_weight: Literal["balanced"] | None = None,
    ) -> None:
        start = even_conditionals(problem.task.num_ranks)
        super().__init__(problem, len(start), hidden=hidden, class_weight=class_weight, bias=start)
        self.normaliser: Literal["sets", "images"] = normaliser

    def losses(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `corn_losses`."""
        return corn_losses(outputs, ranks, self.normaliser)

    def posterior(self, outputs: Tensor) -> Tensor:
        """Products of the conditional probabilities, ``(N, K)``."""
        return log_pmf_of_conditionals(outputs).exp()
