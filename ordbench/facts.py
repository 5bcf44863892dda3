"""What the record of a run says before anything is trained, so also where the training fails."""

from __future__ import annotations

from typing import TypedDict

from ordbench.identity import versions_for
from ordbench.labels import head_label
from ordbench.prepared import Prepared
from ordbench.provenance import machine, versions
from ordbench.record import FeatureFacts, SplitFacts, TaskFacts
from ordbench.registry import DATASETS
from ordbench.spec import RunSpec


class Facts(TypedDict):
    """Fields of a `Record`."""

    run_id: str
    label: str
    spec: RunSpec
    ranked: bool
    task: TaskFacts
    split: SplitFacts
    features: FeatureFacts
    hashes: dict[str, str]
    versions: dict[str, str]
    machine: dict[str, str]


def facts(prepared: Prepared, device: str) -> Facts:
    """What is known of a run on a device as soon as it is prepared."""
    # One run has one record, so a manifest that says what is drawn anyway leaves no trace.
    spec = prepared.spec.model_copy(update={"split": prepared.identity.own_split})
    split = prepared.split
    listing, features = prepared.material.listing, prepared.material.features
    task = listing.task
    return Facts(
        run_id=prepared.identity.run_id,
        label=head_label(spec),
        spec=spec,
        ranked=spec.protocol == "standard",
        task=TaskFacts(
            title=DATASETS[spec.dataset].card.title,
            num_ranks=task.num_ranks,
            unit=task.unit,
            rank_values=task.rank_values,
        ),
        split=SplitFacts(
            hash=split.hash,
            train=len(split.train),
            val=len(split.val),
            test=len(split.test),
            rejected=listing.rejected,
            leaks=split.leaks,
            short=split.short,
            notes=(*listing.notes, *split.notes),
        ),
        features=FeatureFacts(
            key=features.key,
            dtype=features.dtype,
            cosine=features.cosine,
            layer=spec.layer,
            normalize=spec.normalize,
        ),
        hashes=prepared.identity.hashes,
        versions={**versions(), **versions_for(spec), **prepared.identity.owner},
        machine=machine(device),
    )
