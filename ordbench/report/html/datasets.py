"""One section a dataset: its card, its licence, and which images trained and were tested."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ordbench.dataset import SkippedFile
from ordbench.errors import OrdbenchError
from ordbench.plugins.reference import PluginRef
from ordbench.report.descriptions import Description, describe
from ordbench.results.rows import options_text, without_paths
from ordbench.runs.record import Record, TaskFacts
from ordbench.runs.titles import shots_title

SHOWN = 10  # files left out


class SplitCounts(NamedTuple):
    """How many images a split has in each part.

    Attributes:
        leaks: Test images that show people also in training or validation.
        short: Ranks with fewer training images than shots.
        hashes: The first digits of the hash of each split: one a data seed.
    """

    shots: str
    protocol: str
    fold: int
    train: str
    val: str
    test: str
    leaks: int
    short: int
    hashes: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class DatasetSection:
    """What is known of one dataset.

    Attributes:
        name: As typed, without folders.
        options: Its options, defaults filled in.
        tested: The dataset that was tested in its place, as typed; empty for its own images.
        description: Its card; None where it is not installed here.
        missing: Why there is none.
        task: What was predicted.
        splits: By shots, protocol and fold.
        notes: What a reader of results must know.
        left_out: The first files that were left out as unusable.
        more_left_out: How many more there are.
    """

    name: str
    options: str
    tested: str
    description: Description | None
    missing: str
    task: TaskFacts | None
    splits: Sequence[SplitCounts]
    notes: Sequence[str]
    left_out: Sequence[SkippedFile]
    more_left_out: int

    @property
    def title(self) -> str:
        """Its name in print."""
        return self.task.title if self.task else self.name


def dataset_sections(records: Iterable[Record]) -> list[DatasetSection]:
    """One section for each dataset of these runs, by name and options."""
    found: defaultdict[tuple[str, str, str], list[Record]] = defaultdict(list)
    for record in records:
        spec = without_paths(record.spec)
        name = str(PluginRef(spec.dataset, spec.dataset_argument))
        found[name, options_text(spec.dataset_options), spec.test_dataset].append(record)
    return [_section(*key, runs) for key, runs in sorted(found.items())]


def _section(name: str, options: str, tested: str, records: Sequence[Record]) -> DatasetSection:
    description, missing = None, ""
    try:
        description = describe("dataset", records[0].spec.dataset)
    except OrdbenchError as error:
        missing = str(error)
    splits = {record.split.hash: record.split for record in records if record.split}.values()
    rejected = list(dict.fromkeys(file for split in splits for file in split.rejected))
    return DatasetSection(
        name=name,
        options=options,
        tested=tested,
        description=description,
        missing=missing,
        task=next((record.task for record in records if record.task), None),
        splits=_splits(records),
        notes=list(dict.fromkeys(note for split in splits for note in split.notes)),
        left_out=rejected[:SHOWN],
        more_left_out=max(0, len(rejected) - SHOWN),
    )


def _splits(records: Iterable[Record]) -> list[SplitCounts]:
    found: defaultdict[tuple[bool, int, str, int], list[Record]] = defaultdict(list)
    for record in records:
        shots, spec = record.spec.shots, record.spec
        if record.split:
            found[shots is None, shots or 0, spec.protocol, spec.fold].append(record)
    return [_counts(runs) for _, runs in sorted(found.items())]


def _counts(records: Sequence[Record]) -> SplitCounts:
    spec = records[0].spec
    splits = [record.split for record in records if record.split]
    return SplitCounts(
        shots=shots_title(spec),
        protocol=spec.protocol,
        fold=spec.fold,
        train=_span([split.train for split in splits]),
        val=_span([split.val for split in splits]),
        test=_span([split.test for split in splits]),
        leaks=max(split.leaks for split in splits),
        short=max(split.short for split in splits),
        hashes=sorted({split.hash[:8] for split in splits}),
    )


def _span(numbers: Sequence[int]) -> str:
    low, high = min(numbers), max(numbers)
    return str(low) if low == high else f"{low} to {high}"
