"""open_clip's models in parts: one tower is built, the other is the smallest that can be."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

from torch import nn

from ordbench.backbones.clip.source import CONFIG, Source, tag_settings
from ordbench.errors import BackboneError
from ordbench.utils.text import one_line

open_clip = import_module("open_clip")  # untyped
KEYS = ("embed_dim", "vision_cfg", "text_cfg")
NO_IMAGES = {"layers": 1, "width": 8, "head_width": 8, "patch_size": 8, "image_size": 8}
NO_TEXT = {"layers": 1, "width": 8, "heads": 1, "vocab_size": 2, "context_length": 2}


def model_config(source: Source) -> dict[str, Any]:
    """How a model is built: embed_dim, vision_cfg, text_cfg and more, as open_clip names them.

    Raises:
        BackboneError: If open_clip has no such model or tag, or a folder's file is not understood.
    """
    # open_clip only warns when a tag's activation is not the model's; the tag is right.
    forced = {"quick_gelu": True} if tag_settings(source).get("quick_gelu") else {}
    config: dict[str, Any] = (
        folder_config(source)["model_cfg"]
        if source.folder
        else open_clip.get_model_config(source.model)
    )
    return config | forced


def folder_config(source: Source) -> dict[str, Any]:
    """The configuration file in a source's folder.

    Raises:
        BackboneError: If it is not open_clip's.
    """
    assert source.folder is not None
    path = source.folder / CONFIG
    try:
        config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for key in KEYS:
            config["model_cfg"][key]
    except (OSError, ValueError, KeyError, TypeError) as error:
        missing = isinstance(error, (KeyError, TypeError))
        why = f"wanted model_cfg with {', '.join(KEYS)}" if missing else one_line(error)
        raise BackboneError(
            f"backbone {source.what}: {path} is not an open_clip configuration "
            f"({why}); use the {CONFIG} that was published with the weights"
        ) from None
    return config


def build(config: dict[str, Any]) -> nn.Module:
    """A model with random weights, of the class whose towers are those of all others."""
    config = {k: v for k, v in config.items() if k not in {"custom_text", "multimodal_cfg"}}
    if "timm_model_name" in config["vision_cfg"]:
        config["vision_cfg"] = config["vision_cfg"] | {"timm_model_pretrained": False}
    model: nn.Module = open_clip.CustomTextCLIP(**config)
    return model
