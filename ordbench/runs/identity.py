"""What makes two runs the same work: their description, versions and content hashes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import JsonValue

from ordbench.features.extraction import open_family
from ordbench.plugins.registry import HEADS
from ordbench.plugins.source_hash import source_hash, trainer_hash
from ordbench.utils.canonical_json import run_id
from ordbench.utils.environment import version_of

if TYPE_CHECKING:
    from ordbench.runs.resources import EncodedDataset, Resources
    from ordbench.runs.spec import RunSpec
    from ordbench.splits.split import Split


@dataclass(frozen=True)
class Identity:
    """The id of a run and what it was made from.

    Attributes:
        run_id: See `ordbench.utils.canonical_json.run_id`.
        hashes: SHA-256 of ``head`` (its source and the modules it imports), ``trainer`` (the
            source of `ordbench.training`), ``labels`` (names, ranks, task and official
            parts), ``split``, ``images``, ``features`` (weights, preprocessing, arithmetic and
            images),
            ``backbone`` (its weights) and, for a text head, ``text`` (the tower's weights) and
            ``text_source`` (the tower's code).
        owner: Name and version of the package that owns the head.
        cell: The same for all runs that differ in nothing but their seeds.
        own_split: Hash of the split if it is not the one that is drawn without a manifest.
    """

    run_id: str
    hashes: dict[str, str]
    owner: dict[str, str]
    cell: str
    custom_split_hash: str


def versions_for(spec: RunSpec) -> dict[str, str]:
    """Versions, on this machine, of the libraries that stand in a run's id.

    Those of its backbone stand in the key of its features.
    """
    head, text = HEADS[spec.head], open_family(spec.text or spec.backbone)[0].libraries
    libraries = ["ordbench", "torch", *head.libraries, *(text if head.needs_text else ())]
    if spec.tuning and spec.tuning.sampler == "optuna":
        libraries.append("optuna")
    return {name: version_of(name) for name in libraries}


def source_hashes(spec: RunSpec) -> dict[str, str]:
    """Hashes of the code, on this machine, that can change the outcome of a run."""
    head = HEADS[spec.head]
    hashes = {"head": source_hash(head), "trainer": trainer_hash()}
    if head.needs_text:
        hashes["text_source"] = source_hash(type(open_family(spec.text or spec.backbone)[0]))
    return hashes


def owner_of(head: str) -> dict[str, str]:
    """Name and version of the package that owns a head."""
    return HEADS.owner(head)


def identify(
    spec: RunSpec, split: Split, material: EncodedDataset, resources: Resources
) -> Identity:
    """Name a run by all that can change its outcome, and by nothing else.

    Paths, and the options of datasets, which may hold paths, are left out: the hashes of what they
    lead to are there instead. The data seed is left out, as the split is there that it draws, and
    so is the train seed of a head that does not depend on it.
    """
    head = HEADS[spec.head]
    owner = owner_of(spec.head)
    hashes = {
        **source_hashes(spec),
        "labels": material.listing.fingerprint,
        "split": split.hash,
        "images": material.features.images_hash,
        "features": material.features.key,
        "backbone": material.features.fingerprint,
    }
    hashed = {"dataset_argument", "dataset_options", "test_dataset", "split"}
    hashed |= {"dtype", "data_seed"}
    if not head.seeded:
        hashed.add("train_seed")
    if head.needs_text:
        hashes["text"] = resources.fingerprint(spec.text or spec.backbone)
    else:
        hashed.add("text")
    described = spec.model_dump(mode="json", exclude=hashed)
    described["backbone"] = described["backbone"].partition("@")[0]
    described["text"] = described.get("text", "").partition("@")[0]
    identity: dict[str, JsonValue] = {
        "spec": described,
        "hashes": {**hashes},
        "versions": {**versions_for(spec)},
        "owner": {**owner},
    }
    seedless: dict[str, JsonValue] = {
        "spec": described | {"train_seed": 0},
        "hashes": {name: value for name, value in hashes.items() if name != "split"},
    }
    return Identity(
        run_id=run_id(identity),
        hashes=hashes,
        owner=owner,
        cell=run_id({**identity, **seedless}),
        custom_split_hash=resources.own_split(spec, material.listing, split),
    )
