"""Backbones of timm: any of its image models, without the classifier.

Source: Wightman (2019). PyTorch Image Models. https://doi.org/10.5281/zenodo.4414861
"""

from __future__ import annotations

import hashlib
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ordbench.backbone import BackboneFamily, Dtype, Layer
from ordbench.backbones.checkpoints import read_tensors
from ordbench.backbones.weights import (
    check_file,
    fetch,
    file_hash,
    load_strictly,
    split_path,
)
from ordbench.errors import BackboneError
from ordbench.utils.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from timm.models import PretrainedCfg
    from torch import Tensor, nn

    from ordbench.backbone import Backbone, TextTower


class Timm(BackboneFamily):
    """``timm:NAME[.TAG]``, weights from the hub; ``timm:NAME[.TAG]@FILE``, weights from a file.

    Features are what the model gives after its own pooling when it has no classifier. There is no
    joint space with text, so both layers are these features.
    """

    title = "any timm model, as timm:NAME[.TAG] or timm:NAME@FILE"
    source = "Wightman (2019). PyTorch Image Models. https://doi.org/10.5281/zenodo.4414861"
    needs = "network at first use, or a file of weights"
    libraries = ("timm", "torchvision")

    def fingerprint(self, argument: str) -> str:
        """See `BackboneFamily.fingerprint`. The name is mixed in: a file may fit two models."""
        name, _ = split_path(argument)
        content = f"timm {name} {file_hash(_weights(argument))}"
        return hashlib.sha256(content.encode()).hexdigest()

    def check(self, argument: str) -> None:
        """See `BackboneFamily.check`."""
        what = f"timm:{argument}"
        name, path = split_path(argument)
        _config(name, what)
        if path:
            check_file(path, what=what)

    def weights_size(self, argument: str) -> int:
        """See `BackboneFamily.weights_size`."""
        return _weights(argument).stat().st_size

    def load(self, argument: str, *, layer: Layer, device: str, dtype: Dtype) -> Backbone:
        """See `BackboneFamily.load`."""
        from ordbench.backbones.frozen import ImageTower, Preprocessing

        data = import_module("timm.data")  # untyped
        what = f"timm:{argument}"
        name, _ = split_path(argument)
        _config(name, what)
        model = _load(name, read_tensors(_weights(argument), what=what), what)
        config: dict[str, Any] = data.resolve_model_data_config(model)
        transform = data.create_transform(**config, is_training=False)
        facts = ", ".join(f"{key}={config[key]!r}" for key in sorted(config))
        preprocessing = Preprocessing(transform, f"timm.create_transform({facts})")
        return ImageTower(model, preprocessing, device=device, dtype=dtype, what=what)

    def load_text_tower(self, argument: str, *, device: str) -> TextTower | None:
        """None: image models know no text."""
        return None


def _weights(argument: str) -> Path:
    """The file behind an argument; timm is loaded only if that must be looked up."""
    what = f"timm:{argument}"
    name, path = split_path(argument)
    if path:
        return check_file(path, what=what)
    config = _config(name, what)
    if not config or not config.hf_hub_id:
        raise BackboneError(
            f"backbone {what}: timm has no weights for {name}; give a file: timm:{name}@FILE"
        )
    usual = ["model.safetensors", "pytorch_model.bin"]
    names = [config.hf_hub_filename] if config.hf_hub_filename else usual
    return fetch(config.hf_hub_id, names, what=what, instead=f"timm:{name}@FILE")


def _config(name: str, what: str) -> PretrainedCfg | None:
    """What timm knows of the weights of a model."""
    import timm

    if not name:
        raise BackboneError(f"backbone {what} names no model; write timm:NAME")
    if not timm.is_model(name):
        near = did_you_mean(name, timm.list_models())
        raise BackboneError(f"backbone {what}: timm has no model {name!r}; {near}")
    try:
        return timm.get_pretrained_cfg(name)
    except RuntimeError:
        model, _, tag = name.partition(".")
        tags = [full.partition(".")[2] for full in timm.list_pretrained(f"{model}.*")]
        near = did_you_mean(tag, tags)
        raise BackboneError(f"backbone {what}: {model} has no weights {tag!r}; {near}") from None


def _load(name: str, tensors: Mapping[str, Tensor], what: str) -> nn.Module:
    """The model without classifier, loaded strictly; a classifier in ``tensors`` is left out."""
    import timm

    config = timm.get_pretrained_cfg(name)
    named = (config.classifier if config else None) or ()
    classifiers = tuple(f"{c}." for c in ((named,) if isinstance(named, str) else named))
    try:
        return _create(name, {k: v for k, v in tensors.items() if not k.startswith(classifiers)})
    except Exception:  # timm's conversions of old files meet names that they do not know
        # Some classifiers are more than timm calls so: compare with a model that has none.
        bare = timm.create_model(name, num_classes=0)
        more = timm.create_model(name).state_dict().keys() - bare.state_dict().keys()
        features = {k: v for k, v in tensors.items() if k not in more}
        load_strictly(bare, features, what=what)
        return _create(name, features)


def _create(name: str, tensors: Mapping[str, Tensor]) -> nn.Module:
    """Load by timm's own way, which converts old layouts; strict, because no class is dropped."""
    import timm

    overlay = {"state_dict": dict(tensors), "num_classes": 0, "label_offset": 0}
    model = timm.create_model(name, pretrained=True, num_classes=0, pretrained_cfg_overlay=overlay)
    config: dict[str, object] = getattr(model, "pretrained_cfg")  # noqa: B009 - typed as a module
    del config["state_dict"]  # a second copy of the weights
    return model
