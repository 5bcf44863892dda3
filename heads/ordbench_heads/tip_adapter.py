"""Tip-Adapter: zero-shot, plus votes of the training images, which count more the nearer they are.

Source: Zhang et al. (2022). Tip-Adapter: training-free adaption of CLIP for few-shot
classification. ECCV 2022. https://arxiv.org/abs/2207.09519

Needs: a text encoder.

Parity: not official: the function is that of the authors' code, but keys are features of one view,
not means over ten augmented ones, and ``alpha`` and ``beta`` are tuned by validation MAE. With
``train_keys`` the step is selected on validation too (theirs selects it on the test images).
"""

from collections.abc import Mapping
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.head import Head, Problem, restore
from ordbench.prompts.head import DeployedPrompts, PromptClassifier
from ordbench.prompts.sentence_head import TEMPLATES, SentenceHead
from ordbench.recipe import Recipe, SearchSpace


class Votes(nn.Module):
    """``alpha`` x sum of exp(``beta`` x (cosine - 1)) over the training images of a rank.

    Args:
        features: ``(T, D)``, of the training images.
        ranks: ``(T,)``, int64.
        num_ranks: K.
        alpha: Weight of the votes.
        beta: How fast votes fall with the distance.
        train_keys: Whether the features are trained.

    Attributes:
        keys: ``(T, D)``, the features at unit length.
    """

    ranks: Tensor

    def __init__(
        self,
        features: Tensor,
        ranks: Tensor,
        *,
        num_ranks: int,
        alpha: float = 1.0,
        beta: float = 5.5,
        train_keys: bool = False,
    ) -> None:
        super().__init__()
        self.num_ranks, self.alpha, self.beta = num_ranks, alpha, beta
        self.keys = nn.Parameter(F.normalize(features, dim=-1), requires_grad=train_keys)
        self.register_buffer("ranks", ranks)

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to votes ``(N, K)``."""
        cosines = F.normalize(features, dim=-1) @ self.keys.T
        votes = (self.beta * (cosines - 1)).exp()
        ranks = torch.arange(self.num_ranks, device=self.ranks.device)
        is_rank = (self.ranks.unsqueeze(1) == ranks).to(votes.dtype)
        return self.alpha * (votes @ is_rank)

    def get_extra_state(self) -> Tensor:
        """``alpha`` and ``beta``, which stand in the ``state_dict``."""
        return torch.tensor([self.alpha, self.beta], dtype=torch.float64)

    def set_extra_state(self, state: Tensor) -> None:
        """Take ``alpha`` and ``beta`` from a ``state_dict``."""
        self.alpha, self.beta = state.tolist()


class VotingClassifier(nn.Module):
    """A trained Tip-Adapter without its text tower.

    Args:
        by_text: Classifies by the text features.
        votes: What is added.
    """

    def __init__(self, by_text: nn.Module, votes: Votes) -> None:
        super().__init__()
        self.by_text, self.votes = by_text, votes

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K)``."""
        logits: Tensor = self.by_text(features) + self.votes(features)
        return logits


class TipAdapter(SentenceHead):
    """Adds `Votes` to the logits.

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
        self.votes = Votes(
            features,
            ranks,
            num_ranks=self.num_ranks,
            alpha=self.alpha,
            beta=self.beta,
            train_keys=self.train_keys,
        )

    def forward(self, features: Tensor) -> Tensor:
        """Map features ``(N, D)`` to logits ``(N, K)``."""
        logits: Tensor = super().forward(features) + self.votes(features)
        return logits

    def deployed(self) -> nn.Module:
        """The text features and the votes; no text tower."""
        return VotingClassifier(super().deployed(), self.votes)

    @classmethod
    def rebuilt(cls, problem: Problem, state: Mapping[str, Tensor], **options: Any) -> Head:  # noqa: ANN401
        """See `PromptHead.rebuilt`."""
        by_text = PromptClassifier(state["by_text.prototypes"], None)
        votes = Votes(state["votes.keys"], state["votes.ranks"], num_ranks=problem.task.num_ranks)
        classifier = VotingClassifier(by_text, votes)
        restore(classifier, state)
        return DeployedPrompts(problem, classifier)
