"""What a sweep would do, from descriptions alone: no image is decoded, nothing is fetched."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from ordbench.errors import OrdbenchError
from ordbench.features.extraction import open_family
from ordbench.head import Problem
from ordbench.plugins.registry import DATASETS, HEADS
from ordbench.results.store import Store
from ordbench.runs.heads import create_head
from ordbench.runs.identity import source_hashes, versions_for
from ordbench.runs.record import Record
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.spec import RunSpec, check_backbone, datasets_of
from ordbench.splits.draw import open_protocol
from ordbench.sweeps.cells import Cell, cells
from ordbench.sweeps.scheduler import Policy
from ordbench.sweeps.survey import RefusedCell, or_refuse
from ordbench.task import Task
from ordbench.training.trainer import LabelledFeatures, problem_of
from ordbench.utils.canonical_json import canonical


@dataclass
class DryRun:
    """What is there of a sweep, and what is missing.

    Attributes:
        done: Records of the runs that would not be trained; failures among them.
        missing: What would be trained.
        skipped: What cannot run: its dataset is not there, or there is no such backbone or head.
    """

    done: list[Record] = field(default_factory=list[Record])
    missing: list[Cell] = field(default_factory=list[Cell])
    skipped: list[RefusedCell] = field(default_factory=list[RefusedCell])


def find_missing(
    specs: Iterable[RunSpec], results: Path, settings: Locations, policy: Policy
) -> DryRun:
    """Compare the runs of a sweep with the records of a store.

    A record counts if it has the same description, head source and versions. Whether images or
    weights were changed since is found out only when they are read.

    Args:
        specs: The runs.
        results: Folder of the records.
        settings: Where datasets lie.
        policy: Which records are run again, and how many runs to train.
    """
    stored = Store(results).records()
    records = {_key(record.spec): record for record in stored if _is_current(record)}
    resources = Resources(replace(settings, download=False))
    found = DryRun()
    left = policy.limit
    for cell in cells(specs):
        missing: dict[str, RunSpec] = {}
        for spec in cell.specs:
            record = records.get(_key(spec))
            if record is None or policy.wants(record):
                missing.setdefault(_key(spec), spec)
            elif record not in found.done:
                found.done.append(record)
        runs = tuple(missing.values())[:left]
        if not runs:
            continue
        try:
            check_backbone(cell.specs[0])
            _check_names(cell.specs[0])
            # A dataset that comes with ordbench, or may be fetched, is not looked for.
            embedded = (DATASETS[name].card.embedded for name in datasets_of(cell.specs[0]))
            if not settings.download and not all(embedded):
                resources.listing(cell.specs[0])
        except OrdbenchError as error:
            found.skipped.append(RefusedCell(cell, error))
            continue
        found.missing.append(Cell(cell.key, runs))
        left = None if left is None else left - len(runs)
    return found


def _check_names(spec: RunSpec) -> None:
    """Refuse a backbone that does not exist, and a head that its options do not allow.

    A prompt head is not built, as that would take the weights of its text encoder.
    """
    for name in filter(None, (spec.backbone, spec.text)):
        family, argument = open_family(name)
        family.check(argument)
    if not HEADS[spec.head].needs_text:
        or_refuse(spec.head, lambda: create_head(spec.head, imagined(), spec.head_options))


def imagined() -> Problem:
    """A small problem, on which any head can be built."""
    values = tuple(map(float, range(5)))
    task = Task(rank_names=tuple("abcde"), rank_values=values, unit="ranks", context="it is")
    features = torch.linspace(-1, 1, 40).reshape(5, 8)
    return problem_of(LabelledFeatures(features, torch.arange(5)), task, aligned=False)


def _key(spec: RunSpec) -> str:
    """The description of a run, without seeds that change nothing."""
    drawn = spec.shots is not None or open_protocol(spec.protocol).seeded
    changes = {} if drawn else {"data_seed": 0}
    if not HEADS[spec.head].seeded:
        changes["train_seed"] = 0
    return canonical(spec.model_copy(update=changes).model_dump(mode="json"))


def _is_current(record: Record) -> bool:
    spec = record.spec
    try:
        open_protocol(spec.protocol)
        versions = versions_for(spec)
        return (
            source_hashes(spec).items() <= record.hashes.items()
            and versions.items() <= record.versions.items()
        )
    except OrdbenchError:  # its head or protocol is not installed any more
        return False
