"""Features of images: decoded beside the model, encoded once, and cached by their content."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ordbench.backbone import Backbone, BackboneFamily, Dtype, Layer
from ordbench.dataset import SkippedFile
from ordbench.errors import BackboneError, DatasetError
from ordbench.features.cache import Cached, Fact, key_of, read, write
from ordbench.features.image_loader import decoded, hash_images
from ordbench.features.precision import choose_dtype
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import BACKBONES
from ordbench.plugins.source_hash import source_hash
from ordbench.utils.environment import version_of

logger = logging.getLogger(__name__)
Progress = Callable[[int, int], None]
"""Called with the number of images that are done and the number of all."""

# Raised when the same backbone would give other features: decoding or arithmetic has changed.
REVISION = 1

# Images that are encoded twice to see what half precision costs, and the cosine that is too low.
CHECKED = 16
POOR_COSINE = 0.99


@dataclass(frozen=True, kw_only=True)
class Features:
    """Features of images, and how they came about.

    Attributes:
        features: ``(N, D)`` float32, on the CPU; a row for each image that could be decoded, in
            the order given. Mapped from the file where they come from the cache.
        rejected: The other images, named by their path.
        key: Names the file in the cache.
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
    images: Sequence[Path],
    *,
    backbone: str,
    cache: Path,
    layer: Layer = "post",
    normalize: bool = False,
    dtype: Dtype | Literal["auto"] = "auto",
    device: str = "cpu",
    batch_size: int = 64,
    progress: Progress | None = None,
) -> Features:
    """Encode images, or read what was encoded before.

    What is in the key: the backbone's weights, its family's source, the versions of the libraries
    that preprocess and compute (so the transform, which is a function of these), layer,
    normalisation, dtype, whether CPU or GPU computes, and the content of the images in their order.
    Where files lie and what they are called is not.

    Args:
        images: Their files.
        backbone: As typed, ``FAMILY:ARGUMENT``.
        cache: Folder of the caches; features lie in its subfolder ``features``.
        layer: After or before the projection into the joint space.
        normalize: Whether features are brought to unit length.
        dtype: Of weights and arithmetic; ``auto`` as in `choose_dtype`.
        device: ``cpu`` or ``cuda``.
        batch_size: Images a call of the backbone.
        progress: Told after each batch.

    Raises:
        DatasetError: If not one image can be decoded.
        BackboneError: If the backbone cannot be had, or its features are not finite.
    """
    started = time.perf_counter()
    family, argument = open_family(backbone)
    dtype = choose_dtype(dtype, device, family.weights_size(argument))
    job = _Job(backbone, layer, device, dtype, normalize, batch_size)
    facts = _facts(job, images)
    key = key_of(facts)
    path = cache / "features" / f"{key}.safetensors"
    cached, forwards = read(path, facts, len(images)), 0
    from_cache = cached is not None
    if cached is None:
        cached, forwards = _encode(images, job, progress or (lambda done, total: None))
        write(path, facts, cached)
    return Features(
        features=cached.features,
        rejected=tuple(SkippedFile(str(images[n]), why) for n, why in cached.rejected.items()),
        key=key,
        fingerprint=str(facts["weights"]),
        images_hash=str(facts["images"]),
        dtype=dtype,
        cosine=cached.cosine,
        transform=cached.transform,
        seconds=time.perf_counter() - started,
        from_cache=from_cache,
        forwards=forwards,
        decoded=0 if from_cache else len(cached.features),
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


def _facts(job: _Job, images: Sequence[Path]) -> dict[str, Fact]:
    """Everything that can change a feature."""
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
        "images": hash_images(images),
    }


def _encode(images: Sequence[Path], job: _Job, progress: Progress) -> tuple[Cached, int]:
    """Decode and encode all images; also returns the number of calls of the backbone."""
    tower = job.load(job.dtype)
    rows: list[Tensor] = []
    rejected: dict[int, str] = {}
    cosine, done = None, 0
    for batch in decoded(images, tower.transform, job.batch_size):
        rejected |= {done + n: why for n, why in enumerate(batch) if isinstance(why, str)}
        if good := [image for image in batch if isinstance(image, Tensor)]:
            stacked = torch.stack(good)
            rows.append(tower.encode(stacked))
            if cosine is None and job.dtype != "float32":
                cosine = _least_cosine(job, stacked[:CHECKED], rows[0][:CHECKED])
        done += len(batch)
        progress(done, len(images))
    if not rows:
        first = f"; the first, {images[0]}, {rejected[0]}" if images else ""
        raise DatasetError(f"none of {len(images)} images can be decoded{first}")
    features = torch.cat(rows).float().cpu()
    _refuse_non_finite(features, job)
    if job.normalize:
        features = F.normalize(features, dim=1)
    transform = repr(tower.transform)
    cached = Cached(features=features, rejected=rejected, cosine=cosine, transform=transform)
    return cached, len(rows)


def _least_cosine(job: _Job, images: Tensor, features: Tensor) -> float:
    exact = job.load("float32").encode(images)
    cosine = float(F.cosine_similarity(exact, features.float(), dim=1).min())
    if not cosine >= POOR_COSINE:
        logger.warning(
            "%s features of %s differ from float32 ones (least cosine %.4f); take --dtype float32",
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
            f"in {job.dtype}; take --dtype float32, or look at the weights"
        )
