"""CLIP-DR: learned context and rank names, whose logits are to fall rank by rank from the image's.

Source: Yu et al. (2024). CLIP-DR: textual knowledge-guided diabetic retinopathy grading with
ranking-aware prompting. MICCAI 2024. https://arxiv.org/abs/2407.04068

Needs: a text encoder.

Parity: agrees with the authors' code in the loss, written a second time in the tests, for five
ranks. Not official: for other numbers of ranks it is their rule for five, the image encoder is
frozen, and the recipe is ordbench's own.
"""

from typing import ClassVar

import torch
from torch import Tensor

from ordbench.head import Problem
from ordbench.nn.losses import two_way_loss
from ordbench.prompts.learner import PROMPT_RECIPE, NameLearner, context_start
from ordbench.prompts.rank_words import Words
from ordbench.recipe import Recipe

NEIGHBOURS = 3  # on each side


def neighbour_losses(logits: Tensor, ranks: Tensor) -> Tensor:
    """Cross-entropies of the image's rank and its next two, each against the rank beyond it.

    On each side there are three, in which all logits but those of the two ranks are 0. What would
    lie below rank 0 or above K - 1 costs nothing.

    Args:
        logits: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.

    Returns:
        ``(N,)``, in nats.

    Of two ranks, an undecided model pays ln 2 for the own one on both sides, and for the other:

    >>> neighbour_losses(torch.zeros(1, 2), torch.tensor([0]))  # 3 ln 2
    tensor([2.0794])
    """
    all_ranks = torch.arange(logits.shape[1], device=ranks.device)
    total = torch.zeros_like(logits[:, 0])
    for side in (-1, 1):
        for step in range(NEIGHBOURS):
            near = (ranks + side * step).unsqueeze(1)
            is_near = all_ranks == near
            kept = torch.where(is_near | (all_ranks == near + side), logits, 0.0)
            total = total - (kept.log_softmax(-1) * is_near).sum(-1)
    return total


class ClipDR(NameLearner):
    """Learns the context and the names of the ranks.

    Args:
        problem: As in `NameLearner`.
        context: Words that the context starts from; by default, the task's own.
        context_tokens: Instead of words, this many random tokens.
        words: How the rank is said; see `rank_words`.

    Raises:
        SpecError: As for `NameLearner`.
    """

    recipe: ClassVar[Recipe] = PROMPT_RECIPE

    def __init__(
        self,
        problem: Problem,
        *,
        context: str | None = None,
        context_tokens: int | None = None,
        words: Words = "name",
    ) -> None:
        start = context_start(context, context_tokens, problem.task.context)
        super().__init__(problem, start=start, words=words)

    def loss(self, outputs: Tensor, ranks: Tensor) -> Tensor:
        """`two_way_loss`, and the mean of `neighbour_losses`."""
        return two_way_loss(outputs, ranks) + neighbour_losses(outputs, ranks).mean()
