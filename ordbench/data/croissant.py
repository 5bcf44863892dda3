"""The card of a dataset as Croissant, the JSON-LD format of MLCommons that other tools read.

Source: Akhtar et al. (2024). Croissant: a metadata format for ML-ready datasets.
https://arxiv.org/abs/2403.19546; version 1.0, http://mlcommons.org/croissant/1.0
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from mimetypes import guess_type
from pathlib import Path
from typing import Any

from ordbench.data.archives import ZipMember
from ordbench.data.image_files import composed
from ordbench.dataset import DatasetCard, Sample, Samples
from ordbench.splits.split import Split
from ordbench.utils.images import content_hash

Node = dict[str, Any]

FEW = 100  # files that are named one by one, with their SHA-256

_WORDS = """citeAs column equivalentProperty extract field fileProperty fileObject fileSet format
includes isLiveDataset jsonPath key md5 parentField path recordSet references regex repeated replace
samplingRate separator source subField transform"""
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "conformsTo": "dct:conformsTo",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    **{word: f"cr:{word}" for word in _WORDS.split()},
}
_PARTS = {"train": "cr:TrainingSplit", "val": "cr:ValidationSplit", "test": "cr:TestSplit"}


def croissant(name: str, card: DatasetCard, listing: Samples, split: Split) -> Node:
    """Describe a dataset, its files, its ranks, and every sample with its part of a split.

    Paths are relative to the folder that holds all images.

    Args:
        name: Its registered name.
        card: Of the dataset.
        listing: Its samples.
        split: Which of them train, validate and test.
    """
    base = _base(listing.samples)
    url = re.search(r"https?://[^\s,;)]+", f"{card.source} {card.how_to_get}")
    year = re.search(r"\((\d{4})\)", card.source)
    node: Node = {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": name,
        "description": f"{card.title}: {card.ranks}. Split: protocol {split.protocol}, fold "
        f"{split.fold}.",
        "license": card.licence,
        "citeAs": card.source,
        "url": url[0].rstrip(".") if url else None,
        "datePublished": year[1] if year else None,
        "distribution": _distribution(listing.samples, base),
        "recordSet": [_splits(), _ranks(listing), _samples(listing, split, base)],
    }
    return {key: value for key, value in node.items() if value}


def _base(samples: Iterable[Sample]) -> Path:
    """The folder that holds all images that are files."""
    folders = {str(sample.image.parent) for sample in samples if isinstance(sample.image, Path)}
    return Path(os.path.commonpath(folders)) if folders else Path()


def _place(sample: Sample, base: Path) -> str:
    """The path of its image, in an archive or below ``base``; its name where there is none."""
    if isinstance(sample.image, ZipMember):
        return sample.image.member
    image = sample.image
    return composed(image.relative_to(base).as_posix()) if isinstance(image, Path) else sample.name


def _distribution(samples: Sequence[Sample], base: Path) -> list[Node]:
    """The archives, with their hashes, and the files: few one by one, or many by their endings."""
    images = {_place(sample, base): sample.image for sample in samples if sample.image is not None}
    files = {place: image for place, image in images.items() if isinstance(image, Path)}
    if len(files) == len(images) <= FEW:
        return [_file(place, path) for place, path in files.items()]
    archives = {image.archive for image in images.values() if isinstance(image, ZipMember)}
    packed = [_file(archive.name, archive) for archive in sorted(archives)]
    loose = _named(
        "cr:FileSet",
        "files",
        encodingFormat=sorted({_kind(place) for place in images}),
        includes=sorted({f"**/*{Path(place).suffix}" for place in images}),
    )
    inside = {"containedIn": [{"@id": one["@id"]} for one in packed]} if packed else {}
    return [*packed, loose | inside]


def _file(place: str, path: Path) -> Node:
    return _named(
        "cr:FileObject",
        place,
        contentUrl=place,
        encodingFormat=_kind(place),
        sha256=content_hash(path),
    )


def _kind(place: str) -> str:
    return guess_type(place)[0] or "application/octet-stream"


def _splits() -> Node:
    rows = [{"name": part, "url": kind} for part, kind in _PARTS.items()]
    columns = {"name": "sc:Text", "url": "sc:URL"}
    return _records("splits", columns, rows, key="name", dataType="cr:Split")


def _ranks(listing: Samples) -> Node:
    task = listing.task
    named = zip(task.rank_names, task.rank_values, strict=True)
    rows = [
        {"rank": rank, "name": name, "value": float(value)}
        for rank, (name, value) in enumerate(named)
    ]
    columns = {"rank": "sc:Integer", "name": "sc:Text", "value": "sc:Float"}
    about = f"The {task.num_ranks} ranks from lowest to highest; values in {task.unit}."
    return _records(
        "ranks", columns, rows, key="rank", dataType="sc:Enumeration", description=about
    )


def _samples(listing: Samples, split: Split, base: Path) -> Node:
    part_of = {name: part for part in _PARTS for name in getattr(split, part)}
    images = {} if listing.features is not None else {"image": "sc:ImageObject"}
    columns = {**images, "name": "sc:Text", "rank": "sc:Integer", "split": "sc:Text"}
    if any(sample.group is not None for sample in listing.samples):
        columns["group"] = "sc:Text"
    rows = [
        {
            "image": _place(sample, base),
            "name": sample.name,
            "rank": sample.rank,
            "split": part_of.get(sample.name, ""),
            "group": sample.group or "",
        }
        for sample in listing.samples
    ]
    node = _records("samples", columns, rows, key="name")
    for field in node["field"]:
        if field["name"] == "rank":
            field["references"] = {"field": {"@id": "ranks/rank"}}
        if field["name"] == "split":
            field["references"] = {"field": {"@id": "splits/name"}}
    return node


def _records(
    name: str, columns: Mapping[str, str], rows: Iterable[Node], *, key: str, **about: str
) -> Node:
    """A table whose rows stand in the document itself."""
    fields = [
        _named("cr:Field", f"{name}/{column}", name=column, dataType=kind)
        for column, kind in columns.items()
    ]
    data = [{f"{name}/{column}": row[column] for column in columns} for row in rows]
    return _named(
        "cr:RecordSet", name, key={"@id": f"{name}/{key}"}, field=fields, data=data, **about
    )


def _named(kind: str, identity: str, **about: Any) -> Node:  # noqa: ANN401 (what JSON holds)
    return {"@type": kind, "@id": identity, "name": identity, **about}
