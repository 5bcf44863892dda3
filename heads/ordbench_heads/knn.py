"""k nearest neighbours: the share of each rank among the k training images that are nearest.

Source: Cover and Hart (1967). Nearest neighbor pattern classification. IEEE Transactions on
Information Theory 13. https://doi.org/10.1109/TIT.1967.1053964

Parity: agrees with scikit-learn's KNeighborsClassifier.
"""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Head, Problem
from ordbench.recipe import SearchSpace

PROBABILITY_FLOOR = 1e-6  # in the loss: a rank that no neighbour has


class NearestNeighbors(Head):
    """Keeps the training features and compares by Euclidean distance.

    Args:
        problem: As in `Head`.
        neighbors: Number k of neighbours, all with the same weight; at most all training images.

    Raises:
        SpecError: If ``neighbors`` is less than 1.
    """

    search: ClassVar[SearchSpace] = {"neighbors": (10, 1, 3, 5, 20, 50)}
    iterative: ClassVar[bool] = False
    batchable: ClassVar[bool] = False
    seeded: ClassVar[bool] = False
    feature_mean: Tensor
    train_features: Tensor
    train_ranks: Tensor

    def __init__(self, problem: Problem, *, neighbors: int = 10) -> None:
        super().__init__(problem)
        if neighbors < 1:
            raise SpecError(f"neighbors={neighbors} must be at least 1")
        num_images = int(problem.train_counts.sum())
        self.neighbors = min(neighbors, num_images)
        self.register_buffer("feature_mean", problem.feature_mean)
        self.register_buffer("train_features", torch.zeros(num_images, problem.in_features))
        self.register_buffer("train_ranks", torch.zeros(num_images, dtype=torch.int64))

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """Keep the training features ``(N, D)`` and ranks ``(N,)``."""
        self.train_features, self.train_ranks = features - self.feature_mean, ranks

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to shares ``(N, K)`` of the ranks among the neighbours."""
        # Centred, as the square of a large mean would swallow the distances.
        products = (features - self.feature_mean) @ self.train_features.T
        # Squared distances, but for the length of the features, which moves no neighbour.
        distances = self.train_features.square().sum(-1) - 2 * products
        nearest = distances.topk(self.neighbors, largest=False).indices
        votes = F.one_hot(self.train_ranks[nearest], self.num_ranks)
        return votes.to(features.dtype).mean(1)

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Negative log-likelihood in nats per sample; nothing is trained with it."""
        return F.nll_loss(outputs.clamp_min(PROBABILITY_FLOOR).log(), ranks)

    def posterior(self, outputs: Tensor) -> Tensor:
        """The shares, ``(N, K)``."""
        return outputs
