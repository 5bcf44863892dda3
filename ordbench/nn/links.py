"""Links: from a head's outputs to probabilities of the ranks."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F
from torch.special import log_ndtr

NEVER = -1e30
"""The logarithm of probability 0: an infinite one has no gradient."""


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


def violations(exceedance: Tensor) -> float:
    """Share of neighbouring ranks of which the higher one is exceeded with a higher probability.

    ``P(rank > k)`` cannot rise with k: a head that estimates each one on its own may contradict
    itself. 0 where there is only one threshold.

    Source: Cao, Mirjalili, Raschka (2020), section 4.3. https://doi.org/10.1016/j.patrec.2020.11.008

    Args:
        exceedance: P(rank > k), ``(N, K - 1)``, not sorted.

    >>> violations(torch.tensor([[0.75, 0.25, 0.5], [0.75, 0.5, 0.25]]))
    0.25
    """
    rises = exceedance[:, 1:] > exceedance[:, :-1]
    return rises.double().mean().item() if rises.numel() else 0.0


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


Link = Literal["logit", "probit", "cloglog"]


def log_pmf_of_link(distances: Tensor, link: Link) -> Tensor:
    """Log P(rank = k), ``(N, K)``, where P(rank <= k) = F(distances of k).

    It is computed in logarithms: differences of F are 0 in floating point long before they are 0.

    Args:
        distances: ``(N, K - 1)``, rising: thresholds minus the score.
        link: F is the logistic function, the normal distribution function, or 1 - exp(-exp(x)).

    >>> log_pmf_of_link(torch.tensor([[0.0, 1.0986]]), "logit").exp()
    tensor([[0.5000, 0.2500, 0.2500]])
    """
    distances = distances.to(torch.promote_types(distances.dtype, torch.float32))
    low, high = distances[:, :-1], distances[:, 1:]
    if link == "logit":
        inner = F.logsigmoid(high) + F.logsigmoid(-low) + log1mexp(high - low)
        first, last = F.logsigmoid(distances[:, :1]), F.logsigmoid(-distances[:, -1:])
    elif link == "probit":
        # In the lower tail, where a logarithm tells two values of F apart.
        upper = low + high > 0
        low, high = torch.where(upper, -high, low), torch.where(upper, -low, high)
        log_high = log_ndtr(high)
        inner = log_high + log1mexp(log_high - log_ndtr(low))
        first, last = log_ndtr(distances[:, :1]), log_ndtr(-distances[:, -1:])
    else:
        # F is 1 from e^10 on in any precision; beyond, the hazard grows by a power only.
        log_hazard = distances.clamp_max(10) + (distances - 10).clamp_min(0).log1p()
        low, high = log_hazard[:, :-1], log_hazard[:, 1:]
        inner = _log1mexp_of_log(high + log1mexp(high - low)) - low.exp()
        first, last = _log1mexp_of_log(log_hazard[:, :1]), -log_hazard[:, -1:].exp()
    return torch.cat([first, inner, last], dim=1)


def link_quantiles(probs: Tensor, link: Link) -> Tensor:
    """Where F of `log_pmf_of_link` has the values ``probs``, in 0 to 1, exclusive.

    >>> link_quantiles(torch.tensor([0.5]), "probit")
    tensor([0.])
    """
    if link == "logit":
        return probs.logit()
    if link == "probit":
        quantiles: Tensor = torch.special.ndtri(probs)
        return quantiles
    return torch.log(-torch.log1p(-probs))


def log1mexp(x: Tensor) -> Tensor:
    """log(1 - exp(-x)) of ``x`` > 0; those below 1e-6 count as that.

    >>> log1mexp(torch.tensor([0.6931]))  # 1 - 1/2
    tensor([-0.6932])
    """
    return torch.log(-torch.expm1(-x.clamp_min(1e-6)))


def _log1mexp_of_log(log_x: Tensor) -> Tensor:
    """log(1 - exp(-x)) of log x: it is log x - x / 2 + x^2 / 24 for small x."""
    small = log_x.clamp_max(-4)
    x = small.exp()
    return torch.where(
        log_x < -4, small - x / 2 + x.square() / 24, log1mexp(log_x.clamp_min(-4).exp())
    )


def rising_scores(scores: Tensor) -> Tensor:
    """Turn z ``(N, M)`` into z_0, z_0 + exp(z_1), z_0 + exp(z_1) + exp(z_2), ...

    From 10 on, exp goes on along its tangent, so that no score overflows.
    Source: Yamasaki (2022). https://openreview.net/forum?id=1l0sClLiPc

    >>> rising_scores(torch.tensor([[-1.0, 0.0, 0.0]]))
    tensor([[-1.,  0.,  1.]])
    """
    steps = scores[:, 1:].clamp_max(10).exp() * (1 + (scores[:, 1:] - 10).clamp_min(0))
    return torch.cat([scores[:, :1], scores[:, :1] + steps.cumsum(1)], dim=1)


def rising_start(num_scores: int, step: float) -> Tensor:
    """The scores ``(M,)`` that `rising_scores` brings to equal steps around 0.

    >>> rising_scores(rising_start(3, 0.5).unsqueeze(0))
    tensor([[-0.5000,  0.0000,  0.5000]])
    """
    start = torch.full((num_scores,), math.log(step))
    start[0] = -(num_scores - 1) * step / 2
    return start


def start_slope(num_ranks: int) -> float:
    """How steeply an untrained unimodal posterior falls from the middle, in nats a rank.

    The first and the last rank are about e^2 times less likely than the middle one, for any K. A
    slope of 1 would say that they never occur where there are many ranks.
    """
    return 4 / num_ranks
