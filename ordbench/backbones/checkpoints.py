"""Files of weights read as tensors by name, whatever wrote them, and without running their code.

Torch is not imported before a tensor is asked for.
"""

from __future__ import annotations

import argparse
import re
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, TypeVar
from zipfile import ZipFile, is_zipfile

from ordbench.backbones.torchscript import read_torchscript
from ordbench.backbones.weights import check_file
from ordbench.errors import BackboneError
from ordbench.utils.text import one_line

if TYPE_CHECKING:
    from torch import Tensor

T = TypeVar("T")

# What wraps a model in training puts its own name before every key.
_WRAPPERS = ("module.", "_orig_mod.")

# Where training scripts keep the weights; averaged ones are the better ones.
_BOXES = ("state_dict_ema", "model_ema", "state_dict", "model_state_dict", "model")

# What is taken for weights by mistake, by how it begins.
_NO_WEIGHTS = (
    (rb"version https://git-lfs", "it is a Git LFS pointer; run git lfs pull where it comes from"),
    (rb"\s*<(!doctype|html|\?xml)", "it is an HTML or XML page; download the file itself"),
    (rb"(/annex|\.git/annex)", "it is a git-annex pointer; run git annex get where it comes from"),
    (rb"\s*[{\[]\s*[\"{\[]", "it is a JSON file; name the file of tensors"),
    (rb"\x89HDF", "it is an HDF5 file, as Keras writes; convert it to safetensors"),
    (rb"\x1f\x8b|BZh|\xfd7zXZ", "it is compressed; unpack it"),
    (rb"\Z", "it is empty; download it again"),
)


def read_tensors(
    path: Path, *, what: str, wanted: Callable[[str], bool] | None = None
) -> dict[str, Tensor]:
    """Read tensors by name from a safetensors, torch or TorchScript file; no code of it is run.

    Wrappers' prefixes and the boxes in which training scripts keep weights are taken off.

    Args:
        path: Told apart by its content, not by its ending.
        what: The backbone, for errors.
        wanted: Which names to read; of a safetensors file the others are not even looked at.

    Raises:
        BackboneError: If it is none of them, is damaged, would need pickle, or names its tensors as
            Hugging Face's transformers do.
    """
    check_file(path, what=what)
    with path.open("rb") as file:
        start = file.read(64)
    try:
        if start[8:9] == b"{":
            return _usable(_read_safetensors(path, wanted or _every))
        for pattern, reason in _NO_WEIGHTS:
            if re.match(pattern, start, re.IGNORECASE):
                raise ValueError(reason)
        if text := _text(start):
            raise ValueError(f"it is a text file that begins with {text!r}")
        if is_zipfile(path) and not _has_member(path, "data.pkl"):
            raise ValueError("it is a zip archive, but not one that torch.save writes; unpack it")
        read = read_torchscript if _has_member(path, "constants.pkl") else _read_torch
        tensors = _renamed(read(path))
        return _usable({name: t for name, t in tensors.items() if (wanted or _every)(name)})
    except Exception as error:  # damaged files make readers raise anything
        raise BackboneError(
            f"backbone {what}: {path} cannot be read as weights ({_reason(error)}); "
            "wanted a safetensors file, or a torch file of plain tensors"
        ) from error


def _usable(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Refuse what a network would take for numbers that it was not trained with."""
    for name, tensor in tensors.items():
        if tensor.is_meta:
            raise ValueError(f"{name} has a shape but no numbers; save the loaded model")
        if name.endswith(("weight", "bias")) and not tensor.is_floating_point():
            raise ValueError(
                f"{name} has numbers of {tensor.dtype}, as quantised networks have; wanted "
                "floating-point numbers"
            )
    return tensors


def _text(start: bytes) -> str:
    words = " ".join(start.decode(errors="replace").split())[:32]
    return words if start.isascii() and words.isprintable() else ""


def _has_member(path: Path, name: str) -> bool:
    """Whether a file is a zip archive of torch with a member of that name."""
    if not is_zipfile(path):
        return False
    with ZipFile(path) as archive:
        return any(member.endswith(f"/{name}") for member in archive.namelist())


def _every(name: str) -> bool:
    return True


def _reason(error: Exception) -> str:
    said = one_line(error)
    if re.search("deserializing header|central directory", said):  # of safetensors, of torch
        return f"it is damaged or not whole; copy or download it again: {said}"
    if not isinstance(error, UnpicklingError) and "weights_only" not in said:
        return said
    if found := re.search(r"Unsupported global: GLOBAL (\S+)", str(error)):
        return f"it holds a {found[1]}, which needs code; save a state_dict() of tensors alone"
    return "it is no torch file, or needs code to be read"


def _read_safetensors(path: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        names = _renamed({name: name for name in file.keys()})  # noqa: SIM118 - not a mapping
        return {name: file.get_tensor(old) for name, old in names.items() if wanted(name)}


def _read_torch(path: Path) -> dict[str, Tensor]:
    import torch

    # The options of timm's training script: an object of plain attributes.
    safe = torch.serialization.safe_globals([argparse.Namespace])
    # An open file, because of a path torch believes the ending; it also warns before it refuses.
    with path.open("rb") as file, warnings.catch_warnings(action="ignore"), safe:
        content: object = torch.load(file, map_location="cpu", weights_only=True)
    if not isinstance(content, Mapping):
        raise TypeError(f"it holds a {type(content).__name__}, not tensors by name")
    box = _box(content)
    tensors = {str(k): v for k, v in box.items() if isinstance(v, torch.Tensor)}
    if not tensors:
        keys = ", ".join(map(str, content)) or "none"
        raise ValueError(f"it has no tensors by name; its keys are {keys}")
    if "pytorch-lightning_version" in content:
        tensors = _without_prefix(tensors)
    return tensors


def _box(content: Mapping[object, object]) -> Mapping[object, object]:
    """Where the weights are: in a box of a usual name, or in the only one that holds tensors."""
    for name in _BOXES:
        if isinstance(box := content.get(name), Mapping):
            return box
    if any(_is_tensor(value) for value in content.values()):
        return content
    boxes = {
        name: box
        for name, box in content.items()
        if isinstance(box, Mapping) and any(map(_is_tensor, box.values()))
    }
    if len(boxes) > 1:
        raise ValueError(
            f"it has several sets of weights: {', '.join(map(str, boxes))}; save one of them"
        )
    return next(iter(boxes.values()), content)


def _is_tensor(value: object) -> bool:
    import torch

    return isinstance(value, torch.Tensor)


def _without_prefix(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Lightning puts before each name that of the attribute which holds the network."""
    owners = {name.partition(".")[0] for name in tensors}
    if len(owners) > 1:
        return tensors
    return {name.partition(".")[2]: tensor for name, tensor in tensors.items()}


def _renamed(named: Mapping[str, T]) -> dict[str, T]:
    """Names without what wrappers put before them.

    Raises:
        ValueError: If the names are those of Hugging Face's transformers.
    """
    renamed = {_unwrapped(name): value for name, value in named.items()}
    theirs = ("vision_model.", "text_model.")
    if any(name.startswith(theirs) for name in renamed):
        raise ValueError(
            "its tensors are named as in Hugging Face's transformers (vision_model, text_model); "
            "convert them to open_clip's names, or take a file of open_clip"
        )
    return renamed


def _unwrapped(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.partition(".")[2]
    return name
