"""Cached features, image by image: a row is found by its backbone and by the image's content.

A space holds the rows that one backbone made in one way. It is a folder of shards, named by their
content and never changed: whoever reads needs no lock, and a killed writer leaves whole shards.
Whatever is wrong with a shard, it is as if it were not there.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import BaseFileLock, FileLock, Timeout
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ordbench.errors import StoreError
from ordbench.utils.files import cannot_write, remove_stale, write_atomic

logger = logging.getLogger(__name__)

Fact = str | bool | float | None | Mapping[str, str]
MERGED_ROWS = 4096  # a shard of fewer rows is merged with others after an extraction


@dataclass(frozen=True, kw_only=True)
class Shard:
    """Rows of some images.

    Attributes:
        contents: SHA-256 of each image file whose features are a row.
        features: ``(n, D)`` float32.
        pixels: SHA-256 of each image's decoded pixels; identical pictures have the same.
        rejected: Why other images cannot be decoded, by the SHA-256 of their content.
        cosine: Least cosine to the float32 features where that was measured.
        transform: All that the preprocessing did.
    """

    contents: Sequence[str]
    features: Tensor
    pixels: Sequence[str]
    rejected: Mapping[str, str]
    cosine: float | None
    transform: str


class FeatureCache:
    """The rows of one space.

    Args:
        root: Folder of all spaces.
        facts: All that can change a feature, but for the image.
    """

    def __init__(self, root: Path, facts: Mapping[str, Fact]) -> None:
        self.folder = root / key_of(facts)
        self._facts = _canonical(facts)

    def load(self) -> list[Shard]:
        """Map the shards into memory and verify each whole; a damaged one is named and ignored."""
        return [shard for _, shard in self._read()]

    def add(self, shard: Shard) -> Path | None:
        """Keep a shard that is either whole or not there.

        Returns:
            Its file, or None where it cannot be written, which costs a warning only.
        """
        text = {
            "facts": self._facts,
            "contents": json.dumps(list(shard.contents)),
            "pixels": json.dumps(list(shard.pixels)),
            "rejected": json.dumps(dict(shard.rejected)),
            "cosine": json.dumps(shard.cosine),
            "transform": shard.transform,
        }
        features = shard.features.contiguous()
        digest = _digest(text, features)
        content = save({"features": features}, metadata=text | {"sha256": digest})
        path = self.folder / f"{digest[:32]}.safetensors"
        try:
            write_atomic(path, content)
        except StoreError as error:
            logger.warning("features are not cached: %s", error)
            return None
        return path

    def merge(self) -> None:
        """Make one shard out of the small ones; only who holds the lock may do so."""
        small = [one for one in self._read() if len(one[1].features) < MERGED_ROWS]
        if len(small) > 1:
            whole = self.add(merged([shard for _, shard in small]))
            for path, _ in small if whole else ():
                if path != whole:
                    with suppress(OSError):
                        path.unlink()
        remove_stale(self.folder)

    @contextmanager
    def lock(self) -> Generator[None]:
        """Wait until no other process adds to this space; a killed process holds no lock."""
        lock = self._acquired()
        try:
            yield
        finally:
            if lock:
                lock.release()

    def _acquired(self) -> BaseFileLock | None:
        """The lock, or None where none can be written: then nothing can be cached, either."""
        path = self.folder / ".lock"
        lock = FileLock(path)
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            try:
                return lock.acquire(timeout=1).lock
            except Timeout:
                logger.warning("waiting for another process that encodes images (%s)", path)
                return lock.acquire().lock
        except OSError as error:
            logger.warning("features are not cached: %s", cannot_write(path, error))
            return None

    def _read(self) -> list[tuple[Path, Shard]]:
        paths = sorted(self.folder.glob("*.safetensors"))
        found = ((path, self._shard(path)) for path in paths)
        return [(path, shard) for path, shard in found if shard is not None]

    def _shard(self, path: Path) -> Shard | None:
        try:
            with safe_open(path, framework="pt") as opened:
                text: dict[str, str] = dict(opened.metadata() or {})
                features: Tensor = opened.get_tensor("features")
        except FileNotFoundError:  # merged with others meanwhile
            return None
        except (OSError, SafetensorError) as error:
            _ignored(path, f"it cannot be read: {error}")
            return None
        digest = text.pop("sha256", "")
        if digest != _digest(text, features) or features.dtype != torch.float32:
            _ignored(path, "its content does not match its SHA-256")
            return None
        if text.get("facts") != self._facts:
            _ignored(path, "it holds the features of something else")
            return None
        return Shard(
            contents=json.loads(text["contents"]),
            features=features,
            pixels=json.loads(text["pixels"]),
            rejected=json.loads(text["rejected"]),
            cosine=json.loads(text["cosine"]),
            transform=text["transform"],
        )


def merged(shards: Sequence[Shard]) -> Shard:
    """One shard with the rows of several, each content once; at least one."""
    rows = {content: (shard, row) for shard in shards for row, content in enumerate(shard.contents)}
    cosines = [shard.cosine for shard in shards if shard.cosine is not None]
    return Shard(
        contents=list(rows),
        features=gather(shards, list(rows)),
        pixels=[shard.pixels[row] for shard, row in rows.values()],
        rejected={content: why for shard in shards for content, why in shard.rejected.items()},
        cosine=min(cosines, default=None),
        transform=shards[0].transform,
    )


def gather(shards: Sequence[Shard], contents: Sequence[str]) -> Tensor:
    """The rows ``(n, D)`` of image contents that the shards hold, in their order.

    They are not copied where they are one shard as it is.
    """
    for shard in shards:
        if list(shard.contents) == list(contents):
            return shard.features
    places: dict[str, tuple[int, int]] = {}
    for number, shard in enumerate(shards):
        places |= {content: (number, row) for row, content in enumerate(shard.contents)}
    features = torch.empty(len(contents), shards[0].features.shape[1])
    wanted: list[tuple[list[int], list[int]]] = [([], []) for _ in shards]
    for place, content in enumerate(contents):
        number, row = places[content]
        wanted[number][0].append(place)
        wanted[number][1].append(row)
    for shard, (into, rows) in zip(shards, wanted, strict=True):
        if rows:
            features[into] = shard.features[rows]
    return features


def known(shards: Iterable[Shard]) -> set[str]:
    """Contents for which there is a row, or a reason why there is none."""
    return {content for shard in shards for content in (*shard.contents, *shard.rejected)}


def key_of(facts: Mapping[str, Fact]) -> str:
    """SHA-256 of facts, whatever their order.

    >>> key_of({"layer": "pre", "normalize": True}) == key_of({"normalize": True, "layer": "pre"})
    True
    >>> key_of({"layer": "pre", "normalize": True}) == key_of({"layer": "pre", "normalize": False})
    False
    """
    return hashlib.sha256(_canonical(facts).encode()).hexdigest()


def _ignored(path: Path, why: str) -> None:
    logger.warning("feature cache %s cannot be used and is made again: %s", path, why)


def _digest(text: Mapping[str, str], features: Tensor) -> str:
    digest = hashlib.sha256(_canonical(text).encode())
    digest.update(str((features.dtype, tuple(features.shape))).encode())
    digest.update(features.contiguous().view(torch.uint8).numpy().reshape(-1).data)
    return digest.hexdigest()


def _canonical(content: Mapping[str, Fact]) -> str:
    return json.dumps(content, sort_keys=True, separators=(",", ":"))
