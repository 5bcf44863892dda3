"""The plain prompt encoder: K prompts of 77 tokens, as the official OrdinalCLIP code does it."""

from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor

from ordbench.backbone import TextTower
from ordbench.prompts.layout import Position


def encode_77(
    tower: TextTower, context: Tensor, ranks: Sequence[Tensor], position: Position = "tail"
) -> Tensor:
    """Text features ``(K, E)`` of context ``(M, W)`` or ``(K, M, W)`` and K rank tokens ``(t, W)``.

    Layout, padding by the embedding of token 0 and pooling at the largest pseudo id follow
    rank_prompt_learner.py and ordinalclip.py of the official code.
    """
    model = tower.model
    special = torch.tensor([49406, 269, 49407, 0], device=context.device)
    sot, stop, eot, pad = tower.embed(special).split(1)
    sentences: list[Tensor] = []
    pseudo_ids = torch.zeros(len(ranks), 77, dtype=torch.long, device=context.device)
    for k, rank in enumerate(ranks):
        ctx = context[k] if context.ndim == 3 else context
        half = len(ctx) // 2
        body = {
            "tail": [ctx, rank],
            "middle": [ctx[:half], rank, ctx[half:]],
            "front": [rank, ctx],
        }[position]
        tokens = torch.cat([sot, *body, stop, eot])
        pseudo_ids[k, : len(tokens)] = torch.arange(len(tokens))
        sentences.append(torch.cat([tokens, pad.expand(77 - len(tokens), -1)]))
    states = torch.stack(sentences) + model.get_parameter("positional_embedding")
    states = model.get_submodule("transformer")(states, attn_mask=model.get_buffer("attn_mask"))
    states = model.get_submodule("ln_final")(states)
    ends = states[torch.arange(len(ranks)), pseudo_ids.argmax(-1)]
    projection = cast("Tensor | torch.nn.Linear | None", model.text_projection)
    if projection is None:
        return ends
    return projection(ends) if isinstance(projection, torch.nn.Linear) else ends @ projection
