"""Ordinality: whether prototypes of nearer ranks are more alike."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F


def ordinality(prototypes: Tensor) -> dict[str, float]:
    """Shares of steps away from a rank at which the cosine to its prototype falls.

    Counted are pairs i <= j < K - 1 with j - i < span: cos(i, j) > cos(i, j + 1). Of random
    prototypes, about half do.

    Source: Li et al. (2022). OrdinalCLIP, section 4.1 and figure 3, by the authors' code.
    https://arxiv.org/abs/2206.02338

    Args:
        prototypes: ``(K, E)``, of any length.

    Returns:
        ``ordinality`` over all pairs, and ``ordinality@SPAN`` for spans 1, 2, 4, ... below K - 1.

    >>> ordinality(torch.tensor([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [1.0, 0.5]]))
    {'ordinality': 0.6666666666666666, 'ordinality@1': 1.0, 'ordinality@2': 0.8}
    """
    unit = F.normalize(prototypes.detach().double().cpu(), dim=1)
    cosines = unit @ unit.T
    cosines.fill_diagonal_(1)  # rounding must not decide between a prototype and its equal
    falls = (cosines[:, :-1] > cosines[:, 1:])[:-1]
    steps = torch.arange(len(falls))
    distance = steps - steps.unsqueeze(1)
    last = len(falls)  # K - 1
    spans = {f"@{2**power}": 2**power for power in range(last.bit_length()) if 2**power < last}
    return {
        f"ordinality{name}": falls[(distance >= 0) & (distance < span)].double().mean().item()
        for name, span in {"": last, **spans}.items()
    }
