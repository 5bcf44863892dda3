"""Learned prompts: where each token of the K prompts comes from, and what all of them share."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import takewhile
from typing import Literal

import torch
from torch import Tensor

from ordbench.backbone import TextTower
from ordbench.errors import SpecError

Position = Literal["tail", "middle", "front"]
TOKEN_STD = 0.02  # of random prompt tokens, in CoOp and OrdinalCLIP


def embed_text(tower: TextTower, text: str) -> Tensor:
    """Token embeddings ``(t, W)`` of ``text``, without start and end, on the tower's device."""
    return embed_ids(tower, tower.tokenize(text))


def embed_ids(tower: TextTower, ids: Sequence[int]) -> Tensor:
    """Token embeddings ``(len(ids), W)``, on the tower's device."""
    return tower.embed(torch.tensor(ids, dtype=torch.long, device=device_of(tower))).detach()


def random_tokens(tower: TextTower, *shape: int) -> Tensor:
    """Token embeddings ``(*shape, W)`` from N(0, 0.02), on the tower's device.

    They are drawn on the CPU, so that a seed means the same on all devices.
    """
    return (TOKEN_STD * torch.randn(*shape, tower.width)).to(device_of(tower))


def device_of(tower: TextTower) -> torch.device:
    """Where the tower's weights lie."""
    return next(tower.model.parameters()).device


class PromptLayout:
    """K prompts ``start context rank . end`` as lists of rows of one pool of token embeddings.

    The pool ``(T, W)`` holds each token once: the fixed ones, then the context, then the tokens of
    rank 0, of rank 1 and so on. Two prompts share a token where they point to the same row.

    Args:
        tower: Gives the fixed tokens and the longest prompt allowed.
        context_tokens: Number M of context tokens.
        rank_lengths: Number of tokens of each of the K ranks; they may differ.
        position: The rank tokens stand behind the context, in its middle (after M // 2 tokens)
            or in front of it.
        rank_specific: Whether each rank has a context of its own.

    Attributes:
        prompts: K lists of pool rows, from the start token to the end token.
        ids: The token id that each of the fixed rows stands for; the last one pads.

    Raises:
        SpecError: If a rank has no token, or a prompt is longer than the tower takes.
    """

    def __init__(
        self,
        tower: TextTower,
        *,
        context_tokens: int,
        rank_lengths: Sequence[int],
        position: Position = "tail",
        rank_specific: bool = False,
    ) -> None:
        start = [tower.sot] if tower.sot >= 0 else []
        self.ids = [*start, *tower.tokenize("."), tower.eot, tower.pad]
        self.fixed = embed_ids(tower, self.ids)
        opening, ending = range(len(start)), range(len(start), len(self.ids) - 1)
        cut = {"tail": context_tokens, "middle": context_tokens // 2, "front": 0}[position]
        own_contexts = len(rank_lengths) if rank_specific else 1
        first_word = len(self.ids) + context_tokens * own_contexts
        self.prompts: list[list[int]] = []
        for rank, length in enumerate(rank_lengths):
            first = len(self.ids) + (context_tokens * rank if rank_specific else 0)
            words = range(first_word, first_word + length)
            before, after = range(first, first + cut), range(first + cut, first + context_tokens)
            self.prompts.append([*opening, *before, *words, *after, *ending])
            first_word += length
        self._check(rank_lengths, context_tokens, tower.context_length)

    def _check(self, rank_lengths: Sequence[int], context_tokens: int, longest: int) -> None:
        for rank, (length, prompt) in enumerate(zip(rank_lengths, self.prompts, strict=True)):
            if length < 1:
                raise SpecError(
                    f"the tokenizer makes no token of the name of rank {rank}; rename it"
                )
            if len(prompt) > longest:
                raise SpecError(
                    f"the prompt of rank {rank} has {len(prompt)} tokens ({context_tokens} of "
                    f"context, {length} of the rank), and the text encoder takes at most "
                    f"{longest}; shorten the context or the rank's name"
                )

    @property
    def pad_row(self) -> int:
        """The pool row that fills a prompt on its right."""
        return len(self.ids) - 1

    @property
    def num_shared(self) -> int:
        """How many tokens at the start are the same rows in all prompts; never the end token."""
        columns = zip(*(prompt[:-1] for prompt in self.prompts), strict=False)
        return sum(1 for _ in takewhile(lambda column: len(set(column)) == 1, columns))

    def padded(self, length: int) -> list[list[int]]:
        """The prompts, filled with `pad_row` up to ``length``."""
        return [prompt + [self.pad_row] * (length - len(prompt)) for prompt in self.prompts]

    def pool(self, context: Tensor, ranks: Tensor) -> Tensor:
        """Stack all tokens.

        Args:
            context: ``(M, W)``, or ``(K, M, W)`` where it is rank-specific.
            ranks: ``(sum of rank_lengths, W)``, the tokens of rank 0 first.

        Returns:
            ``(T, W)``, the rows that `prompts` points to.
        """
        return torch.cat([self.fixed, context.reshape(-1, self.fixed.shape[-1]), ranks])
