"""Features of images: decoded beside the model, encoded once, and cached by their content."""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.backbone import Backbone, BackboneFamily, Dtype, Layer
from ordbench.dataset import SkippedFile
from ordbench.errors import BackboneError, DatasetError
from ordbench.features.cache import Fact, FeatureCache, Shard, gather, key_of, known
from ordbench.features.image_loader import Decoded, Unreadable, decoded, hash_images
from ordbench.features.precision import choose_dtype
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import BACKBONES
from ordbench.plugins.source_hash import source_hash
from ordbench.utils.environment import version_of
from ordbench.utils.images import ImageSource
from ordbench.utils.text import counted

logger = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
"""Called with the number of images that are done and the number of all."""

# Raised when the same backbone would give other features: decoding or arithmetic has changed.
REVISION = 3

# Images that are encoded twice to see what half precision costs, and the cosine that is too low.
CHECKED = 8
POOR_COSINE = 0.99
# Images a call of the backbone. On a CPU, 64 take twice as long as 8: memory for their activations
# is taken from the system and given back at each call.
BATCH_SIZES = {"cpu": 8, "cuda": 64}


@dataclass(frozen=True, kw_only=True)
class Features:
    """Features of images, and how they came about.

    Attributes:
        features: ``(N, D)`` float32, on the CPU; a row for each image that could be decoded, in
            the order given.
        rejected: The other images, named by where they lie.
        pixels: SHA-256 of the decoded pixels of each row's image; identical pictures have the same.
            Empty where there are no images.
        key: SHA-256 of all that can change the features, the images included.
        fingerprint: Hash of the backbone's weights.
        images_hash: Hash of the content of all images, in their order.
        dtype: Arithmetic of the image tower.
        cosine: Least cosine to the float32 features, over the first images; None in float32.
        transform: All that the preprocessing did.
        seconds: Wall time of this call.
        from_cache: Whether nothing was decoded or encoded.
        forwards: Calls of the backbone.
        decoded: Images decoded.
    """

    features: Tensor
    pixels: tuple[str, ...] = ()
    rejected: tuple[SkippedFile, ...]
    key: str
    fingerprint: str
    images_hash: str
    dtype: Dtype
    cosine: float | None
    transform: str
    seconds: float
    from_cache: bool
    forwards: int = 0
    decoded: int = 0


def open_family(backbone: str) -> tuple[BackboneFamily, str]:
    """The family of ``FAMILY:ARGUMENT``, and the argument.

    Raises:
        UnknownPluginError: If there is no such family.
    """
    choice = PluginRef.parse(backbone)
    return BACKBONES[choice.name](), choice.argument


def extract(
    images: Sequence[ImageSource],
    *,
    backbone: str,
    cache: Path,
    layer: Layer = "post",
    normalize: bool = False,
    dtype: Dtype | Literal["auto"] = "auto",
    device: str = "cpu",
    batch_size: int | None = None,
    progress: Progress | None = None,
) -> Features:
    """Encode images, but for those that were encoded before.

    A row is kept under the backbone's weights, its family's source, the versions of the libraries
    that preprocess and compute (so the transform, which is a function of these), layer,
    normalisation, dtype, whether CPU or GPU computes, the batch size, and the content of its image.
    Where images lie and what they are called is not in it. Rows are kept after each batch, and an
    image whose content is in several files is encoded once.

    Sums are split in another way in batches of another size, so every batch is filled up: a row
    does not depend on the other images.

    Args:
        images: Where they lie.
        backbone: As typed, ``FAMILY:ARGUMENT``.
        cache: Folder of the caches; features lie in its subfolder ``features``.
        layer: After or before the projection into the joint space.
        normalize: Whether features are brought to unit length.
        dtype: Of weights and arithmetic; ``auto`` as in `choose_dtype`.
        device: ``cpu`` or ``cuda``.
        batch_size: Images a call of the backbone; None for what is fast on the device.
        progress: Told after each batch.

    Raises:
        DatasetError: If not one image can be decoded.
        BackboneError: If the backbone cannot be had, or its features are not finite.
    """
    started = time.perf_counter()
    family, argument = open_family(backbone)
    dtype = choose_dtype(dtype, device, family.weights_size(argument))
    batch_size = batch_size or BATCH_SIZES.get(device.partition(":")[0], 64)
    job = _Job(backbone, layer, device, dtype, normalize, batch_size)
    facts = _facts(job)
    contents = hash_images(images)
    cache_of_space = FeatureCache(cache / "features", facts)
    shards = cache_of_space.load()
    made: list[Shard] = []
    if _missing(contents, shards):
        with cache_of_space.lock():
            shards = cache_of_space.load()
            missing = _missing(contents, shards)
            done = len(images) - len(missing)
            cosine = _least(shards)
            todo = [images[n] for n in missing.values()]
            for shard in _encode(todo, job, list(missing), cosine):
                cache_of_space.add(shard)
                made.append(shard)
                done += len(shard.contents) + len(shard.rejected)
                if progress:
                    progress(done, len(images))
            if made:
                cache_of_space.merge()
    return _features(images, contents, [*shards, *made], made, facts, dtype, started)


