"""Inputs on which an export is compared with PyTorch: images of the run's dataset, or noise."""

from __future__ import annotations

from typing import NamedTuple, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from ordbench.backbone import Backbone, Dtype
from ordbench.errors import DatasetError, OrdbenchError
from ordbench.features.extraction import extract
from ordbench.features.given import given_features
from ordbench.features.image_loader import Decoded, decoded
from ordbench.runs.kept_head import HeadFacts
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.spec import RunSpec

MOST = 64


class Inputs(NamedTuple):
    """Rows that a module takes, and what they are, in words."""

    rows: Tensor
    what: str


def inputs_for(
    facts: HeadFacts,
    tower: Backbone | None,
    *,
    spec: RunSpec | None,
    backbone: str,
    settings: Locations,
) -> Inputs:
    """Features of at most 64 samples of the run's dataset, or their images; else random numbers.

    Args:
        facts: Of the head.
        tower: What reads images; None for features.
        spec: The run; None where it is not known.
        backbone: What gives the features.
        settings: Where datasets and caches lie.
    """
    if spec is None:
        return _random(facts, tower, "the dataset of the run is not known")
    try:
        rows = _rows(facts, tower, spec, backbone, Resources(settings))
    except OrdbenchError as error:
        return _random(facts, tower, str(error))
    return Inputs(rows, f"{len(rows)} samples of {spec.dataset}")


def _rows(
    facts: HeadFacts, tower: Backbone | None, spec: RunSpec, backbone: str, resources: Resources
) -> Tensor:
    listing = resources.listing(spec)
    count = len(listing.samples)
    chosen = np.unique(np.linspace(0, count - 1, min(MOST, count)).round().astype(int))
    if listing.features is not None:
        return given_features(listing.features[chosen], normalize=facts.normalize).features
    samples = [listing.samples[index] for index in chosen]
    images = [sample.image for sample in samples if sample.image is not None]
    if tower is not None:
        (batch,) = decoded(images, tower.transform, MOST)
        readable = [image.tensor for image in batch if isinstance(image, Decoded)]
        if not readable:
            raise DatasetError(f"no image can be read: {batch[0]}")
        return torch.stack(readable)
    return extract(
        images,
        backbone=backbone,
        cache=resources.cache,
        layer=facts.layer,
        normalize=facts.normalize,
        dtype=cast(Dtype, facts.dtype),
        device=resources.device,
    ).features


def _random(facts: HeadFacts, tower: Backbone | None, why: str) -> Inputs:
    blank = tower.transform(Image.new("RGB", (64, 64))) if tower else torch.zeros(facts.in_features)
    rows = torch.randn(MOST, *blank.shape, generator=torch.Generator().manual_seed(0))
    return Inputs(rows, f"{MOST} rows of random numbers ({why})")
