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

from ordbench.prompts.layout import PromptLayout

if TYPE_CHECKING:
    from ordbench.backbone import TextTower


class _Block(Protocol):
    """open_clip's `ResidualAttentionBlock`."""

    ln_1: nn.Module
    attn: nn.MultiheadAttention
    ls_1: nn.Module
    ln_2: nn.Module
    mlp: nn.Sequential
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
            rows = _finish(block, rows, mixed)
        block = self.blocks[-1]
        mixed = self._mix_ends(block.attn, block.ln_1(rows))
        rows = _finish(block, rows[self.ends], mixed)
        return _project(self.ln_final(rows), self.text_projection)

    def _mix_all(self, attn: nn.MultiheadAttention, rows: Tensor) -> Tensor:
        """Self-attention of all rows ``(P + K * S, W)``, before the output projection."""
        projected = linear(rows, attn.in_proj_weight, attn.in_proj_bias)
        (prefix, *shared), (suffix, *own) = self._split(projected, attn)
        p, s = self.num_prefix, self.num_suffix
        suffixes = attend(suffix, _Tokens(*shared), _Tokens(*own), self.mask[:s, :s])
        return torch.cat([_attend_to_itself(prefix, _Tokens(*shared), self.mask[:p, :p]), suffixes])

    def _mix_ends(self, attn: nn.MultiheadAttention, rows: Tensor) -> Tensor:
        """Attention of the K end tokens to all rows, before the output projection: ``(K, W)``."""
        width = rows.shape[-1]
        weight, bias = attn.in_proj_weight, attn.in_proj_bias
        queries = linear(rows[self.ends], weight[:width], bias[:width])
        queries = queries.reshape(self.num_ranks, 1, attn.num_heads, -1).permute(2, 0, 1, 3)
        shared, own = self._split(linear(rows, weight[width:], bias[width:]), attn)
        return attend(queries.contiguous(), _Tokens(*shared), _Tokens(*own), self.end_mask)

    def _split(
        self, projected: Tensor, attn: nn.MultiheadAttention
    ) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Of rows ``(P + K * S, n * W)``, n vectors of shared and of own tokens, as in `attend`."""
        sizes = [self.num_prefix, self.num_ranks * self.num_suffix]
        shared, own = torch.split(projected, sizes)
        heads, width = attn.num_heads, attn.head_dim
        shared = shared.reshape(self.num_prefix, -1, heads, width).permute(1, 2, 0, 3)
        own = own.reshape(self.num_ranks, self.num_suffix, -1, heads, width).permute(2, 3, 0, 1, 4)
        # Each is a block of memory: what a product copies does not depend on the replicas' number.
        return (
            tuple(tokens.contiguous() for tokens in shared.unbind()),
            tuple(tokens.contiguous() for tokens in own.unbind()),
        )


class _Tokens(NamedTuple):
    """What can be attended to: keys and values ``(H, ..., tokens, d)``."""

    keys: Tensor
    values: Tensor


def attend(queries: Tensor, shared: _Tokens, own: _Tokens, mask: Tensor) -> Tensor:
    """Attention of K groups of queries to shared tokens and to each group's own tokens.

    One softmax runs over both, but the shared keys and values are never copied K times: all groups'
    scores against them are one matrix product a head.

    Args:
        queries: ``(H, K, Q, d)``, H heads of width d.
        shared: P tokens, ``(H, P, d)``.
        own: S tokens a group, ``(H, K, S, d)``.
        mask: ``(Q, S)`` or ``(K, Q, S)``, added to the scores of the own tokens.

    Returns:
        ``(K * Q, H * d)``.
    """
    heads, groups, num, width = queries.shape
    queries = queries * width**-0.5
    to_shared = shared.keys @ queries.flatten(1, 2).mT
    to_own = _product(queries, own.keys.mT) + mask
    # (H, P + S, K * Q): a softmax over few tokens is ten times faster where they are not last.
    weights = torch.cat([to_shared, to_own.permute(0, 3, 1, 2).flatten(2)], 1).softmax(1)
    to_shared, to_own = torch.split(weights, [to_shared.shape[1], to_own.shape[3]], 1)
    to_own = to_own.reshape(heads, -1, groups, num).permute(0, 2, 3, 1).contiguous()
    mixed = to_shared.mT @ shared.values + _product(to_own, own.values).flatten(1, 2)
    return mixed.transpose(0, 1).flatten(1)


def _attend_to_itself(queries: Tensor, tokens: _Tokens, mask: Tensor) -> Tensor:
    """Attention of P tokens ``(H, P, d)`` to each other: ``(P, H * d)``."""
    scores = queries * math.pow(queries.shape[-1], -0.5) @ tokens.keys.mT + mask
    return (scores.softmax(-1) @ tokens.values).transpose(0, 1).flatten(1)


def _product(left: Tensor, right: Tensor) -> Tensor:
    """``left @ right`` of many small matrices, ``(..., M, L)`` and ``(..., L, N)``.

    Below 400 multiplications a matrix, torch multiplies them in a plain loop, three times slower
    than the library that it calls for larger ones; so rows of zeros make them large enough.
    """
    num = left.shape[-2]
    missing = math.ceil(400 / (left.shape[-1] * right.shape[-1])) - num
    if missing <= 0:
        return left @ right
    product = F.pad(left, (0, 0, 0, missing)) @ right
    return product[..., :num, :]


def linear(rows: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """`torch.nn.functional.linear` of ``(N, W)``, of which replicas share no product.

    Under ``vmap`` the plain one multiplies the rows of all replicas at once, and then the last
    bits of each depend on how many there are.
    """
    product = torch.bmm(rows.unsqueeze(0), weight.T.unsqueeze(0)).squeeze(0)
    return product if bias is None else product + bias


def _finish(block: _Block, rows: Tensor, mixed: Tensor) -> Tensor:
    """What a block does with its rows ``(N, W)`` once attention has mixed them."""
    out = block.attn.out_proj
    rows = rows + block.ls_1(linear(mixed, out.weight, out.bias))
    hidden = block.ln_2(rows)
    for layer in block.mlp:
        if isinstance(layer, nn.Linear):
            hidden = linear(hidden, layer.weight, layer.bias)
        else:
            hidden = layer(hidden)
    finished: Tensor = rows + block.ls_2(hidden)
    return finished


def _project(states: Tensor, projection: Tensor | nn.Module | None) -> Tensor:
    if projection is None:
        return states
    if isinstance(projection, nn.Module):
        projected: Tensor = projection(states)
        return projected
    return linear(states, projection.detach().T, None)
