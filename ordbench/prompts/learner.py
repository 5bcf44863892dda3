"""What heads with learned prompts have in common: context, fastest encoder, loss both ways.

A head's source is hashed with its bases', so what two heads share stands here and not in one of
them.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ordbench.backbone import TextTower
from ordbench.errors import SpecError
from ordbench.head import Problem
from ordbench.prompts.full_encoder import WholeEncoder
from ordbench.prompts.head import PromptHead, text_tower
from ordbench.prompts.layout import Position, PromptLayout, embed_text, random_tokens
from ordbench.prompts.prefix_encoder import PrefixEncoder
from ordbench.prompts.rank_words import Words, rank_words
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
        tower = text_tower(problem)
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


class NameLearner(PromptLearner):
    """The tokens of the ranks start as those of their names.

    Args:
        problem: As in `PromptLearner`.
        start: As in `PromptLearner`.
        position: As in `PromptLearner`.
        rank_specific: As in `PromptLearner`.
        words: How the rank is said; see `rank_words`.
        train_names: Whether the tokens are learned.

    Raises:
        SpecError: As for `PromptLearner`, and if the ranks cannot be said so.
    """

    def __init__(
        self,
        problem: Problem,
        *,
        start: str | int,
        position: Position = "tail",
        rank_specific: bool = False,
        words: Words = "name",
        train_names: bool = True,
    ) -> None:
        tower = text_tower(problem)
        names = [embed_text(tower, name) for name in rank_words(problem.task.prompt_names, words)]
        super().__init__(
            problem,
            start=start,
            rank_lengths=[len(name) for name in names],
            position=position,
            rank_specific=rank_specific,
        )
        self.names = nn.Parameter(torch.cat(names), requires_grad=train_names)

    def rank_tokens(self) -> Tensor:
        """The names' tokens."""
        return self.names


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
            f"a context starts from words or from random tokens, got both context={context!r} and "
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
        f"the context of the prompts has no token, as it starts from {start!r}; set context to "
        "some words, or context_tokens to a number such as 10"
    )
