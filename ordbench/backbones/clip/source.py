"""What ``clip:ARGUMENT`` means: a model, a tag, a file, a folder or a repository on the hub.

Nothing here loads torch, unless a tag must be looked up in open_clip's tables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from ordbench.backbones.weights import check_file, fetch, split_path
from ordbench.errors import BackboneError
from ordbench.utils.text import did_you_mean

# What open_clip keeps of how a tag's weights were trained, with its defaults.
TRAINING = {
    "quick_gelu": False,
    "mean": (0.48145466, 0.4578275, 0.40821073),
    "std": (0.26862954, 0.26130258, 0.27577711),
    "interpolation": "bicubic",
    "resize_mode": "shortest",
}

HUB = "hf-hub:"
TINY = Path(__file__).with_name("tiny")
CONFIG = "open_clip_config.json"

# What open_clip's own repositories call the weights, the best one first.
FILES = (
    "open_clip_model.safetensors",
    "model.safetensors",
    "open_clip_pytorch_model.bin",
    "pytorch_model.bin",
)


class Source(NamedTuple):
    """Where a CLIP comes from.

    Attributes:
        what: The backbone as typed, for errors.
        weights: Its file of weights.
        model: Its name in open_clip; empty where ``folder`` describes it.
        tag: The pretrained tag that says how it was trained and how images are prepared, or empty.
        folder: Folder with open_clip's configuration file, or None.
    """

    what: str
    weights: Path
    model: str = ""
    tag: str = ""
    folder: Path | None = None


def locate(argument: str) -> Source:
    """Find, or fetch, what an argument means; open_clip is loaded only to look up a tag.

    >>> locate("RN50/openai@no/such/file")
    Traceback (most recent call last):
    ...
    ordbench.errors.BackboneError: backbone clip:RN50/openai@no/such/file: weights no/such/file \
