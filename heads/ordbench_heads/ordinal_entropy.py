"""Ordinal entropy: a regression whose embeddings spread with the distance of their ranks.

Source: Zhang, Yang, Mi, Zheng, Yao (2023). Improving deep regression with ordinal entropy. ICLR
2023. https://arxiv.org/abs/2301.08915

Parity: not official: a perceptron on frozen features takes the encoder's place, and ranks are
standardised. The regulariser has the golden value of the authors' code, but where that is not a
number (all ranks of a batch differ, or none do) the part concerned is 0.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn import RegressionHead, encoder_of
from ordbench.recipe import Recipe, SearchSpace

SAME = 1e-12  # squared distance of unit embeddings that are one and the same


def negative_entropy(embeddings: Tensor, ranks: Tensor, num_ranks: int) -> Tensor:
    """How far embeddings lie from their rank's centre, less how far apart the centres lie.

    All are brought to unit length. A pair of centres counts with the distance of its ranks, less
    the smallest one of the batch; an image that is its rank's centre does not count.

    Args:
        embeddings: ``(N, E)``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        num_ranks: K.

    Returns:
        Scalar.

    Three ranks, of which the outer two are opposite, two steps apart; they weigh (2 - 1) / 2:

    >>> points = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    >>> round(negative_entropy(points, torch.arange(3), 3).item(), 6)  # 2 / 2, of three pairs
    -0.333333
    """
    all_ranks = torch.arange(num_ranks, device=ranks.device)
    is_rank = (ranks.unsqueeze(1) == all_ranks).to(embeddings.dtype)
    counts = is_rank.sum(0)
    means = (is_rank.T @ embeddings) / counts.clamp_min(1).unsqueeze(1)
    centres = F.normalize(means, dim=-1)

    steps = all_ranks - all_ranks.unsqueeze(1)
    present = counts > 0
    is_pair = (steps > 0) & present & present.unsqueeze(1)
    smallest = torch.where(is_pair, steps, num_ranks).min()
    largest = torch.where(is_pair, steps, 1).max()
    weights = torch.where(is_pair, (steps - smallest) / largest, 0.0).to(embeddings.dtype)
    distances = (2 - 2 * centres @ centres.T).clamp_min(SAME).sqrt()
    spread = (weights * distances).sum() / is_pair.sum().clamp_min(1)

    squared = (F.normalize(embeddings, dim=-1) - is_rank @ centres).square().sum(-1)
    is_apart = squared > SAME
    lengths = torch.where(is_apart, squared, 1.0).sqrt() * is_apart
    return lengths.sum() / is_apart.sum().clamp_min(1) - spread


class OrdinalEntropy(RegressionHead):
    """A perceptron and a linear regression on its embeddings, trained together.

    Args:
        problem: See `Problem`.
        hidden: Width of the perceptron's hidden layer and of the embeddings.
        weight: Of the regulariser, beside the squared error of standardised ranks.

    Raises:
        SpecError: If ``weight`` is negative.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-3, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"weight": (1.0, 0.01, 0.1, 0.3, 3.0)}

    def __init__(self, problem: Problem, *, hidden: int = 128, weight: float = 1.0) -> None:
        super().__init__(problem)
        if weight < 0:
            raise SpecError(f"weight={weight} must be at least 0")
        self.weight = weight
        self.encoder = encoder_of(problem, hidden)
        self.slope = nn.Parameter(torch.zeros(hidden))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to embeddings ``(N, hidden)``."""
        embeddings: Tensor = self.encoder(features)
        return embeddings

    def numbers(self, outputs: Tensor) -> Tensor:
        """The regression's standardised ranks ``(N,)``."""
        return (outputs * self.slope).sum(-1) + self.bias

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Mean squared error of standardised ranks, and the regulariser."""
        wanted = (ranks - self.rank_mean) / self.rank_scale
        error = F.mse_loss(self.numbers(outputs), wanted.to(outputs.dtype))
        return error + self.weight * negative_entropy(outputs, ranks, self.num_ranks)
