"""The text tower of an open_clip model with random weights, as ``clip:MODEL/random``.

Its latency depends on its size and not on its weights, so that timing needs no download.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

import torch

from ordbench.backbones.clip.config import NO_IMAGES, build
from ordbench.backbones.clip.source import check_model
from ordbench.backbones.clip.text_tower import ClipText

RANDOM = "random"  # the tag that names it: clip:ViT-B-32/random
open_clip = import_module("open_clip")  # untyped
LOGIT_SCALE = 100.0  # OpenAI's CLIPs


def random_text(model: str, *, device: str) -> ClipText:
    """Build the text tower of ``model``, an open_clip name of a CLIP such as ``ViT-B-32``.

    The weights are the same at each call.

    Raises:
        BackboneError: If open_clip has no such model.
    """
    what = f"clip:{model}/{RANDOM}"
    check_model(model, what)
    config: dict[str, Any] = open_clip.get_model_config(model) | {"vision_cfg": NO_IMAGES}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        text = build(config).get_submodule("text")
    return ClipText(
        text.eval().requires_grad_(False).to(device),
        open_clip.SimpleTokenizer(),
        logit_scale=LOGIT_SCALE,
        fingerprint=RANDOM,
        what=what,
    )
