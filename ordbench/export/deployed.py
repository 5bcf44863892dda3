"""What is exported: a trained head as it is deployed, alone or behind its image tower."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.backbone import Backbone
from ordbench.errors import SpecError
from ordbench.head import BaseHead
from ordbench.training.trainer import interpolate


class DeployedHead(nn.Module):
    """Features to a posterior, or to estimates of a head that has none.

    Args:
        head: Trained. Only what is deployed of it is a part of this module.
        rank_values: K rising numbers in the task's unit.
    """

    rank_values: Tensor

    def __init__(self, head: BaseHead, rank_values: Sequence[float]) -> None:
        super().__init__()
        self.deployed = head.deployed()
        self.register_buffer("rank_values", torch.tensor(rank_values), persistent=False)
        self._read = head.predict

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to ``(N, K)``, or to ``(N,)`` in the task's unit."""
        position, posterior = self._read(self.deployed(features))
        if posterior is not None:
            return posterior
        return interpolate(position, self.rank_values)


class DeployedModel(nn.Module):
    """Preprocessed images ``(N, 3, H, W)`` to what the head makes of their features.

    Args:
        tower: The image side of a backbone, in float32.
        head: Reads its features.
        normalize: Whether features are brought to unit length before.
        what: The backbone, for errors.

    Raises:
        SpecError: If the tower is not built around a module of PyTorch.
    """

    def __init__(self, tower: Backbone, head: DeployedHead, *, normalize: bool, what: str) -> None:
        super().__init__()
        network = getattr(tower, "network", None)
        if not isinstance(network, nn.Module):
            raise SpecError(
                f"backbone {what} cannot be exported: it has no torch module `network`; leave "
                "--with-backbone out"
            )
        self.network, self.head, self.normalize = network, head, normalize

    def forward(self, images: Tensor) -> Tensor:
        """Map images to ``(N, K)``, or to ``(N,)`` in the task's unit."""
        features = self.network(images)
        features = features if isinstance(features, Tensor) else features[0]
        features = F.normalize(features, dim=1) if self.normalize else features
        found: Tensor = self.head(features)
        return found
