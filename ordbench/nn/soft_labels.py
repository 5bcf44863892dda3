"""Soft labels: for each rank, a distribution over the ranks around it to learn in its place.

Source: beta: Vargas et al. (2022), https://doi.org/10.1016/j.patcog.2021.108310; triangular:
Vargas et al. (2023), https://doi.org/10.1016/j.inffus.2023.01.003; exponential: Vargas et al.
(2023), https://doi.org/10.1016/j.asoc.2023.110191; geometric: Haas, Hullermeier (2023),
https://doi.org/10.1007/978-3-031-43427-3_1; binomial and Poisson: Liu et al. (2020),
https://doi.org/10.1016/j.neucom.2020.01.025. All agree with dlordinal.
"""

from __future__ import annotations

from math import inf, isfinite
from typing import Literal

import torch
from torch import Tensor

from ordbench.errors import SpecError

Target = Literal[
    "exponential", "gaussian", "triangular", "geometric", "beta", "binomial", "poisson"
]
_SPREADS: dict[str, float] = {"exponential": 1, "triangular": 0.05, "geometric": 0.1}
# Beta(p, q) of the lower ranks; those above mirror them.
_BETA: dict[int, tuple[tuple[int, int], ...]] = {
    3: ((1, 4), (4, 4)),
    4: ((1, 6), (6, 10)),
    5: ((1, 8), (6, 14), (12, 12)),
    6: ((1, 10), (7, 20), (15, 20)),
    7: ((1, 12), (7, 26), (16, 28), (24, 24)),
    8: ((1, 14), (7, 31), (17, 37), (27, 35)),
    9: ((1, 16), (8, 40), (18, 47), (30, 47), (40, 40)),
    10: ((1, 18), (8, 45), (19, 57), (32, 59), (45, 55)),
    11: ((1, 21), (8, 51), (20, 68), (34, 73), (48, 69), (60, 60)),
    12: ((1, 23), (8, 56), (20, 76), (35, 85), (51, 85), (65, 77)),
    13: ((1, 25), (8, 61), (20, 84), (36, 98), (53, 100), (70, 95), (84, 84)),
    14: ((1, 27), (2, 17), (5, 23), (9, 27), (13, 28), (18, 28), (23, 27)),
}


def soft_labels(
    num_ranks: int, target: Target, spread: float | None = None, power: float = 1.0
) -> Tensor:
    """The distribution to learn for each rank.

    Args:
        num_ranks: K.
        target: ``exponential``: falls with the distance d as exp(-d^power / spread).
            ``gaussian``: as exp(-d^2 / (2 spread^2)). ``triangular``: each neighbour has the
            probability ``spread``. ``geometric``: falls as spread^d, and the rank itself has
            1 - spread. ``beta`` (3 to 14 ranks), ``binomial`` (few ranks) and ``poisson`` (all but
            even for many ranks) have no spread.
        spread: None is 1 for ``exponential``, `default_sigma` for ``gaussian``, 0.05 for
            ``triangular``, 0.1 for ``geometric``.
        power: Of the distance, for ``exponential`` only.

    Returns:
        ``(K, K)``, float64; row y is the distribution of rank y.

    Raises:
        SpecError: If there is no such target for K ranks, or one that is not highest at the rank
            itself.

    >>> soft_labels(3, "geometric")[1]  # 1 - 0.1 on the rank itself
    tensor([0.0500, 0.9000, 0.0500], dtype=torch.float64)
    """
    _check(num_ranks, target, spread, power)
    ranks = torch.arange(num_ranks, dtype=torch.float64)
    distances = (ranks - ranks.unsqueeze(1)).abs()
    width = _SPREADS.get(target, default_sigma(num_ranks)) if spread is None else spread
    if target == "exponential":
        labels = (-(distances**power) / width).softmax(1)
    elif target == "gaussian":
        labels = (-distances.square() / (2 * width**2)).softmax(1)
    elif target == "geometric":
        others = (width**distances).fill_diagonal_(0)
        labels = width * others / others.sum(1, keepdim=True)
        labels = labels.fill_diagonal_(1 - width)
    elif target == "triangular":
        labels = _triangular(num_ranks, width)
    else:
        labels = _named(num_ranks, target)
    at_peak = labels.diagonal() >= labels.max(1).values - 1e-12
    if not at_peak.all():
        raise SpecError(
            f"target={target}: for {num_ranks} ranks, the soft label of rank "
            f"{int(at_peak.int().argmin())} gives another rank the highest probability; "
            "take another target, or a smaller spread where it has one"
        )
    return labels


def default_sigma(num_ranks: int) -> float:
    """2 rank steps, as for ages, and less for few ranks: at most an eighth of the way through.

    >>> default_sigma(101), default_sigma(5)
    (2.0, 0.5)
    """
    return min(2.0, (num_ranks - 1) / 8)


def _check(num_ranks: int, target: Target, spread: float | None, power: float) -> None:
    if target == "beta" and num_ranks not in _BETA:
        raise SpecError(
            f"target=beta is defined for {min(_BETA)} to {max(_BETA)} ranks, got {num_ranks}; "
            "take target=exponential or gaussian"
        )
    if power != 1 and target != "exponential":
        raise SpecError(f"target={target} takes no power; leave power={power} out")
    if power <= 0:
        raise SpecError(f"power={power} must be above 0")
    if spread is None:
        return
    if target in ("beta", "binomial", "poisson"):
        raise SpecError(f"target={target} takes no spread; leave spread={spread} out")
    # A wider triangle would reach beyond the neighbours.
    limit = {"triangular": 2 / 9, "geometric": 1.0}.get(target, inf)
    if not 0 < spread < limit:
        below = f" and below {limit:.3g}" if isfinite(limit) else ""
        raise SpecError(f"target={target}: spread={spread} must be above 0{below}")


def _triangular(num_ranks: int, beside: float) -> Tensor:
    """The share of triangles over the ranks' intervals of width 1 that lies in each interval."""
    labels = (1 - 2 * beside) * torch.eye(num_ranks, dtype=torch.float64)
    for offset in (1, -1):
        labels.diagonal(offset).fill_(beside)
    root = (2 * beside) ** 0.5
    step = (1 - 2 * beside) * (2 * beside - root)
    # The two ends have one neighbour, and not the same share in it, as in dlordinal.
    for end, neighbour, scale in ((0, 1, 1.0), (-1, -2, (1 - 1 / num_ranks) ** 2)):
        share = ((1 - (1 - 4 * scale * step) ** 0.5) / 2) ** 2
        labels[end, end], labels[end, neighbour] = 1 - share, share
    return labels


def _named(num_ranks: int, target: Target) -> Tensor:
    """The probabilities of a known distribution."""
    from scipy import stats  # takes long to import

    ranks = torch.arange(num_ranks, dtype=torch.float64)
    if target == "binomial":
        shares = torch.linspace(0.1, 0.9, num_ranks, dtype=torch.float64).unsqueeze(1)
        return torch.as_tensor(stats.binom.pmf(ranks, num_ranks - 1, shares))
    if target == "poisson":
        return torch.as_tensor(stats.poisson.pmf(ranks, ranks.unsqueeze(1) + 1)).softmax(1)
    edges = torch.linspace(0, 1, num_ranks + 1, dtype=torch.float64)
    below = torch.stack([torch.as_tensor(stats.beta.cdf(edges, *pq)) for pq in _BETA[num_ranks]])
    labels = below.diff(dim=1)
    return torch.cat([labels, labels[: num_ranks // 2].flip(0, 1)])
