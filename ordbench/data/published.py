"""Whether the images of a dataset are the published ones, by a table of hashes, without names.

The package of a dataset may hold a table ``published_images.json``: for each dataset the number of
images in a published list and SHA-256 of what the list says. File names and labels are facts; the
images stay with those who distribute them.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from functools import lru_cache
from importlib.resources import files

from pydantic import BaseModel, ConfigDict, TypeAdapter

from ordbench.dataset import Dataset, Samples

TABLE = "published_images.json"


class PublishedImages(BaseModel):
    """What a published list says of a dataset.

    Attributes:
        source: The list, and its licence.
        images: How many it names.
        names: SHA-256 of their names, sorted.
        ranks: SHA-256 of names and rank names, sorted by name.
        folds: `Split.hash` of each fold of the standard protocol, with all images.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    source: str
    images: int
    names: str
    ranks: str
    folds: tuple[str, ...]


def names_hash(listing: Samples) -> str:
    """SHA-256 of the names of all samples, whatever their order."""
    return _sha256(sorted(sample.name for sample in listing.samples))


def ranks_hash(listing: Samples) -> str:
    """SHA-256 of name and rank name of all samples, whatever their order and unused ranks."""
    words = listing.task.rank_names
    return _sha256(sorted((sample.name, words[sample.rank]) for sample in listing.samples))


def _sha256(content: object) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def published_images(plugin: type[Dataset], name: str) -> PublishedImages | None:
    """What is known of a dataset; None where there is no list of it."""
    return _table(plugin.__module__.rpartition(".")[0]).get(name)


@lru_cache
def _table(package: str) -> dict[str, PublishedImages]:
    table = files(package) / TABLE if package else None
    if table is None or not table.is_file():
        return {}
    return TypeAdapter(dict[str, PublishedImages]).validate_json(table.read_bytes())


def fold_note(listing: Samples, known: PublishedImages, fold: int, split_hash: str) -> str:
    """Whether a split of the standard protocol, with all images, is that of the published list.

    Empty where the images are others.
    """
    if fold < len(known.folds) and split_hash == known.folds[fold]:
        return f"the split is that of the published images, fold {fold}"
    if names_hash(listing) != known.names:
        return ""
    return (
        "the split is not that of the published names alone: identical pictures were kept on one "
        "side, or options divide them otherwise"
    )


def with_published_note(listing: Samples, known: PublishedImages, *, whole: bool) -> Samples:
    """Say of a listing whether its images are the published ones.

    Args:
        listing: As it was read.
        known: What the published list says.
        whole: Whether all images were asked for; of a part, nothing is said.
    """
    note = _note(listing, known, whole=whole)
    return replace(listing, notes=(*listing.notes, note)) if note else listing


def _note(listing: Samples, known: PublishedImages, *, whole: bool) -> str:
    count, wanted = len(listing.samples), f"{known.images:,}"
    if count == known.images and names_hash(listing) == known.names:
        if ranks_hash(listing) == known.ranks:
            return f"the published {wanted} images, by name and rank"
        return f"the published {wanted} images, but not all have the rank of {known.source}"
    if not whole:
        return ""
    if count == known.images:
        return f"{wanted} images as in {known.source}, but not of the same names"
    return f"{count:,} images, not the {wanted} of {known.source}"
