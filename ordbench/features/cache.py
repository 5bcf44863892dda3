"""Files of cached features: named by what made them, memory-mapped, and verified when read.

A file is one safetensors file with the tensor ``features`` and, as text, the facts that made it and
a SHA-256 over all of that. Whatever is wrong with it, it is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from mmap import ACCESS_COPY, mmap
from pathlib import Path

import torch
from safetensors.torch import save
from torch import Tensor

from ordbench.errors import StoreError
from ordbench.utils.files import remove_stale, write_atomic

logger = logging.getLogger(__name__)
Fact = str | bool | float | None | Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Cached:
    """What one file holds.

    Attributes:
        features: ``(N, D)`` float32, a row for each image that could be decoded.
        rejected: Why the others could not, by their position in the list of images.
        cosine: Least cosine to the float32 features where that was measured.
        transform: All that the preprocessing did.
    """

    features: Tensor
    rejected: Mapping[int, str]
    cosine: float | None
    transform: str


def key_of(facts: Mapping[str, Fact]) -> str:
    """SHA-256 of everything that can change a feature; it names the file.

    >>> key_of({"layer": "pre", "normalize": True}) == key_of({"normalize": True, "layer": "pre"})
    True
    >>> key_of({"layer": "pre", "normalize": True}) == key_of({"layer": "pre", "normalize": False})
    False
    """
    return hashlib.sha256(_canonical(facts).encode()).hexdigest()


def read(path: Path, facts: Mapping[str, Fact], num_images: int) -> Cached | None:
    """Map a file into memory and verify it whole.

    Args:
        path: Need not exist.
        facts: What its features must have been made by.
        num_images: Images that it must answer for.

    Returns:
        What it holds, or None, with a warning where it is damaged or made by something else.
    """
    if not path.is_file():
        return None
    try:
        text, features = _map(path)
    except (OSError, ValueError, LookupError, TypeError, RuntimeError) as error:
        return _refused(path, f"it cannot be read: {error}")
    if text.pop("sha256", "") != _digest(text, features):
        return _refused(path, "its content does not match its SHA-256")
    if text.get("facts") != _canonical(facts):
        return _refused(path, "it holds the features of something else")
    rejected = {int(position): why for position, why in json.loads(text["rejected"]).items()}
    if len(features) + len(rejected) != num_images:
        return _refused(path, f"it does not answer for {num_images} images")
    return Cached(
        features=features,
        rejected=rejected,
        cosine=json.loads(text["cosine"]),
        transform=text["transform"],
    )


def write(path: Path, facts: Mapping[str, Fact], cached: Cached) -> None:
    """Write a file that is either whole or not there; a disk that refuses costs a warning only."""
    text = {
        "facts": _canonical(facts),
        "rejected": json.dumps(dict(cached.rejected)),
        "cosine": json.dumps(cached.cosine),
        "transform": cached.transform,
    }
    features = cached.features.contiguous()
    text["sha256"] = _digest(text, features)
    try:
        write_atomic(path, save({"features": features}, metadata=text))
        remove_stale(path.parent)
    except StoreError as error:
        logger.warning("features are not cached: %s", error)


def _map(path: Path) -> tuple[dict[str, str], Tensor]:
    """Text and features of a file that is opened once.

    safetensors' own reader opens it by its name for the text and again for the tensor; another
    process may put a new file there in between.
    """
    with path.open("rb") as file:
        # Private to this process, so that a tensor over it may be written to.
        content = mmap(file.fileno(), 0, access=ACCESS_COPY)
    start = 8 + int.from_bytes(content[:8], "little")
    header = json.loads(content[8:start])
    described = header["features"]
    if described["dtype"] != "F32" or described["data_offsets"] != [0, len(content) - start]:
        raise ValueError("wanted one float32 tensor and nothing behind it")
    rows = torch.frombuffer(content, dtype=torch.float32, offset=start)
    return header["__metadata__"], rows.view(described["shape"])


def _refused(path: Path, why: str) -> Cached | None:
    logger.warning("feature cache %s is not used, and made again: %s", path, why)
    return None


def _digest(text: Mapping[str, str], features: Tensor) -> str:
    digest = hashlib.sha256(_canonical(text).encode())
    digest.update(str((features.dtype, tuple(features.shape))).encode())
    digest.update(features.contiguous().numpy().reshape(-1).data)
    return digest.hexdigest()


def _canonical(content: Mapping[str, Fact]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
