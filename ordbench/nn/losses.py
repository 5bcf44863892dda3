"""Losses that heads share."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def threshold_losses(logits: Tensor, ranks: Tensor) -> Tensor:
    """Binary cross-entropy of "the rank exceeds k", summed over the K - 1 thresholds k.

    Source: Niu et al. (2016), https://doi.org/10.1109/CVPR.2016.532, without task weights; Cao,
    Mirjalili, Raschka (2020), https://doi.org/10.1016/j.patrec.2020.11.008, have the same loss.

    Args:
        logits: ``(N, K - 1)``, log-odds that the rank exceeds k.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        ``(N,)``, in nats.

    An undecided model pays ln 2 for each threshold:

    >>> threshold_losses(torch.zeros(2, 3), torch.tensor([0, 3]))
    tensor([2.0794, 2.0794])
    """
    exceeds = exceeded(ranks, logits.shape[1]).to(logits.dtype)
    return F.binary_cross_entropy_with_logits(logits, exceeds, reduction="none").sum(1)


def exceeded(ranks: Tensor, num_thresholds: int) -> Tensor:
    """Whether ranks ``(N,)`` exceed each of the thresholds 0, 1, ...: ``(N, num_thresholds)``.

    >>> exceeded(torch.tensor([0, 2]), 3).int().tolist()
    [[0, 0, 0], [1, 1, 0]]
    """
    return ranks.unsqueeze(1) > torch.arange(num_thresholds, device=ranks.device)


def wrong_way(values: Tensor, ranks: Tensor) -> Tensor:
    """How much each value exceeds its neighbour that is nearer to the rank.

    Args:
        values: ``(N, K)``, probabilities or scores.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        ``(N, K - 1)``, negative where values fall with the distance to the rank.

    >>> wrong_way(torch.tensor([[3.0, 1.0, 2.0]]), torch.tensor([1])).tolist()
    [[2.0, 1.0]]
    """
    rises = values.diff(dim=1)
    return torch.where(exceeded(ranks, rises.shape[1]), -rises, rises)


def two_way_loss(logits: Tensor, ranks: Tensor, kl_weight: float = 1.0) -> Tensor:
    """Cross-entropy over ranks, plus ``kl_weight`` x KL divergence over the images of the batch.

    For each rank in the batch, the softmax of its logits over the images is to be like the softmax
    of 10 x (1 where the image has this rank, else 0); the divergence is averaged over these ranks.

    Source: Li et al. (2022), the authors' code. https://arxiv.org/abs/2206.02338

    Args:
        logits: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        kl_weight: Weight of the divergence; 0 leaves it out.

    Returns:
        Scalar, in nats.

    One image pays for its rank only, since over one image every softmax is 1:

    >>> round(two_way_loss(torch.zeros(1, 2), torch.tensor([0])).item(), 4)  # ln 2
    0.6931
    """
    image_to_text = F.cross_entropy(logits, ranks)
    if kl_weight == 0:
        return image_to_text
    return image_to_text + kl_weight * divergence_over_images(logits, ranks)


def divergence_over_images(logits: Tensor, ranks: Tensor) -> Tensor:
    """The second part of `two_way_loss`.

    Args:
        logits: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        Scalar, in nats, mean over the ranks that are in the batch.
    """
    is_rank = ranks == torch.arange(logits.shape[1], device=ranks.device).unsqueeze(1)
    log_target = (10 * is_rank.to(logits.dtype)).log_softmax(-1)
    divergence = (log_target.exp() * (log_target - logits.T.log_softmax(-1))).sum(-1)
    present = is_rank.any(-1)
    return (divergence * present).sum() / present.sum()
