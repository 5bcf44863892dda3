"""Prompts to prototypes: what all prompts share is encoded once, and only what reaches EOT.

CLIP's text transformer is causal, so the state of the end token (EOT) of K prompts is exact when
1. padding is left out, 2. the tokens that open all K prompts are encoded once, and the K suffixes
attend to their keys and values, 3. the last block asks for EOT only.

Source: the transformer of Radford et al. (2021). Learning transferable visual models from natural
language supervision. https://arxiv.org/abs/2103.00020
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple, Protocol, cast

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from ordbench.prompt import PromptLayout

if TYPE_CHECKING:
    from ordbench.backbone import TextTower


class _Block(Protocol):
    """open_clip's `ResidualAttentionBlock`."""

    ln_1: nn.Module
    attn: nn.MultiheadAttention
    ls_1: nn.Module
    ln_2: nn.Module
    mlp: nn.Module
    ls_2: nn.Module


class PrefixEncoder:
    """Encodes K prompts of a causal tower; of the tokens that open all of them, one copy.

    All distinct tokens are rows of one matrix ``(P + K * S, W)``: a prefix of P shared tokens, then
    K suffixes of S tokens each. A short suffix is padded behind EOT, which nothing there reaches.

    Args:
        tower: A causal tower.
        layout: The prompts.
    """

    def __init__(self, tower: TextTower, layout: PromptLayout) -> None:
        model = tower.model
        blocks = model.get_submodule("transformer.resblocks").children()
        self.blocks = [cast("_Block", block) for block in blocks]
        self.ln_final = model.get_submodule("ln_final")
        self.text_projection = cast("Tensor | nn.Module | None", model.text_projection)
        self.layout = layout

        embedding = model.get_parameter("positional_embedding").detach()
        lengths = [len(prompt) for prompt in layout.prompts]
        longest = max(lengths)
        self.num_ranks, self.num_prefix = len(lengths), layout.num_shared
        self.num_suffix = longest - self.num_prefix
        prompts = torch.tensor(layout.padded(longest), device=embedding.device)
        self.rows = self._distinct(prompts)
        positions = torch.arange(longest, device=embedding.device).expand_as(prompts)
        self.positions = embedding[self._distinct(positions)]

        ends = torch.tensor(lengths, device=embedding.device) - 1 - self.num_prefix
        suffixes = torch.arange(self.num_ranks, device=embedding.device) * self.num_suffix
        self.ends = self.num_prefix + suffixes + ends
        self.mask = torch.full((longest, longest), -math.inf, device=embedding.device).triu(1)
        self.end_mask = self.mask[ends, : self.num_suffix].unsqueeze(1)

    def _distinct(self, table: Tensor) -> Tensor:
        """Of a table ``(K, P + S)``, the shared prefix once and all suffixes: ``(P + K * S,)``."""
        return torch.cat([table[0, : self.num_prefix], table[:, self.num_prefix :].flatten()])

    def __call__(self, context: Tensor, ranks: Tensor) -> Tensor:
        """Encode; arguments as in `PromptLayout.pool`, text features ``(K, E)`` come back."""
        rows = self.layout.pool(context, ranks)[self.rows] + self.positions
        for block in self.blocks[:-1]:
            mixed = self._mix_all(block.attn, block.ln_1(rows))
            rows = _add_mlp(block, rows + block.ls_1(block.attn.out_proj(mixed)))
        block = self.blocks[-1]
        mixed = self._mix_ends(block.attn, block.ln_1(rows))
        rows = _add_mlp(block, rows[self.ends] + block.ls_1(block.attn.out_proj(mixed)))
        return _project(self.ln_final(rows), self.text_projection)

    def _mix_all(self, attn: nn.MultiheadAttention, rows: Tensor) -> Tensor:
        """Self-attention of all rows ``(P + K * S, W)``, before the output projection."""
        projected = F.linear(rows, attn.in_proj_weight, attn.in_proj_bias)
        queries, keys, values = projected.reshape(len(rows), 3, attn.num_heads, -1).unbind(1)
        shared, own = self._split(keys, values)
        p, s = self.num_prefix, self.num_suffix
        # To itself, the prefix is one group which shares no token with others.
        itself = _Tokens(shared.keys.unsqueeze(0), shared.values.unsqueeze(0))
        nothing = _Tokens(keys[:0], values[:0])
        prefix = attend(queries[:p].unsqueeze(0), nothing, itself, self.mask[:p, :p])
        suffixes = attend(self._suffixes(queries), shared, own, self.mask[:s, :s])
        return torch.cat([prefix, suffixes])

    def _mix_ends(self, attn: nn.MultiheadAttention, rows: Tensor) -> Tensor:
        """Attention of the K end tokens to all rows, before the output projection: ``(K, W)``."""
        width, heads = rows.shape[-1], attn.num_heads
        weight, bias = attn.in_proj_weight, attn.in_proj_bias
        queries = F.linear(rows[self.ends], weight[:width], bias[:width])
        projected = F.linear(rows, weight[width:], bias[width:])
        keys, values = projected.reshape(len(rows), 2, heads, -1).unbind(1)
        shared, own = self._split(keys, values)
        queries = queries.reshape(self.num_ranks, 1, heads, -1)
        return attend(queries, shared, own, self.end_mask)

    def _split(self, keys: Tensor, values: Tensor) -> tuple[_Tokens, _Tokens]:
        p = self.num_prefix
        own = _Tokens(self._suffixes(keys), self._suffixes(values))
        return _Tokens(keys[:p], values[:p]), own

    def _suffixes(self, rows: Tensor) -> Tensor:
        suffixes = rows[self.num_prefix :]
        return suffixes.reshape(self.num_ranks, self.num_suffix, *suffixes.shape[1:])


class _Tokens(NamedTuple):
    """What can be attended to: keys and values ``(..., tokens, H, d)``."""

    keys: Tensor
    values: Tensor


def attend(queries: Tensor, shared: _Tokens, own: _Tokens, mask: Tensor) -> Tensor:
    """Attention of K groups of queries to shared tokens and to each group's own tokens.

    One softmax runs over both, but the shared keys and values are never copied K times: all groups'
    scores against them are one matrix product a head.

    Args:
        queries: ``(K, Q, H, d)``, H heads of width d.
        shared: P tokens, ``(P, H, d)``.
        own: S tokens a group, ``(K, S, H, d)``.
        mask: ``(Q, S)`` or ``(K, Q, S)``, added to the scores of the own tokens.

    Returns:
        ``(K * Q, H * d)``.
    """
    queries = queries * queries.shape[-1] ** -0.5
    to_shared = torch.einsum("kqhd,phd->kqhp", queries, shared.keys)
    to_own = torch.einsum("kqhd,kshd->kqhs", queries, own.keys) + mask.unsqueeze(-2)
    weights = torch.cat([to_shared, to_own], -1).softmax(-1)
    to_shared, to_own = torch.split(weights, [to_shared.shape[-1], to_own.shape[-1]], -1)
    mixed = torch.einsum("kqhp,phd->kqhd", to_shared, shared.values)
    mixed = mixed + torch.einsum("kqhs,kshd->kqhd", to_own, own.values)
    return mixed.flatten(0, 1).flatten(-2)


def _add_mlp(block: _Block, rows: Tensor) -> Tensor:
    added: Tensor = rows + block.ls_2(block.mlp(block.ln_2(rows)))
    return added


def _project(states: Tensor, projection: Tensor | nn.Module | None) -> Tensor:
    if projection is None:
        return states
    if isinstance(projection, nn.Module):
        projected: Tensor = projection(states)
        return projected
    return states @ projection.detach()
