"""The model of ``clip:tiny``: a small CLIP of open_clip's class, its files, its text pass."""

import json
import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import open_clip
import torch
from open_clip.model import CLIP
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional as F

CONFIG: dict[str, Any] = {
    "model_cfg": {
        "embed_dim": 128,
        "vision_cfg": {
            "image_size": 64,
            "patch_size": None,
            "width": 12,
            "head_width": 64,
            "layers": [2, 2, 2, 1],
        },
        "text_cfg": {
            "context_length": 77,
            "vocab_size": 49408,
            "width": 96,
            "heads": 4,
            "layers": 3,
        },
    },
    "preprocess_cfg": {
        "mean": [0.5, 0.5, 0.5],
        "std": [0.5, 0.5, 0.5],
        "interpolation": "bicubic",
        "resize_mode": "shortest",
    },
}
CONFIG_NAME, WEIGHTS_NAME = "open_clip_config.json", "model.safetensors"


def build() -> CLIP:
    """An untrained model."""
    return CLIP(**CONFIG["model_cfg"])


def save(model: CLIP, folder: Path) -> None:
    """Write configuration and weights (float16); a file appears whole or not at all."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {name: value.contiguous() for name, value in model.state_dict().items()}
    weights = {n: v.half() if v.is_floating_point() else v for n, v in state.items()}
    _replace(folder / WEIGHTS_NAME, lambda path: save_file(weights, path))
    text = json.dumps(CONFIG, indent=2) + "\n"
    _replace(folder / CONFIG_NAME, lambda path: path.write_text(text))


def load(folder: Path) -> CLIP:
    """Read a model that `save` wrote, in float32 and in evaluation mode."""
    config = json.loads((folder / CONFIG_NAME).read_text())
    model = CLIP(**config["model_cfg"])
    weights = load_file(folder / WEIGHTS_NAME)
    model.load_state_dict(weights, strict=True)  # copies float16 into float32
    return model.eval()


def tokens(texts: list[str]) -> Tensor:
    """CLIP's tokens of texts, ``(N, 77)``."""
    found: Tensor = open_clip.tokenize(texts, context_length=77)
    return found


def text_features(model: CLIP, texts: Tensor, noise: float = 0.0) -> Tensor:
    """What ``model.encode_text`` says, of as many tokens as the longest text has.

    Causal attention makes the two equal: nothing after the end token reaches it.

    Args:
        model: The model.
        texts: Tokens ``(N, 77)``.
        noise: Standard deviation of noise on the embeddings, as a share of theirs.
    """
    length = int(texts.argmax(1).max()) + 1
    embedded = model.token_embedding(texts[:, :length])
    if noise > 0:
        embedded = embedded + noise * embedded.detach().std() * torch.randn_like(embedded)
    hidden = embedded + model.positional_embedding[:length]
    hidden = model.transformer(hidden, attn_mask=model.attn_mask[:length, :length])
    ends = hidden[torch.arange(len(texts)), texts.argmax(1)]
    features: Tensor = model.ln_final(ends) @ model.text_projection
    return features


@torch.no_grad()
def zero_shot(model: CLIP, images: Tensor, template: str, names: dict[str, float]) -> Tensor:
    """Expected value of normalised images, ``(N,)``, by a template and what names stand for."""
    texts = tokens([template.format(name) for name in names])
    text = F.normalize(text_features(model, texts), dim=-1)
    scale = min(math.exp(float(model.logit_scale)), 100.0)
    image = F.normalize(encode(model, images), dim=-1)
    return (scale * image @ text.T).softmax(1) @ torch.tensor(list(names.values()))


@torch.no_grad()
def encode(model: CLIP, images: Tensor) -> Tensor:
    """Image features ``(N, D)``, not unit length, in batches."""
    return torch.cat([model.encode_image(batch) for batch in torch.split(images, 256)])


def _replace(path: Path, write: Callable[[Path], object]) -> None:
    partial = path.with_suffix(".partial")
    write(partial)
    os.replace(partial, path)
