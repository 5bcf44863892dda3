"""Tip-Adapter: zero-shot, plus votes of the training images, which count more the nearer they are.

Source: Zhang et al. (2022). Tip-Adapter: training-free adaption of CLIP for few-shot
classification. ECCV 2022. https://arxiv.org/abs/2207.09519

Needs: a text encoder.

Parity: not official: the function is that of the authors' code, but keys are features of one view,
not means over ten augmented ones, and ``alpha`` and ``beta`` are tuned by validation MAE. With
``train_keys`` the step is selected on validation too (theirs selects it on the test images).
"""

from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Problem
from ordbench.prompts.sentence_head import TEMPLATES, SentenceHead
from ordbench.recipe import Recipe, SearchSpace


class TipAdapter(SentenceHead):
    """Adds ``alpha`` x sum of exp(``beta`` x (cosine - 1)) over the training images of a rank.

    Args:
        problem: See `SentenceHead`.
        alpha: Weight of the votes.
        beta: How fast votes fall with the distance.
        train_keys: Whether the features of the training images are trained as well, which is
            Tip-Adapter-F; if not, nothing is trained.
        template: As in `SentenceHead`.
    """

    recipe: ClassVar[Recipe] = Recipe(learning_rate=1e-3, batch_size=256)
    search: ClassVar[SearchSpace] = {
        "alpha": (1.0, 0.1, 0.3, 3.0, 10.0, 30.0),
        "beta": (5.5, 0.3, 1.0, 3.0, 10.0, 30.0),
    }
    train_ranks: Tensor

    def __init__(
        self,
        problem: Problem,
        *,
        alpha: float = 1.0,
        beta: float = 5.5,
        train_keys: bool = False,
        template: tuple[str, ...] = TEMPLATES,
    ) -> None:
        super().__init__(problem, template=template)
        self.alpha, self.beta, self.train_keys = alpha, beta, train_keys
        num_images = int(problem.train_counts.sum())
        self.fit(
            torch.zeros(num_images, problem.in_features),
            torch.zeros(num_images, dtype=torch.int64),
        )

    def fit(self, features: Tensor, ranks: Tensor) -> None:
        """Keep the training features ``(N, D)``, at unit length, and ranks ``(N,)``."""
        self.keys = nn.Parameter(F.normalize(features, dim=-1), requires_grad=self.train_keys)
        self.register_buffer("train_ranks", ranks)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K)``."""
        cosines = F.normalize(features, dim=-1) @ self.keys.T
        votes = (self.beta * (cosines - 1)).exp()
        ranks = torch.arange(self.num_ranks, device=self.train_ranks.device)
        is_rank = (self.train_ranks.unsqueeze(1) == ranks).to(votes.dtype)
        return super().forward(features) + self.alpha * (votes @ is_rank)

    def deployed(self) -> nn.Module:
        """The head itself, which has no text tower."""
        return self
