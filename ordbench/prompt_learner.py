"""What heads with learned prompts have in common: context, fastest encoder, loss both ways.

A head's source is hashed with its bases', so what two heads share stands here and not in one of
them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.backbone import TextTower
from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.prompt import Position, PromptLayout, embed_text, random_tokens
from ordbench.prompt_head import PromptHead, text_tower
from ordbench.prompt_prefix import PrefixEncoder
from ordbench.prompt_whole import WholeEncoder
from ordbench.recipe import Recipe

# A step costs the text tower, whatever the batch: large batches are all but free. From random
# tokens, validation gets worse before it gets better: patience is as long as the training.
# Rates and steps, here and in the heads, were chosen on validation.
PROMPT_RECIPE = Recipe(
    optimizer="radam", learning_rate=0.1, epochs=150, min_steps=200, batch_size=1024, patience=20
)


class PromptLearner(PromptHead):
    """Learns the context of the prompts; a subclass gives the tokens of the ranks.

    Args:
        problem: As in `PromptHead`.
        start: Words that the context starts from, or its number M of random tokens.
        rank_lengths: Number of tokens of each of the K ranks.
        position: Where these stand in the context.
        rank_specific: Whether each rank learns a context of its own.

    Attributes:
        context: ``(M, W)``, or ``(K, M, W)`` where it is rank-specific.

    Raises:
        SpecError: If there is no text tower, or if a prompt is too long or without context.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        start: str | int,
        rank_lengths: Sequence[int],
        position: Position,
        rank_specific: bool,
    ) -> None:
        super().__init__(problem)
        tower = text_tower(problem, type(self).__name__)
        copies = (self.num_ranks,) if rank_specific else ()
        context = initial_context(tower, start, *copies)
        self.context = nn.Parameter(context)
        layout = PromptLayout(
            tower,
            context_tokens=context.shape[-2],
            rank_lengths=rank_lengths,
            position=position,
            rank_specific=rank_specific,
        )
        self.encode = prompt_encoder(tower, layout)

    @abstractmethod
    def rank_tokens(self) -> Tensor:
        """Token embeddings ``(sum of rank_lengths, W)``, those of rank 0 first."""

    def prototypes(self) -> Tensor:
        """Text features ``(K, E)`` of the ranks' prompts, not unit length."""
        return self.encode(self.context, self.rank_tokens())


def two_way_loss(logits: Tensor, ranks: Tensor, kl_weight: float = 1.0) -> Tensor:
    """Cross-entropy over ranks, plus ``kl_weight`` x KL divergence over the images of the batch.

    For each rank in the batch, the softmax of its logits over the images is to be like the softmax
    of 10 x (1 where the image has this rank, else 0); the divergence is averaged over these ranks.

    Source: Li et al. (2022), the authors' code. https://arxiv.org/abs/2206.02338

    Args:
        logits: ``(N, K)``.
        ranks: ``(N,)``, int64, each in 0..K-1.
        kl_weight: Weight of the divergence; 0 leaves it out.

    Returns:
        Scalar, in nats.

    One image pays for its rank only, since over one image every softmax is 1:

    >>> round(two_way_loss(torch.zeros(1, 2), torch.tensor([0])).item(), 4)  # ln 2
    0.6931
    """
    image_to_text = F.cross_entropy(logits, ranks)
    if kl_weight == 0:
        return image_to_text
    is_rank = ranks == torch.arange(logits.shape[1], device=ranks.device).unsqueeze(1)
    log_target = (10 * is_rank.to(logits.dtype)).log_softmax(-1)
    divergence = (log_target.exp() * (log_target - logits.T.log_softmax(-1))).sum(-1)
    present = is_rank.any(-1)
    text_to_image = (divergence * present).sum() / present.sum()
    return image_to_text + kl_weight * text_to_image


def prompt_encoder(tower: TextTower, layout: PromptLayout) -> PrefixEncoder | WholeEncoder:
    """The fastest exact encoder of the prompts.

    It maps context and rank tokens, as in `PromptLayout.pool`, to text features ``(K, E)``, not
    unit length. It is no module, so a head that owns one neither trains nor saves the tower; it
    runs under ``torch.func.vmap``, and gradients reach the prompt tokens only.
    """
    return PrefixEncoder(tower, layout) if tower.causal else WholeEncoder(tower, layout)


def context_start(context: str | None, context_tokens: int | None, default: str | int) -> str | int:
    """What a context starts from, of two options that exclude each other, or else ``default``.

    Raises:
        SpecError: If both are given.
    """
    if context is not None and context_tokens is not None:
        raise SpecError(
            f"a context starts from words or from random tokens, got context={context!r} and "
            f"context_tokens={context_tokens}; leave one out"
        )
    if context is not None:
        return context
    return default if context_tokens is None else context_tokens


def initial_context(tower: TextTower, start: str | int, *copies: int) -> Tensor:
    """Context tokens ``(*copies, M, W)``: those of some words, or M random ones.

    Raises:
        SpecError: If M would be 0.
    """
    if isinstance(start, int):
        if start > 0:
            return random_tokens(tower, *copies, start)
    elif len(tokens := embed_text(tower, start)) > 0:
        return tokens.expand(*copies, *tokens.shape).clone()
    raise SpecError(
        f"the context of a prompt has no token: it was to start from {start!r}; "
        f"set context to some words, or context_tokens to 10, say"
    )
