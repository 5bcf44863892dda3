"""OrdinalCLIP: learned prompts whose rank tokens are interpolated between a few base ranks.

Source: Li, Huang, Zhu, Tang, Li, Zhou, Lu (2022). OrdinalCLIP: learning rank prompts for
language-guided ordinal regression. NeurIPS 2022. https://arxiv.org/abs/2206.02338;
where paper and code differ, the authors' code is followed.

Needs: a text encoder.

Parity: agrees with the authors' code, written a second time in the tests, in prompts, interpolation
and loss. Not official: the image encoder is frozen, and the recipe is ordbench's own.
"""

from typing import ClassVar, Literal

import torch
from torch import Tensor, nn

from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.nn.losses import two_way_loss
from ordbench.prompts.head import text_tower
from ordbench.prompts.layout import Position, random_tokens
from ordbench.prompts.learner import PROMPT_RECIPE, PromptLearner, context_start
from ordbench.recipe import Recipe, SearchSpace

Interpolation = Literal["linear", "inverse", "piecewise-linear"]


def interpolation_weights(num_ranks: int, base_ranks: int, how: Interpolation) -> Tensor:
    """How much of each base rank is in each rank.

    Base ranks stand evenly from rank 0 to rank K - 1; a single one stands in the middle. With d
    the distance in rank steps, a weight is 1 - d / (K - 1) (``linear``, the paper's choice, which
    does not reproduce the base ranks), 1 / (d + 1e-5) (``inverse``) or, not in the paper, falls
    from 1 to 0 at the next base rank (``piecewise-linear``). Then each row is divided by its sum.

    Args:
        num_ranks: K.
        base_ranks: B, at least 1.
        how: The law.

    Returns:
        ``(K, B)``, rows sum to 1.

    >>> interpolation_weights(5, 2, "linear")[1].tolist()  # d = 1, 3 of 4
    [0.75, 0.25]
    >>> interpolation_weights(5, 3, "piecewise-linear")[1].tolist()  # half way to the second
    [0.5, 0.5, 0.0]
    """
    last = num_ranks - 1
    ranks = torch.arange(num_ranks, dtype=torch.float64)
    if base_ranks == 1:
        positions = torch.tensor([last / 2], dtype=torch.float64)
    else:
        positions = torch.linspace(0, last, base_ranks, dtype=torch.float64)
    distances = (ranks.unsqueeze(1) - positions).abs()
    match how:
        case "linear":
            weights = 1 - distances / last
        case "inverse":
            weights = 1 / (distances + 1e-5)
        case "piecewise-linear":
            weights = (1 - distances * (base_ranks - 1) / last).clamp(min=0)
    return (weights / weights.sum(1, keepdim=True)).float()


class OrdinalCLIP(PromptLearner):
    """Learns a context and a few base ranks; the text encoder is frozen.

    Args:
        problem: As in `PromptLearner`.
        base_ranks: Number B of learned ranks, of which the others are made.
        interpolation: How the others are made: by weights that fall with the distance to a base
            rank along a line, by its inverse, or to zero at the next base rank.
        tokens_per_rank: Number t of tokens that stand for a rank.
        position: Where these stand in the context.
        context: Words that the context starts from; by default, the task's own.
        context_tokens: Instead of words, this many random tokens.
        rank_specific_context: Whether each rank learns a context of its own.
        kl_weight: Weight of the divergence over the images of a batch; 0 leaves it out.

    Raises:
        SpecError: As for `PromptLearner`, and if a number is too small.
    """

    recipe: ClassVar[Recipe] = PROMPT_RECIPE.model_copy(update={"learning_rate": 0.2})
    search: ClassVar[SearchSpace] = {"base_ranks": (3, 5, 8)}
    weights: Tensor

    def __init__(
        self,
        problem: Problem,
        *,
        base_ranks: int = 3,
        interpolation: Interpolation = "linear",
        tokens_per_rank: int = 1,
        position: Position = "tail",
        context: str | None = None,
        context_tokens: int | None = None,
        rank_specific_context: bool = False,
        kl_weight: float = 1.0,
    ) -> None:
        for name, value in (("base_ranks", base_ranks), ("tokens_per_rank", tokens_per_rank)):
            if value < 1:
                raise SpecError(f"{name}={value} must be at least 1")
        if kl_weight < 0:
            raise SpecError(f"kl_weight={kl_weight} must be at least 0")
        super().__init__(
            problem,
            start=context_start(context, context_tokens, default=problem.task.context),
            rank_lengths=[tokens_per_rank] * problem.task.num_ranks,
            position=position,
            rank_specific=rank_specific_context,
        )
        tower = text_tower(problem)
        self.kl_weight = kl_weight
        self.base_ranks = nn.Parameter(random_tokens(tower, base_ranks, tokens_per_rank))
        weights = interpolation_weights(self.num_ranks, base_ranks, interpolation)
        self.register_buffer("weights", weights.to(self.base_ranks.device), persistent=False)

    def rank_tokens(self) -> Tensor:
        """Interpolated between the base ranks, ``(K * t, W)``."""
        ranks = self.weights @ self.base_ranks.flatten(1)
        return ranks.reshape(-1, self.base_ranks.shape[-1])

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """See `two_way_loss`."""
        return two_way_loss(outputs, ranks, self.kl_weight)
