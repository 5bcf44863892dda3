"""Prompts to prototypes by the library's own forward pass, for towers which are not like CLIP's.

SigLIP, for one, is not causal, and pools elsewhere: there is no prefix to encode once.
"""

from __future__ import annotations

import logging
import timeit
from collections.abc import Callable
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from ordbench.prompts.layout import PromptLayout, device_of

if TYPE_CHECKING:
    from collections.abc import Generator

    from ordbench.backbone import TextTower

logger = logging.getLogger(__name__)

STEPS = 200  # the least that the recipe of prompt heads makes
BACKWARD = 3  # a step takes about so many forward passes
NOTICEABLE = 60.0  # seconds
_announced: set[tuple[str, torch.Size]] = set()


class WholeEncoder:
    """Encodes prompts by the library's own forward pass: any mask, any pooling, all padding.

    The embedding layer is made to answer with our tokens; the ids only say where a prompt ends.

    Args:
        tower: Any tower whose model looks ids up in ``token_embedding``.
        layout: The prompts.
    """

    def __init__(self, tower: TextTower, layout: PromptLayout) -> None:
        model = tower.model
        self.layout = layout
        text = model.text if hasattr(model, "text") else model
        self.embedding = cast("nn.Module", text).get_submodule("token_embedding")
        self.encode = cast("Callable[[Tensor], Tensor]", getattr(model, "encode_text", model))
        # A word that is not mistaken for a special token by a library that looks for those.
        word = next(i for i in range(4) if i not in {tower.sot, tower.eot, tower.pad})
        device = device_of(tower)
        self.rows = torch.tensor(layout.padded(tower.context_length), device=device)
        ids = torch.tensor(layout.ids, device=device)
        is_fixed = self.rows < len(ids)
        self.ids = torch.where(is_fixed, ids[self.rows.clamp(max=len(ids) - 1)], word)
        if (tower.fingerprint, self.ids.shape) not in _announced:
            _announced.add((tower.fingerprint, self.ids.shape))
            self._announce_cost()

    def _announce_cost(self) -> None:
        """Say beforehand what a training may cost, where that is more than a moment."""
        with torch.no_grad():
            passes = timeit.repeat(lambda: self.encode(self.ids), number=1, repeat=2)
        seconds = STEPS * BACKWARD * min(passes)  # the first one also makes ready
        if seconds > NOTICEABLE:
            prompts, tokens = self.ids.shape
            logger.warning(
                "this text encoder is not causal, so each training step encodes all %d prompts "
                "of %d tokens; %d steps take about %.0f minutes on this device",
                *(prompts, tokens, STEPS, seconds / 60),
            )

    def __call__(self, context: Tensor, ranks: Tensor) -> Tensor:
        """Encode; arguments as in `PromptLayout.pool`, text features ``(K, E)`` come back."""
        tokens = self.layout.pool(context, ranks)[self.rows]

        def answer(module: nn.Module, inputs: object, output: Tensor) -> Tensor:
            return tokens

        hook = self.embedding.register_forward_hook(answer)
        try:
            with _batchable_attention():
                return self.encode(self.ids)
        finally:
            hook.remove()


@contextmanager
def _batchable_attention() -> Generator[None]:
    """Keep to the attention kernels that ``torch.func.vmap`` can batch."""
    fast_path = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        with sdpa_kernel(SDPBackend.MATH):
            yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fast_path)
