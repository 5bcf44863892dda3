"""The text tower of an open_clip model with random weights, as ``clip:MODEL/random``.

Its latency depends on its size and not on its weights, so that timing needs no download.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import torch

from ordbench.backbones.clip.config import NO_IMAGES, build, model_config
from ordbench.backbones.clip.source import Source
from ordbench.backbones.clip.text_tower import ClipText

RANDOM = "random"  # the tag that names it: clip:ViT-B-32/random
LOGIT_SCALE = 100.0  # OpenAI's CLIPs


def random_text(model: str, *, device: str) -> ClipText:
    """Build the text tower of ``model``, an open_clip name of a CLIP such as ``ViT-B-32``.

    The weights are the same at each call.

    Raises:
        BackboneError: If open_clip has no such model.
    """
    what = f"clip:{model}/{RANDOM}"
    source = Source(what, Path(), model)
    config = model_config(source) | {"vision_cfg": NO_IMAGES}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        text = build(config).get_submodule("text")
    return ClipText(
        text.eval().requires_grad_(False).to(device),
        import_module("open_clip").SimpleTokenizer(),  # untyped
        logit_scale=LOGIT_SCALE,
        fingerprint=RANDOM,
        what=what,
    )
