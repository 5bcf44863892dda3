"""A randomly initialised text tower of open_clip, small unless asked otherwise."""

import functools
from typing import cast

import open_clip
import torch
from open_clip.model import CLIP, CLIPTextCfg, CLIPVisionCfg
from open_clip.transformer import TextTransformer
from torch import Tensor, nn

from ordbench.backbone import TextTower


@functools.cache
def _tokenizer() -> open_clip.SimpleTokenizer:
    return open_clip.SimpleTokenizer()


class RandomTower:
    """CLIP's vocabulary and token ids, weights that nobody trained."""

    sot = 49406
    eot = 49407
    pad = 0
    fingerprint = "random"

    def __init__(
        self,
        model: nn.Module,
        width: int,
        embed_dim: int,
        *,
        causal: bool,
        logit_scale: float = 1 / 0.07,
    ) -> None:
        self.model = model.eval().requires_grad_(False)
        self.width = width
        self.embed_dim = embed_dim
        self.causal = causal
        self.context_length = cast("int", model.context_length)
        self.logit_scale = logit_scale

    def tokenize(self, text: str) -> list[int]:
        return _tokenizer().encode(text)

    def embed(self, ids: Tensor) -> Tensor:
        embedded: Tensor = self.model.get_submodule("token_embedding")(ids)
        return embedded

    def encode(self, prompts: list[str]) -> Tensor:
        ids = _tokenizer()(prompts, self.context_length)
        encode = getattr(self.model, "encode_text", self.model)
        encoded: Tensor = encode(ids)
        return encoded


@functools.cache
def random_clip(
    *,
    width: int = 32,
    heads: int = 2,
    layers: int = 2,
    embed_dim: int = 24,
    context_length: int = 77,
    quick_gelu: bool = False,
    layer_scale: float | None = None,
    projection: str = "matrix",
    logit_scale: float = 1 / 0.07,
) -> TextTower:
    """CLIP's causal text tower; ``projection`` is a "matrix", a "linear" layer or "none"."""
    torch.manual_seed(0)
    text = CLIPTextCfg(
        context_length=context_length,
        width=width,
        heads=heads,
        layers=layers,
        ls_init_value=layer_scale,
        proj_type="none" if projection == "none" else "linear",
        proj_bias=projection == "linear",
    )
    image = CLIPVisionCfg(layers=1, width=64, image_size=32, patch_size=16)
    model = CLIP(embed_dim, image, text, quick_gelu=quick_gelu)
    for parameter in model.parameters():
        # Biases start at zero and scales at one; as random numbers, a lost one is missed.
        if parameter.ndim == 1:
            torch.nn.init.normal_(parameter, mean=parameter.detach().mean().item(), std=0.1)
    joint = width if projection == "none" else embed_dim
    return RandomTower(model, width, joint, causal=True, logit_scale=logit_scale)


def vit_b_32() -> TextTower:
    """The text tower of ViT-B-32."""
    return random_clip.__wrapped__(width=512, heads=8, layers=12, embed_dim=512)


def random_siglip() -> TextTower:
    """A tower which sees both ways and pools the last position, as SigLIP's."""
    torch.manual_seed(0)
    model = TextTransformer(
        context_length=16,
        width=32,
        heads=2,
        layers=2,
        output_dim=24,
        no_causal_mask=True,
        pool_type="last",
        proj_bias=True,
    )
    tower = RandomTower(model, 32, 24, causal=False)
    tower.sot = -1
    return tower
