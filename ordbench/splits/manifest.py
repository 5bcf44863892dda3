"""Splits as files: written, read, and checked against the dataset that they divide."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, cast

from pydantic import ValidationError

from ordbench.dataset import Samples
from ordbench.errors import DatasetError, OrdbenchError, SpecError
from ordbench.protocol import Parts
from ordbench.splits import folds
from ordbench.splits.draw import open_protocol, protocol_name
from ordbench.splits.split import Split, check, check_ranks, check_shots, leaks, notes, short
from ordbench.utils.canonical_json import add_checksum, canonical, parse_typed, verify_checksum
from ordbench.utils.files import read_regular, write_atomic
from ordbench.utils.text import did_you_mean
from ordbench.utils.wording import wanted

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails


def write_manifest(split: Split, path: Path) -> None:
    """Write a split as JSON that can be read by eye, with its hash and a checksum of all.

    Raises:
        StoreError: If the file cannot be written.
    """
    write_atomic(path, to_json(split).encode())


def to_json(split: Split) -> str:
    """The content of a manifest."""
    content = {"format": folds.VERSION, **split.model_dump(mode="json"), "hash": split.hash}
    sealed = content | json.loads(add_checksum(canonical(content)))
    return json.dumps(sealed, indent=1, ensure_ascii=False) + "\n"


def read_manifest(path: Path) -> Split:
    """Read a split that was written by `write_manifest`, or by hand.

    By hand, ``dataset``, ``train``, ``val`` and ``test`` are enough. Where a hash or a checksum
    stands, all must be as it was written.

    Raises:
        DatasetError: If the file cannot be read, or was changed after it was written.
    """
    try:
        text = read_regular(path)
        content = parse_typed(text)
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise DatasetError(
            f"split {path} cannot be read: {why}; wanted a JSON file as ordbench split write "
            "makes it"
        ) from None
    if not isinstance(content, dict):
        raise DatasetError(
            f"split {path}: wanted an object with dataset, train, val and test, as ordbench split "
            "write makes it"
        )
    fields = cast(dict[str, object], content)
    written = [fields.pop(name, None) for name in ("hash", "checksum")] != [None, None]
    version = fields.pop("format", folds.VERSION)
    if version != folds.VERSION:
        raise DatasetError(f"split {path}: wanted format {folds.VERSION!r}, got {version!r}")
    try:
        split = Split.model_validate(fields)
        split = split.model_copy(update={"protocol": protocol_name(split.protocol)})
    except ValidationError as error:
        raise DatasetError(f"split {path}, {_said(error.errors()[0])}") from None
    except OrdbenchError as error:
        raise DatasetError(f"split {path}, protocol: {error}") from None
    name, colon, _ = split.dataset.partition(":")
    if colon:
        raise DatasetError(
            f"split {path}, dataset: wanted the name alone, {name!r}, got {split.dataset!r}; "
            "--dataset says where it lies"
        )
    if written:
        _check_unchanged(text, path)
    return split


def _said(error: ErrorDetails) -> str:
    """What is wrong with a field, and where."""
    field, *entry = error["loc"]
    where = f"{field}, entry {int(entry[0]) + 1}" if entry else str(field)
    said = f"{where}: {wanted([error])}"
    if error["type"] == "extra_forbidden":
        return f"{said}; {did_you_mean(str(field), Split.model_fields)}"
    return said if error["type"] == "missing" else f"{said}, got {str(error['input'])[:40]}"


def _check_unchanged(text: bytes, path: Path) -> None:
    try:
        verify_checksum(text)
    except ValueError as error:
        raise DatasetError(
            f'split {path}: {error}; if you meant it, delete its lines "hash" and "checksum"'
        ) from None


def apply_manifest(listing: Samples, manifest: Split, protocol: str = "standard") -> Split:
    """Check a manifest against the dataset that it is to divide.

    Args:
        listing: The dataset as it was read.
        manifest: As `read_manifest` gave it.
        protocol: What the run asks for; the manifest must have been made for it.

    Raises:
        SpecError: If the manifest is of the other protocol.
        DatasetError: If it names an image that is not there or names one twice, if a part is empty,
            if a person stands in two parts, or if a rank has more training images than shots.
    """
    if manifest.protocol != protocol:
        raise SpecError(
            f"the split was made for --protocol {manifest.protocol}, the run asks for {protocol}; "
            f"use --protocol {shlex.quote(manifest.protocol)}, or another split"
        )
    places = manifest.indices(listing)
    train_ranks = _train_ranks(listing, manifest, places.train)
    parts = Parts(*([listing.samples[place] for place in part] for part in places))
    paper = open_protocol(protocol).validates_on_test
    check(parts, listing, where=f"split of {manifest.dataset}", paper=paper)
    check_shots(parts.train, listing, manifest.shots)
    if paper and set(manifest.val) != set(manifest.test):
        raise DatasetError(
            f"a split of --protocol {protocol} validates on its test images, but its val and test "
            "differ; make val the same as test"
        )
    changed = len(train_ranks)
    found = notes(parts, listing, shots=manifest.shots, paper=paper, changed=changed)
    content = manifest.model_dump() | {
        part: sorted(sample.name for sample in samples) for part, samples in parts._asdict().items()
    }
    return Split.model_validate(
        content
        | {
            "leaks": leaks(parts, paper=paper),
            "short": short(parts.train, listing.task.num_ranks, manifest.shots),
            "notes": tuple(dict.fromkeys((*manifest.notes, *found))),
            "train_ranks": train_ranks,
        }
    )


def _train_ranks(listing: Samples, manifest: Split, places: Sequence[int]) -> dict[str, int]:
    """The changed ranks of a manifest, by the names that the listing has."""
    where = f"split of {manifest.dataset}, train_ranks"
    check_ranks(manifest.train_ranks, listing, where=where)
    place_of = dict(zip(manifest.train, places, strict=True))
    if unknown := sorted(manifest.train_ranks.keys() - place_of.keys()):
        raise DatasetError(f"{where}: {unknown[0]!r} is not in train; name training images only")
    return {listing.samples[place_of[n]].name: rank for n, rank in manifest.train_ranks.items()}
