"""POE: an image is a normal distribution of embeddings, and distributions are ordered by rank.

Source: Li, Huang, Lu, Feng, Zhou (2021). Learning probabilistic ordinal embeddings for
uncertainty-aware regression. CVPR 2021. https://arxiv.org/abs/2103.13629

Parity: agrees with golden values of the authors' code in both penalties. Not official: two layers
on frozen features take the place of a VGG-16, the variance is not predicted again at test time (the
posterior is that of the mean embedding, which their code reports too), and the recipe is
ordbench's own.
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import Head, Problem
from ordbench.nn import Standardized
from ordbench.recipe import Recipe, SearchSpace

NORM_EPSILON = 1e-3  # of the batch normalisation, as in the authors' code
DROPOUT = 0.5


def divergence_from_normal(means: Tensor, log_variances: Tensor) -> Tensor:
    """Mean KL divergence in nats of normal distributions ``(N, E)`` from the standard normal one.

    >>> divergence_from_normal(torch.ones(1, 3), torch.zeros(1, 3)).item()  # 1 / 2 a dimension
    1.5
    """
    losses = (means.square() + log_variances.exp() - log_variances - 1).sum(-1) / 2
    return losses.mean()


def ordinal_triplet_loss(
    means: Tensor, log_variances: Tensor, ranks: Tensor, num_ranks: int, margin: float
) -> Tensor:
    """Hinge loss of triplets: of two others, the one nearer in rank should be nearer by ``margin``.

    The others are the image that follows in the batch, and the one whose distance in rank differs
    from that one's, but least.

    Args:
        means: ``(N, E)``.
        log_variances: ``(N, E)``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        num_ranks: K.
        margin: In the sum of the KL divergences of two distributions from each other, in nats.

    Returns:
        Scalar, the mean over the images for which it is not so.
    """
    steps = (ranks.unsqueeze(1) - ranks).abs()
    following = torch.arange(len(ranks), device=ranks.device).roll(-1)
    gap = (ranks - ranks[following]).abs()
    differs = (steps - gap.unsqueeze(1)).abs()
    differs = differs.masked_fill(differs == 0, 2 * num_ranks)  # if there is no other, take it
    differs.fill_diagonal_(3 * num_ranks)
    third = differs.argmin(1)
    sign = (gap - steps.gather(1, third.unsqueeze(1)).squeeze(1)).sign()

    def distances(others: Tensor) -> Tensor:
        variances = log_variances.exp()
        between = (means - means[others]).square()
        ratio = (log_variances - log_variances[others]).cosh() * 2 - 2
        return (ratio + between / variances + between / variances[others]).sum(-1) / 2

    lacking = (distances(third) - distances(following)) * sign + margin
    counts = (lacking > 0) & (sign != 0)
    return (lacking * counts).sum() / counts.sum().clamp_min(1)


class ProbabilisticEmbedding(Head):
    """A mean and a variance in each dimension, of which embeddings are drawn and classified.

    Args:
        problem: See `Problem`.
        hidden: Width E of the embeddings.
        samples: Embeddings that are drawn for each image at a training step.
        alpha: Weight of `divergence_from_normal`.
        beta: Weight of `ordinal_triplet_loss`.
        margin: By how much, in nats, the nearer of two others in rank should be nearer.

    Raises:
        SpecError: If there are no samples.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=3e-3, weight_decay=1e-2)
    search: ClassVar[SearchSpace] = {"alpha": (1e-4, 1e-5, 1e-3), "beta": (1e-4, 1e-3, 1e-2)}
    batchable: ClassVar[bool] = False

    def __init__(
        self,
        problem: Problem,
        *,
        hidden: int = 128,
        samples: int = 50,
        alpha: float = 1e-4,
        beta: float = 1e-4,
        margin: float = 5.0,
    ) -> None:
        super().__init__(problem)
        if samples < 1:
            raise SpecError(f"samples={samples} must be at least 1")
        self.samples, self.alpha, self.beta, self.margin = samples, alpha, beta, margin
        self.standardized = Standardized(problem)
        self.mean = nn.Linear(problem.in_features, hidden)
        self.log_variance = nn.Linear(problem.in_features, hidden, bias=False)
        self.score = nn.Linear(hidden, self.num_ranks)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to means and unnormalised log-variances, ``(N, 2 E)``."""
        standardized = self.standardized(features)
        return torch.cat([self.mean(standardized).relu(), self.log_variance(standardized)], dim=1)

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """Cross-entropy in nats of the samples, and the two penalties."""
        means, raw = outputs.chunk(2, dim=1)
        scale = (raw.var(0, correction=0) + NORM_EPSILON).sqrt()
        log_variances = (raw - raw.mean(0)) / scale  # a normalisation by the batch
        noise = torch.randn(self.samples, *means.shape, dtype=means.dtype, device=means.device)
        drawn = F.dropout(means + (log_variances / 2).exp() * noise, DROPOUT, self.training)
        scores = self.score(drawn).flatten(0, 1)
        divergence = divergence_from_normal(means, log_variances)
        disorder = ordinal_triplet_loss(means, log_variances, ranks, self.num_ranks, self.margin)
        loss = F.cross_entropy(scores, ranks.repeat(self.samples))
        return loss + self.alpha * divergence + self.beta * disorder

    def posterior(self, outputs: Tensor) -> Tensor:
        """Softmax over the ranks of the mean embedding's scores, ``(N, K)``."""
        scores: Tensor = self.score(outputs.chunk(2, dim=1)[0])
        return scores.softmax(-1)
