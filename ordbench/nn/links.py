"""Links: from a head's outputs to probabilities of the ranks."""

from __future__ import annotations

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
