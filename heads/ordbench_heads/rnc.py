"""Rank-N-Contrast: embeddings whose distances are ordered as those of the ranks, then a regression.

Source: Zha et al. (2023). Rank-N-Contrast: learning continuous representations for regression.
https://arxiv.org/abs/2210.01189

Parity: not official: a perceptron on frozen features is contrasted, not an encoder on two
augmented views; the loss has the values of the authors' code.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn import RegressionHead, encoder_of
from ordbench.nn.links import NEVER
from ordbench.recipe import Recipe, SearchSpace


def rank_n_contrast_loss(embeddings: Tensor, ranks: Tensor, temperature: float = 2.0) -> Tensor:
    """For each pair, how likely the partner is among those that are at least as far in rank.

    Args:
        embeddings: ``(N, E)``, not normalised.
        ranks: ``(N,)``, int64.
        temperature: Divides the distances of embeddings.

    Returns:
        Scalar, in nats per ordered pair.

    Of two images each is the other's only partner:

    >>> rank_n_contrast_loss(torch.tensor([[0.0], [3.0]]), torch.tensor([0, 1])).item()
    0.0
    """
    own = torch.eye(len(ranks), dtype=torch.bool, device=ranks.device)
    distances = torch.cdist(embeddings, embeddings, compute_mode="donot_use_mm_for_euclid_dist")
    similarities = (-distances / temperature).masked_fill(own, NEVER)
    # The farthest come first; a pair is compared with all up to the last of its own distance.
    apart, order = (ranks.unsqueeze(1) - ranks).abs().sort(dim=1, descending=True)
    similarities, own = similarities.gather(1, order), own.gather(1, order)
    is_last = F.pad(apart[:, 1:] < apart[:, :-1], (0, 1), value=True)
    places = torch.arange(len(ranks), device=ranks.device)
    last = torch.where(is_last, places, len(ranks)).flip(1).cummin(1).values.flip(1)
    totals = similarities.logcumsumexp(1).gather(1, last)
    losses = (totals - similarities).masked_fill(own, 0.0)
    return losses.sum() / (len(ranks) * max(len(ranks) - 1, 1))


class RankNContrast(RegressionHead):
    """A perceptron, trained by contrast and then frozen, and a linear regression on what it gives.

    Args:
        problem: See `Problem`.
        hidden: Width of the perceptron's hidden layer and of the embeddings.
        temperature: What distances are divided by in the loss of the first stage.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-3, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"temperature": (2.0, 0.5, 1.0, 4.0)}
    embedding_mean: Tensor
    embedding_scale: Tensor

    def __init__(self, problem: Problem, *, hidden: int = 128, temperature: float = 2.0) -> None:
        super().__init__(problem)
        self.temperature = temperature
        self.encoder = encoder_of(problem, hidden)
        self.register_buffer("embedding_mean", torch.zeros(hidden))
        self.register_buffer("embedding_scale", torch.ones(()))
        self.weight = nn.Parameter(torch.zeros(hidden))
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to embeddings ``(N, hidden)``."""
        embeddings: Tensor = self.encoder(features)
        return embeddings

    def first_loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `rank_n_contrast_loss`."""
        return rank_n_contrast_loss(outputs, ranks, self.temperature)

    @torch.no_grad()
    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """Freeze the perceptron; its embeddings are standardised as features are."""
        self.encoder.requires_grad_(False)
        embeddings = self(features)
        self.embedding_mean.copy_(embeddings.mean(0))
        scale = embeddings.var(0, correction=0).mean().sqrt()
        self.embedding_scale.copy_(scale if scale > 0 else torch.ones_like(scale))

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Mean absolute error in rank steps."""
        return F.l1_loss(self.raw(outputs), ranks.to(outputs.dtype))

    def numbers(self, outputs: Tensor) -> Tensor:
        """The regression on standardised embeddings, ``(N,)``."""
        standardized = (outputs - self.embedding_mean) / self.embedding_scale
        return (standardized * self.weight).sum(-1) + self.bias
