"""A small perceptron that moves features within the joint space, before they are compared."""

from __future__ import annotations

from copy import deepcopy

import torch
from torch import Tensor, nn

REDUCTION = 4  # of the hidden width, as in the authors' code


class FeatureAdapter(nn.Module):
    """``ratio`` x perceptron of the features, plus the rest of the features themselves.

    Without biases, features that are twice as long give what is twice as long: it does not matter
    whether they are brought to unit length before.

    Source: Gao et al. (2024). CLIP-Adapter: better vision-language models with feature adapters.
    International Journal of Computer Vision 132. https://doi.org/10.1007/s11263-023-01891-x

    Args:
        embed_dim: Width E of the joint space.
        ratio: Share of the perceptron, 0 to 1.
    """

    def __init__(self, embed_dim: int, ratio: float) -> None:
        super().__init__()
        self.ratio = ratio
        hidden = max(embed_dim // REDUCTION, 1)
        self.narrow = nn.Linear(embed_dim, hidden, bias=False)
        self.widen = nn.Linear(hidden, embed_dim, bias=False)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, E)`` to features ``(N, E)``."""
        moved: Tensor = self.widen(self.narrow(features).relu()).relu()
        return self.ratio * moved + (1 - self.ratio) * features

    def get_extra_state(self) -> Tensor:
        """``ratio``, which stands in the ``state_dict``."""
        return torch.tensor(self.ratio, dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Take ``ratio`` from a ``state_dict``."""
        self.ratio = float(state)

    def fold(self) -> FeatureAdapter:
        """A copy with nothing to train."""
        return deepcopy(self).requires_grad_(False)
