"""The image side of an open_clip model, built and read without the text side."""

from __future__ import annotations

from dataclasses import asdict
from importlib import import_module
from typing import Any

from torch import nn

from ordbench.backbone import Dtype, Layer
from ordbench.backbones.checkpoints import read_tensors
from ordbench.backbones.clip.config import NO_TEXT, build, folder_config, model_config
from ordbench.backbones.clip.source import Source, tag_settings
from ordbench.backbones.frozen import ImageTower, Preprocessing
from ordbench.backbones.weights import load_strictly
from ordbench.errors import BackboneError

# Parts of a timm tower's head that are a projection and nothing else.
_TIMM_HEADS = (["drop", "proj"], ["mlp"])


def load_images(source: Source, *, layer: Layer, device: str, dtype: Dtype) -> ImageTower:
    """The image side, from the tensors below ``visual.``.

    Raises:
        BackboneError: If the weights are another model's, or ``layer`` cannot be had.
    """
    model = build(model_config(source) | {"text_cfg": NO_TEXT})
    visual = model.get_submodule("visual")
    tensors = read_tensors(
        source.weights, what=source.what, wanted=lambda name: name.startswith("visual.")
    )
    named = {name.removeprefix("visual."): tensor for name, tensor in tensors.items()}
    load_strictly(visual, named, what=source.what)
    transform = _preprocessing(source, visual)
    if layer == "pre":
        _drop_projection(visual, source.what)
    return ImageTower(visual, transform, device=device, dtype=dtype, what=source.what)


def _preprocessing(source: Source, visual: nn.Module) -> Preprocessing:
    library = import_module("open_clip.transform")  # untyped
    own = folder_config(source).get("preprocess_cfg") if source.folder else tag_settings(source)
    settings = library.merge_preprocess_dict(library.PreprocessCfg(), own or {})
    settings["size"] = visual.image_size
    facts = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items()}
    config: Any = library.PreprocessCfg(**facts)
    described = ", ".join(f"{key}={value!r}" for key, value in sorted(asdict(config).items()))
    transform = library.image_transform_v2(config, is_train=False)
    return Preprocessing(transform, f"open_clip.image_transform_v2({described})")


def _drop_projection(visual: Any, what: str) -> None:  # noqa: ANN401 - open_clip's own attributes
    kind = type(visual).__name__
    if kind == "VisionTransformer" and visual.proj is not None:
        visual.proj = None
    elif kind == "ModifiedResNet":
        visual.attnpool.c_proj = _identity(visual.attnpool.c_proj.in_features)
    elif kind == "TimmModel" and [n for n, _ in visual.head.named_children()] in _TIMM_HEADS:
        visual.head = nn.Sequential()
    else:
        raise BackboneError(
            f"backbone {what}: --layer pre takes the features before the projection, and "
            "this image encoder has none; use --layer post"
        )


def _identity(width: int) -> nn.Linear:
    """A linear layer that changes nothing; attention asks for the weights of one."""
    same = nn.Linear(width, width)
    nn.init.eye_(same.weight)
    nn.init.zeros_(same.bias)
    return same
