"""The text side of an open_clip model, built and read without the image side."""

from __future__ import annotations

from importlib import import_module
from textwrap import shorten
from typing import Any, cast

import torch
from torch import Tensor, nn

from ordbench.backbones.checkpoints import read_tensors
from ordbench.backbones.clip.config import NO_IMAGES, build, model_config
from ordbench.backbones.clip.source import Source
from ordbench.backbones.weights import load_strictly
from ordbench.errors import BackboneError, SpecError
from ordbench.utils.text import one_line

# How a file names the text tower, unless it is below ``text.``.
_BARE = ("transformer.", "token_embedding.", "positional_embedding", "ln_final.", "text_projection")


def load_text(source: Source, *, fingerprint: str, device: str) -> ClipText:
    """The text side, from the tensors that are not the image side's.

    Raises:
        BackboneError: If the weights are another model's, or the tower takes no embeddings.
    """
    config = model_config(source)
    hugging_face = config["text_cfg"].get("hf_model_name")
    if hugging_face:
        raise BackboneError(
            f"backbone {source.what}: its text encoder {hugging_face} does not accept token "
            "embeddings, so prompts cannot be learned with it; use another one, such as "
            "--text clip:RN50/openai"
        )
    text = build(config | {"vision_cfg": NO_IMAGES}).get_submodule("text")
    tensors = read_tensors(
        source.weights,
        what=source.what,
        wanted=lambda name: name == "logit_scale" or name.startswith(("text.", *_BARE)),
    )
    scale = tensors.pop("logit_scale", None)
    if scale is None:
        raise BackboneError(
            f"backbone {source.what}: {source.weights} has no logit_scale; wanted the weights of a "
            "whole CLIP model"
        )
    named = {name.removeprefix("text."): tensor for name, tensor in tensors.items()}
    load_strictly(text, named, what=source.what)
    setattr(text, "output_tokens", False)  # noqa: B010 - CoCa would give its tokens as well
    return ClipText(
        text.eval().requires_grad_(False).to(device),
        _tokenizer(source),
        logit_scale=float(scale.float().exp()),
        fingerprint=fingerprint,
        what=source.what,
    )


def _tokenizer(source: Source) -> Any:  # noqa: ANN401 - open_clip's tokenizers share no type
    name = f"local-dir:{source.folder}" if source.folder else source.model
    try:
        return import_module("open_clip").get_tokenizer(name)
    except ImportError as error:
        raise BackboneError(
            f"backbone {source.what}: its tokenizer needs another package ({one_line(error)}); "
            "run: pip install 'ordbench[tokenizers]'"
        ) from None
    except Exception as error:  # transformers raises anything without a network
        raise BackboneError(
            f"backbone {source.what}: its tokenizer cannot be loaded ({one_line(error)}); check "
            "the network, or use another text encoder, such as --text clip:RN50/openai"
        ) from error


class ClipText:
    """open_clip's text transformer, as an `ordbench.backbone.TextTower`.

    Args:
        model: open_clip's `TextTransformer`, frozen and in eval mode.
        tokenizer: Its tokenizer.
        logit_scale: Already exponentiated.
        fingerprint: Hash of the weights.
        what: The backbone, for errors.

    Raises:
        BackboneError: If its tokenizer puts anything but a start, an end and padding around text.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,  # noqa: ANN401 - open_clip's tokenizers share no type
        *,
        logit_scale: float,
        fingerprint: str,
        what: str,
    ) -> None:
        text = cast("Any", model)
        projection = text.text_projection
        self.model = model
        self.tokenizer = tokenizer
        self.logit_scale = logit_scale
        self.fingerprint = fingerprint
        self.what = what
        self.width: int = text.token_embedding.embedding_dim
        self.embed_dim: int = self.width if projection is None else text.output_dim
        self.context_length: int = text.context_length
        self.causal = (
            text.attn_mask is not None
            and text.cls_emb is None
            and text.pool_type in {"argmax", "eos"}
            and all(
                type(b).__name__ == "ResidualAttentionBlock" for b in text.transformer.resblocks
            )
        )
        self.sot, self.eot, self.pad = self._frame()

    def tokenize(self, text: str) -> list[int]:
        """See `ordbench.backbone.TextTower.tokenize`."""
        if hasattr(self.tokenizer, "encode"):  # CLIP's own
            return list(self.tokenizer.encode(text))
        cleaned = self.tokenizer.clean_fn(text)
        return list(self.tokenizer.tokenizer(cleaned, add_special_tokens=False)["input_ids"])

    def embed(self, ids: Tensor) -> Tensor:
        """See `ordbench.backbone.TextTower.embed`."""
        return cast("Tensor", cast("Any", self.model).token_embedding(ids))

    @torch.no_grad()
    def encode(self, prompts: list[str]) -> Tensor:
        """See `ordbench.backbone.TextTower.encode`.

        Raises:
            SpecError: If a prompt is too long; open_clip would cut off its end, the rank.
        """
        extra = 2 if self.sot >= 0 else 1
        for prompt in prompts:
            if (length := len(self.tokenize(prompt)) + extra) > self.context_length:
                raise SpecError(
                    f"backbone {self.what}: prompt {shorten(prompt, 60)!r} has {length} tokens, "
                    f"and the text encoder takes at most {self.context_length}; shorten the context"
                )
        ids: Tensor = self.tokenizer(prompts)
        device = next(self.model.parameters()).device
        return cast("Tensor", self.model(ids.to(device)))

    def _frame(self) -> tuple[int, int, int]:
        """Start (-1: none), end and padding, as the tokenizer puts them around a word."""
        word = self.tokenize("a")
        ids: list[int] = self.tokenizer(["a"])[0].tolist()
        start = ids.index(word[0]) if word and word[0] in ids else len(ids)
        behind = ids[start + len(word) :]
        if start > 1 or len(behind) < 2 or len(set(behind[1:])) > 1:
            raise BackboneError(
                f"backbone {self.what}: its tokenizer does not put one start token before a text "
                "and one end token after it, which prompts need; use another text encoder, such as "
                "--text clip:RN50/openai"
            )
        return (ids[0] if start else -1), behind[0], behind[-1]