cannot be read (No such file or directory); check the path after the @

    Raises:
        BackboneError: If there is no such model, tag, file or folder, or it cannot be fetched.
    """
    what = f"clip:{argument}"
    name, path = split_path(argument)
    if argument == "tiny":
        if not TINY.is_dir():
            raise BackboneError(f"backbone {what}: {TINY} is missing; reinstall ordbench")
        path = TINY
    if path and os.path.isdir(path):  # without an error where it may not be looked at
        return _in_folder(path, what)
    if name.startswith(HUB):
        return _on_hub(name, path, what)
    if path:
        return Source(what, check_file(path, what=what), *model_and_tag(name))
    return _pretrained(Source(what, Path(), *model_and_tag(name)))


def check_source(argument: str) -> None:
    """Refuse an argument that names no model, tag, file or folder; nothing is fetched.

    Raises:
        BackboneError: As `locate`, but for what only the hub knows.
    """
    name, path = split_path(argument)
    if path or argument == "tiny":
        source = locate(argument)
        if not source.folder:
            tag_settings(source)
    elif not name.startswith(HUB):
        _published(Source(f"clip:{argument}", Path(), *model_and_tag(name)))


def model_and_tag(name: str) -> tuple[str, str]:
    """Take ``MODEL/TAG`` apart and spell both as open_clip does; OpenAI's spelling is known too.

    >>> model_and_tag("ViT-B-32/laion400m-e32"), model_and_tag("ViT-B/32"), model_and_tag("RN50")
    (('ViT-B-32', 'laion400m_e32'), ('ViT-B-32', ''), ('RN50', ''))
    """
    model, _, tag = name.rpartition("/")
    if not model or tag.isdigit():
        model, tag = name, ""
    return model.replace("/", "-"), tag.lower().replace("-", "_")


def _in_folder(folder: Path, what: str) -> Source:
    config, files = folder / CONFIG, [folder / name for name in FILES]
    weights = next((file for file in files if file.is_file()), None)
    if weights is None or not config.is_file():
        raise BackboneError(
            f"backbone {what}: folder {folder} must hold {CONFIG} and the weights "
            f"(one of {', '.join(FILES)}); download both, or give the path of the weights file"
        )
    return Source(what, weights, folder=folder)


def _on_hub(name: str, path: Path | None, what: str) -> Source:
    instead = f"clip:{name}@FOLDER"
    if path:
        raise BackboneError(
            f"backbone {what}: {path} is not a folder; wanted one with {CONFIG} and the weights"
        )
    repo = name.removeprefix(HUB)
    config = fetch(repo, [CONFIG], what=what, instead=instead)
    return Source(what, fetch(repo, FILES, what=what, instead=instead), folder=config.parent)


def _pretrained(source: Source) -> Source:
    repo, _, file = _published(source).rpartition("/")
    safe = (f"{file.rpartition('.')[0]}.safetensors", file)
    instead = f"clip:{source.model}/{source.tag}@FILE"
    weights = fetch(repo, safe if file else FILES, what=source.what, instead=instead)
    return source._replace(weights=weights)


def _published(source: Source) -> str:
    """Where the hub has the weights of a tag: ``ORG/REPO/FILE``, of which the file may be empty."""
    open_clip = import_module("open_clip")  # takes seconds; untyped

    check_model(source.model, source.what)
    if not source.tag:
        tags = did_you_mean("", open_clip.list_pretrained_tags_by_model(source.model))
        raise BackboneError(
            f"backbone {source.what}: the weights are missing; write clip:{source.model}/TAG "
            f"({tags}) or clip:{source.model}@FILE"
        )
    settings = tag_settings(source)
    if not settings.get("hf_hub"):
        raise BackboneError(
            f"backbone {source.what}: its weights are not on the Hugging Face Hub; "
            f"download {settings.get('url')} and write clip:{source.model}/{source.tag}@FILE"
        )
    return str(settings["hf_hub"])


def tag_settings(source: Source) -> dict[str, Any]:
    """The settings that open_clip keeps for a tag.

    Without a tag they are those on which all tags of the model agree; none where it has no tags.

    Raises:
        BackboneError: If open_clip has no such model or tag, or if there is none and the tags of
            the model differ; suggests names.
    """
    open_clip = import_module("open_clip")
    if source.folder:
        return {}
    check_model(source.model, source.what)
    tags: list[str] = open_clip.list_pretrained_tags_by_model(source.model)
    if not source.tag:
        return _agreed(
            {tag: open_clip.get_pretrained_cfg(source.model, tag) for tag in tags}, source
        )
    settings: dict[str, Any] = open_clip.get_pretrained_cfg(source.model, source.tag)
    if not settings:
        raise BackboneError(
            f"backbone {source.what}: {source.model} has no weights {source.tag!r}; "
            f"{did_you_mean(source.tag, tags)}"
        )
    return settings


def check_model(model: str, what: str) -> None:
    """Refuse a model that open_clip does not have; suggests names.

    Raises:
        BackboneError: If it has none of that name.
    """
    if not model:
        raise BackboneError(f"backbone {what} names no model; write clip:MODEL/TAG")
    models: list[str] = import_module("open_clip").list_models()
    if model not in models:
        raise BackboneError(
            f"backbone {what}: open_clip has no model {model!r}; {did_you_mean(model, models)}"
        )


def _agreed(tags: Mapping[str, Mapping[str, Any]], source: Source) -> dict[str, Any]:
    """How the weights of all tags want images and activations."""
    found = {tag: _training(settings) for tag, settings in tags.items()}
    differ = [key for key in TRAINING if len({str(facts[key]) for facts in found.values()}) > 1]
    if not differ:
        return next(iter(found.values()), {})
    first: dict[str, str] = {}
    for tag, facts in found.items():
        first.setdefault(", ".join(f"{key}={facts[key]}" for key in differ), tag)
    raise BackboneError(
        f"backbone {source.what}: a file of weights does not say which activation and "
        f"preprocessing it was trained with; write clip:{source.model}/TAG@FILE with a tag that "
        "was trained in the same way "
        f"({'; '.join(f'{tag}: {facts}' for facts, tag in first.items())})"
    )


def _training(settings: Mapping[str, Any]) -> dict[str, Any]:
    """What a tag says of the activation and the preprocessing, with open_clip's defaults."""
    return {key: settings.get(key, default) for key, default in TRAINING.items()}
