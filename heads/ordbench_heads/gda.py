"""GDA: zero-shot, plus Gaussian discriminant analysis with one covariance for all ranks.

Source: Wang, Liang, Sheng, He, Wang, Tan (2024). A hard-to-beat baseline for training-free
CLIP-based adaptation. ICLR 2024. https://arxiv.org/abs/2402.04087

Needs: a text encoder.

Parity: agrees with the formula of the authors' code; a rank without a training image, which is not
a number there, is never predicted. Images are not augmented, and ``alpha`` is tuned by validation
MAE.
"""

from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.nn.links import NEVER
from ordbench.prompts.sentence_head import TEMPLATES, SentenceHead
from ordbench.recipe import SearchSpace


def discriminant(features: Tensor, ranks: Tensor, num_ranks: int) -> tuple[Tensor, Tensor]:
    """The linear discriminant of equally likely ranks, with a shrunk covariance.

    The precision is D x inverse of (scatter + trace of covariance x identity), after Kubokawa and
    Srivastava (2008), https://doi.org/10.1016/j.jmva.2008.01.016. Images without scatter, such as
    one a rank, have none: all ranks score the same.

    Args:
        features: ``(N, D)``.
        ranks: ``(N,)``, int64.
        num_ranks: K.

    Returns:
        Weight ``(K, D)``; bias ``(K,)``, `NEVER` where a rank has no image.
    """
    exact = features.double()
    is_rank = F.one_hot(ranks, num_ranks).double()
    counts = is_rank.sum(0)
    means = is_rank.T @ exact / counts.clamp_min(1).unsqueeze(1)
    centred = exact - means[ranks]
    scatter = centred.T @ centred
    trace = scatter.trace() / max(len(ranks) - 1, 1)
    shrunk = scatter + trace * torch.eye(len(scatter), dtype=scatter.dtype, device=scatter.device)
    precision = len(scatter) * torch.linalg.pinv(shrunk, hermitian=True)
    weight = means @ precision
    bias = -(weight * means).sum(1) / 2
    return weight.to(features.dtype), torch.where(counts > 0, bias, NEVER).to(features.dtype)


class GaussianDiscriminant(SentenceHead):
    """Adds ``alpha`` x `discriminant` of unit features.

    Args:
        problem: See `SentenceHead`.
        alpha: Weight of the discriminant.
        template: As in `SentenceHead`.
    """

    search: ClassVar[SearchSpace] = {"alpha": (1.0, 1e-4, 1e-3, 1e-2, 1e-1, 10.0, 100.0)}
    iterative: ClassVar[bool] = False
    seeded: ClassVar[bool] = False
    scores: Tensor
    offsets: Tensor

    def __init__(
        self, problem: Problem, *, alpha: float = 1.0, template: tuple[str, ...] = TEMPLATES
    ) -> None:
        super().__init__(problem, template=template)
        self.alpha = alpha
        self.register_buffer("scores", torch.zeros_like(self.text_features))
        self.register_buffer("offsets", torch.zeros(self.num_ranks))

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """See `discriminant`."""
        unit = F.normalize(features, dim=-1)
        self.scores, self.offsets = discriminant(unit, ranks, self.num_ranks)

    def weight(self) -> Tensor:
        """Scaled text features, and the discriminant's weight, ``(K, E)``."""
        return super().weight() + self.alpha * self.scores

    def bias(self) -> Tensor:
        """The discriminant's bias, ``(K,)``."""
        return (self.alpha * self.offsets).clamp_min(NEVER)
