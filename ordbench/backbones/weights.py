"""Files of weights: found or fetched, hashed, read without pickle, and fitted strictly.

No function here imports torch before a tensor is asked for.
"""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from pickle import UnpicklingError
from typing import TYPE_CHECKING, Any

from ordbench.errors import BackboneError

if TYPE_CHECKING:
    from torch import Tensor, nn

# What wraps a model in training puts its own name before every key.
_WRAPPERS = ("module.", "_orig_mod.")

# Where training scripts keep the weights; averaged ones are the better ones.
_BOXES = ("state_dict_ema", "model_ema", "state_dict", "model")


def split_path(argument: str) -> tuple[str, Path | None]:
    """Take ``NAME@PATH`` apart.

    >>> split_path("ViT-B-32/openai")
    ('ViT-B-32/openai', None)
    >>> split_path("RN50@weights/RN50.safetensors")[0]
    'RN50'
    """
    name, at, path = argument.partition("@")
    return name, Path(path).expanduser() if at else None


def suggest(name: str, known: Iterable[str], *, at_most: int = 8) -> str:
    """Names like ``name``, or the first ones where none is like it.

    >>> suggest("ViT-B32", ["RN50", "ViT-B-32"])
    'ViT-B-32'
    """
    known = list(known)
    near = get_close_matches(name, known, n=at_most)
    more = len(known) - at_most
    rest = f", and {more} more" if not near and more > 0 else ""
    return ", ".join(near or known[:at_most]) + rest


def check_file(path: Path, *, what: str) -> Path:
    """Return ``path`` if it is a file that can be read.

    Raises:
        BackboneError: If not; names the backbone and the file.
    """
    try:
        with path.open("rb"):
            return path
    except OSError as error:
        raise BackboneError(
            f"backbone {what}: weights {path} cannot be read ({error.strerror}); "
            "check what stands after the @"
        ) from None


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes; a file that stays as it is, is read once in a process."""
    status = path.stat()
    return _file_hash(path, status.st_size, status.st_mtime_ns)


@cache
def _file_hash(path: Path, size: int, modified: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(repo: str, names: Sequence[str], *, what: str, instead: str) -> Path:
    """The first of ``names`` that a repository on the Hugging Face hub has.

    A file fetched before is taken without a question to the network. Transfer, resumption and
    checksum are huggingface_hub's own, and so are ``HF_ENDPOINT``, ``HF_HOME`` and
    ``HF_HUB_OFFLINE``.

    Args:
        repo: ``organisation/repository``.
        names: File names, the best one first.
        what: The backbone, for errors.
        instead: What a user without a network can write instead, for errors.

    Raises:
        BackboneError: If it cannot be had.
    """
    from huggingface_hub import HfApi, constants, hf_hub_download
    from huggingface_hub.errors import LocalEntryNotFoundError

    try:
        for name in names:
            with suppress(LocalEntryNotFoundError):
                return Path(hf_hub_download(repo, name, local_files_only=True))
        for name in names:
            # Asked first because it fails at once without a network; a download tries on for long.
            if HfApi().file_exists(repo, name):
                return Path(hf_hub_download(repo, name))
        reason = f"there is no {' or '.join(names)}"
    except Exception as error:  # what the hub's client raises changes with the client behind it
        reason = one_line(error)
    raise BackboneError(
        f"backbone {what}: weights cannot be fetched from {constants.ENDPOINT}/{repo} ({reason}); "
        f"fetch them where there is a network, and write {instead}"
    )


def one_line(error: BaseException, *, at_most: int = 200) -> str:
    r"""What an error says, on one line.

    >>> one_line(ValueError("no such\n\tkey"))
    'no such key'
    """
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= at_most else text[:at_most] + "..."


def read_tensors(
    path: Path, *, what: str, wanted: Callable[[str], bool] | None = None
) -> dict[str, Tensor]:
    """Read tensors by name from a safetensors file, or from a torch file without pickled code.

    Wrappers' prefixes and the boxes in which training scripts keep weights are taken off.

    Args:
        path: Told apart by its content, not by its ending.
        what: The backbone, for errors.
        wanted: Which names to read; of a safetensors file the others are not even looked at.

    Raises:
        BackboneError: If it is neither, is damaged, or would need pickle.
    """
    check_file(path, what=what)
    with path.open("rb") as file:
        start = file.read(9)
    read = _read_safetensors if start[8:] == b"{" else _read_torch
    try:
        return read(path, wanted or (lambda name: True))
    except Exception as error:  # damaged files make readers raise anything
        unsafe = isinstance(error, UnpicklingError)
        reason = "it is no torch file, or needs code to be read" if unsafe else one_line(error)
        raise BackboneError(
            f"backbone {what}: {path} cannot be read as weights ({reason}); "
            "wanted a safetensors file, or a torch file of plain tensors"
        ) from error


def _read_safetensors(path: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    from safetensors import safe_open

    with safe_open(path, framework="pt") as file:
        names = {_unwrapped(name): name for name in file.keys()}  # noqa: SIM118 - not a mapping
        return {name: file.get_tensor(old) for name, old in names.items() if wanted(name)}


def _read_torch(path: Path, wanted: Callable[[str], bool]) -> dict[str, Tensor]:
    import torch

    # An open file, because of a path torch believes the ending; it also warns before it refuses.
    with path.open("rb") as file, warnings.catch_warnings(action="ignore"):
        content: Any = torch.load(file, map_location="cpu", weights_only=True)
    for box in _BOXES:
        if isinstance(content.get(box), Mapping):
            content = content[box]
            break
    tensors = {_unwrapped(name): value for name, value in content.items()}
    return {k: v for k, v in tensors.items() if isinstance(v, torch.Tensor) and wanted(k)}


def _unwrapped(name: str) -> str:
    while name.startswith(_WRAPPERS):
        name = name.partition(".")[2]
    return name


def load_strictly(module: nn.Module, tensors: Mapping[str, Tensor], *, what: str) -> None:
    """Copy ``tensors`` into ``module``, which must have these names and shapes and no others.

    Raises:
        BackboneError: If they are another model's; counts and names what differs.
    """
    own = module.state_dict()
    # Old files of batch-norm networks lack the counters, which nothing reads in eval mode.
    needed = [name for name in own if not name.endswith("num_batches_tracked")]
    shared = [name for name in tensors if name in own]
    reshaped = [k for k in shared if tensors[k].shape != own[k].shape and tensors[k].numel() != 1]
    faults = (
        _listed("missing", [name for name in needed if name not in tensors]),
        _listed("unexpected", [name for name in tensors if name not in own]),
        _listed("of another shape", [_shapes(name, tensors, own) for name in reshaped]),
    )
    if any(faults):
        raise BackboneError(
            f"backbone {what}: the weights are another model's: {', '.join(filter(None, faults))}; "
            "name the model that they were trained as"
        )
    module.load_state_dict({k: tensors[k].reshape(own[k].shape) for k in shared}, strict=False)


def _listed(fault: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{len(names)} {fault} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"


def _shapes(name: str, got: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    return f"{name}: wanted {tuple(wanted[name].shape)}, got {tuple(got[name].shape)}"