def _missing(contents: Sequence[str], shards: Sequence[Shard]) -> dict[str, int]:
    """The contents without a row, with the first image that has each."""
    there = known(shards)
    first: dict[str, int] = {}
    for number, content in enumerate(contents):
        if content not in there and not isinstance(content, Unreadable):
            first.setdefault(content, number)
    return first


def _features(
    images: Sequence[ImageSource],
    contents: Sequence[str],
    shards: Sequence[Shard],
    made: Sequence[Shard],
    facts: Mapping[str, Fact],
    dtype: Dtype,
    started: float,
) -> Features:
    reasons: dict[str, str] = {c: c for c in contents if isinstance(c, Unreadable)}
    for shard in shards:
        reasons |= shard.rejected
    kept = [content for content in contents if content not in reasons]
    rejected = tuple(
        SkippedFile(str(image), reasons[content])
        for image, content in zip(images, contents, strict=True)
        if content in reasons
    )
    if not images:
        raise DatasetError("there are no images to encode")
    if not kept:
        raise DatasetError(
            f"none of {counted(len(images), 'image')} can be decoded; the first, "
            f"{rejected[0].name}, {rejected[0].reason}"
        )
    pixels = {c: p for shard in shards for c, p in zip(shard.contents, shard.pixels, strict=True)}
    images_hash = hashlib.sha256("".join(contents).encode()).hexdigest()
    return Features(
        features=gather(shards, kept),
        pixels=tuple(pixels[content] for content in kept),
        rejected=rejected,
        key=key_of({**facts, "images": images_hash}),
        fingerprint=str(facts["weights"]),
        images_hash=images_hash,
        dtype=dtype,
        cosine=_least(shards),
        transform=shards[0].transform,
        seconds=time.perf_counter() - started,
        from_cache=not made,
        forwards=sum(len(shard.features) > 0 for shard in made),
        decoded=sum(len(shard.features) for shard in made),
    )


@dataclass(frozen=True)
class _Job:
    """Which tower encodes, and how."""

    backbone: str
    layer: Layer
    device: str
    dtype: Dtype
    normalize: bool
    batch_size: int

    def load(self, dtype: Dtype) -> Backbone:
        family, argument = open_family(self.backbone)
        return family.load(argument, layer=self.layer, device=self.device, dtype=dtype)


def _least(shards: Sequence[Shard]) -> float | None:
    return min((shard.cosine for shard in shards if shard.cosine is not None), default=None)


def _facts(job: _Job) -> dict[str, Fact]:
    """Everything that can change a feature, but for the image."""
    family, argument = open_family(job.backbone)
    return {
        "revision": REVISION,
        "family": f"{type(family).__module__}.{type(family).__qualname__}",
        "source": source_hash(type(family)),
        "libraries": {name: version_of(name) for name in ("pillow", "torch", *family.libraries)},
        "device": job.device.partition(":")[0],
        "weights": family.fingerprint(argument),
        "layer": job.layer,
        "normalize": job.normalize,
        "dtype": job.dtype,
        "batch": job.batch_size,
    }


def _encode(
    images: Sequence[ImageSource], job: _Job, contents: Sequence[str], cosine: float | None
) -> Iterator[Shard]:
    """Decode and encode images, a shard for each batch; the cosine is measured where it is None."""
    tower = job.load(job.dtype)
    done = 0
    for batch in decoded(images, tower.transform, job.batch_size):
        named = list(zip(contents[done : done + len(batch)], batch, strict=True))
        good = [(name, image) for name, image in named if isinstance(image, Decoded)]
        features = torch.empty(0, tower.num_features)
        if good:
            stacked = torch.stack([image.tensor for _, image in good])
            filler = stacked[-1:].expand(job.batch_size - len(good), *stacked.shape[1:])
            features = tower.encode(torch.cat([stacked, filler]))[: len(good)]
            if cosine is None and job.dtype != "float32":
                cosine = _least_cosine(job, stacked[:CHECKED], features[:CHECKED])
        features = features.float().cpu()
        _refuse_non_finite(features, job)
        done += len(batch)
        yield Shard(
            contents=[name for name, _ in good],
            features=F.normalize(features, dim=1) if job.normalize else features,
            pixels=[image.pixels for _, image in good],
            rejected={name: why for name, why in named if isinstance(why, str)},
            cosine=cosine,
            transform=repr(tower.transform),
        )


def _least_cosine(job: _Job, images: Tensor, features: Tensor) -> float:
    exact = job.load("float32").encode(images)
    cosine = float(F.cosine_similarity(exact, features.float(), dim=1).min())
    if not cosine >= POOR_COSINE:
        logger.warning(
            "%s features of %s differ from float32 ones (least cosine %.4f); use --dtype float32",
            job.dtype,
            job.backbone,
            cosine,
        )
    return cosine


def _refuse_non_finite(features: Tensor, job: _Job) -> None:
    lost = int((~features.isfinite().all(1)).sum())
    if lost:
        raise BackboneError(
            f"backbone {job.backbone}: features of {lost} of {len(features)} images are not finite "
            f"in {job.dtype}; use --dtype float32, or check the weights"
        )
