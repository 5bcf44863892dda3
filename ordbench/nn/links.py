"""Links: from a head's outputs to probabilities of the ranks."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def pmf_of_exceedance(exceedance: Tensor) -> Tensor:
    """Turn P(rank > k), ``(N, K - 1)``, into P(rank = k), ``(N, K)``.

    The probabilities are first put in falling order: biases need not fall, and the rearranged
    curve is never farther from the true one than the raw one is.
    Source: Chernozhukov, Fernandez-Val, Galichon (2010). https://doi.org/10.3982/ECTA7880

    >>> pmf_of_exceedance(torch.tensor([[0.75, 0.25]])).tolist()
    [[0.25, 0.5, 0.25]]
    """
    falling = exceedance.sort(dim=1, descending=True).values
    return F.pad(falling, (1, 0), value=1.0) - F.pad(falling, (0, 1), value=0.0)


def even_thresholds(num_ranks: int) -> Tensor:
    """The log-odds ``(K - 1,)`` of P(rank > k) that make all ranks equally likely.

    >>> pmf_of_exceedance(even_thresholds(4).sigmoid().unsqueeze(0))
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """
    return (1 - torch.arange(1, num_ranks) / num_ranks).logit()


def log_pmf_of_conditionals(logits: Tensor) -> Tensor:
    """Turn the log-odds of "beyond k, as it has come to k" into log P(rank = k), ``(N, K)``.

    ``P(rank > k)`` is the product of the first probabilities, so it cannot rise, and the K
    probabilities sum to 1 whatever the log-odds are.
    Source: Shi, Cao, Raschka (2021). https://arxiv.org/abs/2111.08851

    Args:
        logits: ``(N, K - 1)``, log-odds that the rank exceeds k if it is at least k.

    >>> log_pmf_of_conditionals(torch.zeros(1, 2)).exp().tolist()
    [[0.5, 0.25, 0.25]]
    """
    log_reached = F.pad(F.logsigmoid(logits).cumsum(1), (1, 0))
    return log_reached + F.pad(F.logsigmoid(-logits), (0, 1))


def even_conditionals(num_ranks: int) -> Tensor:
    """The log-odds ``(K - 1,)`` of `log_pmf_of_conditionals` that make all ranks equally likely.

    Zeros would say that half of the images are of rank 0: with many ranks, training starts at the
    lowest ones.

    >>> log_pmf_of_conditionals(even_conditionals(4).unsqueeze(0)).exp()
    tensor([[0.2500, 0.2500, 0.2500, 0.2500]])
    """
    return torch.arange(num_ranks - 1, 0, -1).log()
