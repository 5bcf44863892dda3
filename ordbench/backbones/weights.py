"""Files of weights: found or fetched, hashed, and loaded strictly; `checkpoints` reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.errors import BackboneError
from ordbench.utils.files import expanded, file_sha256
from ordbench.utils.text import one_line

if TYPE_CHECKING:
    from torch import Tensor, nn


def split_path(argument: str) -> tuple[str, Path | None]:
    """Take ``NAME@PATH`` apart.

    >>> split_path("ViT-B-32/openai")
    ('ViT-B-32/openai', None)
    >>> split_path("RN50@weights/RN50.safetensors")[0]
    'RN50'
    """
    name, at, path = argument.partition("@")
    return name, expanded(path) if at else None


def check_file(path: Path, *, what: str) -> Path:
    """Return ``path`` if it is a file that can be read.

    Raises:
        BackboneError: If not; names the backbone and the file.
    """
    try:
        if path.exists() and not path.is_dir() and not path.is_file():
            raise OSError(0, "not a regular file")  # opening a pipe would wait for a writer
        with path.open("rb"):
            return path
    except OSError as error:
        raise BackboneError(
            f"backbone {what}: weights {path} cannot be read ({error.strerror}); "
            "check the path after the @"
        ) from None


def file_hash(path: Path) -> str:
    """SHA-256 of a file's bytes; a file that stays as it is, is read once in a process."""
    status = path.stat()
    return _file_hash(path, status.st_size, status.st_mtime_ns)


@cache
def _file_hash(path: Path, size: int, modified: int) -> str:
    return file_sha256(path)


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
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    try:
        for name in names:
            with suppress(LocalEntryNotFoundError):
                return Path(hf_hub_download(repo, name, local_files_only=True))
        for name in names:
            # Asked first because it fails at once without a network; a download tries on for long.
            if HfApi().file_exists(repo, name):
                return Path(hf_hub_download(repo, name))
        reason = f"there is no {' or '.join(names)}"
    except HFValidationError:
        raise BackboneError(
            f"backbone {what}: {repo!r} is not the name of a repository on the Hugging Face Hub; "
            "wanted ORG/NAME"
        ) from None
    except Exception as error:  # what the hub's client raises changes with the client behind it
        reason = f"{one_line(error)}; wanted {' or '.join(names)}"
    raise BackboneError(
        f"backbone {what}: weights cannot be downloaded from {constants.ENDPOINT}/{repo} "
        f"({reason}); download them on another machine and write {instead}"
    )


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
            f"backbone {what}: the weights do not fit this model: "
            f"{', '.join(filter(None, faults))}; "
            "name the model that they belong to, or convert them"
        )
    module.load_state_dict({k: tensors[k].reshape(own[k].shape) for k in shared}, strict=False)


def _listed(fault: str, names: list[str]) -> str:
    if not names:
        return ""
    return f"{len(names)} {fault} ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"


def _shapes(name: str, got: Mapping[str, Tensor], wanted: Mapping[str, Tensor]) -> str:
    return f"{name}: wanted {tuple(wanted[name].shape)}, got {tuple(got[name].shape)}"
