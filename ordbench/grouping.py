"""Which runs may stand in one table, one row, one cell: those that differ in nothing but seeds."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Literal

from ordbench.choice import split
from ordbench.flat import SHARED, FlatRecord

Columns = Literal["shots", "dataset"]
Facts = tuple[tuple[str, str], ...]
"""Names and values of what runs share, in a fixed order."""
Lot = list[FlatRecord]
"""Runs that differ in nothing but seeds; at least one."""

_SHOWN = 12  # hexadecimal digits of a hash
_WHEN = attrgetter("created", "run_id")
_seeds = attrgetter("data_seed", "train_seed")
_ALWAYS = frozenset({"dataset", "backbone", "layer", "dtype", "protocol", "fold", "shots"})


def table_facts(record: FlatRecord, columns: Columns, *, pool_folds: bool) -> Facts:
    """What all runs of one table share."""
    name = record.dataset
    title = name if record.title == name else f"{record.title} ({name})"
    dataset = (("dataset", title), *_dataset_facts(record)[1:])
    return (
        *(dataset if columns == "shots" else _shots_facts(record)),
        ("backbone", record.backbone),
        ("weight hash", record.backbone_hash[:_SHOWN]),
        ("layer", record.layer),
        ("unit length", "yes" if record.normalize else "no"),
        ("dtype", record.dtype),
        ("protocol", record.protocol),
        *(() if pool_folds else (("fold", str(record.fold)),)),
    )


def column_facts(record: FlatRecord, columns: Columns) -> Facts:
    """What all runs of one column share."""
    return _shots_facts(record) if columns == "shots" else _dataset_facts(record)


def row_facts(record: FlatRecord) -> Facts:
    """What all runs of one row share: the head, its options, recipe, text tower and source."""
    return (
        ("head", record.label),
        *_pairs(record.head_options),
        *_pairs(record.recipe),
        ("text tower", (record.text or "own") if record.text_hash else ""),
        ("text hash", record.text_hash[:_SHOWN]),
        ("source hash", record.head_hash[:_SHOWN]),
    )


def alike(records: Iterable[FlatRecord]) -> list[Lot]:
    """Lots of runs that differ in nothing but seeds: what is said of one is said of its lot."""
    lots: defaultdict[tuple[object, ...], Lot] = defaultdict(list)
    for record in records:
        lots[record[:SHARED]].append(record)
    return list(lots.values())


def newest(lots: Iterable[Lot]) -> tuple[list[Lot], Lot]:
    """The latest of the runs that differ only in what made them: versions and a head's source.

    A seed that was run again counts once.

    Returns:
        The lots without the runs that were done again since, by their last run; and those runs.
    """
    cells: defaultdict[tuple[object, ...], list[Lot]] = defaultdict(list)
    for lot in lots:
        cells[(*_cell(lot[0]), *_found(lot[0]))].append(lot)
    kept: list[Lot] = []
    older: Lot = []
    for cell in cells.values():
        if sum(map(len, cell)) == len({_seeds(run) for lot in cell for run in lot}):
            kept += cell
            continue
        runs = sorted((run for lot in cell for run in lot), key=_WHEN)
        latest = {_seeds(run): run.run_id for run in runs}
        older += [run for run in runs if latest[_seeds(run)] != run.run_id]
        kept += alike(run for run in runs if latest[_seeds(run)] == run.run_id)
    return sorted(kept, key=lambda lot: max(map(_WHEN, lot))), older


def work(record: FlatRecord) -> tuple[object, ...]:
    """What a user asked for: the cell and the seeds of a run."""
    return (*_cell(record), *_seeds(record))


def setting(record: FlatRecord) -> tuple[object, ...]:
    """What a user asked for, without head, shots and seeds."""
    dataset = (record.dataset, record.dataset_options, record.split, record.fold)
    features = (record.backbone, record.layer, record.normalize)
    return (*dataset, *features, record.protocol)


def titles(facts: Sequence[Facts]) -> list[str]:
    """The first value of each, with what tells it from others of the same first value.

    >>> titles([(("head", "coral"), ("lr", "0.1")), (("head", "coral"), ("lr", "1"))])
    ['coral (lr=0.1)', 'coral (lr=1)']
    >>> titles([(("head", "coral"), ("lr", "0.1")), (("head", "linear"), ("lr", "1"))])
    ['coral', 'linear']
    """
    alike: defaultdict[str, list[Facts]] = defaultdict(list)
    for found in facts:
        alike[found[0][1]].append(found)
    return [_title(found, _differing(alike[found[0][1]])) for found in facts]


def worth_saying(facts: Sequence[Facts]) -> list[dict[str, str]]:
    """Of each table's facts those that a caption always states, and those that differ."""
    differing = _differing(facts)
    return [
        {name: value for name, value in found if name in _ALWAYS or name in differing}
        for found in facts
    ]


def _cell(record: FlatRecord) -> tuple[object, ...]:
    head = (record.head, record.head_options, record.recipe, record.text)
    return (*head, *setting(record), record.shots)


def _found(record: FlatRecord) -> tuple[str, ...]:
    dataset = (record.image_hash, record.label_hash)
    return (*dataset, record.backbone_hash, record.text_hash, record.dtype)


def _title(facts: Facts, differing: set[str]) -> str:
    told = ", ".join(f"{name}={value or 'none'}" for name, value in facts[1:] if name in differing)
    return f"{facts[0][1]} ({told})" if told else facts[0][1]


def _differing(facts: Sequence[Facts]) -> set[str]:
    """Names whose values are not the same everywhere; hashes only where nothing else tells."""
    values: defaultdict[str, set[str]] = defaultdict(set)
    names = {name for found in facts for name, _ in found}
    for found in map(dict, facts):
        for name in names:
            values[name].add(found.get(name, ""))
    differing = {name for name, found in values.items() if len(found) > 1}
    readable = {name for name in differing if not name.endswith("hash")}
    told = {tuple(pair for pair in found if pair[0] in readable) for found in facts}
    return readable if len(told) == len(set(facts)) else differing


@cache
def _pairs(options: str) -> Facts:
    pieces = [piece.partition("=") for piece in split(options, ":") if piece]
    return tuple((name, value) for name, _, value in pieces)


def _dataset_facts(record: FlatRecord) -> Facts:
    return (
        ("dataset", record.dataset),
        ("dataset options", record.dataset_options),
        ("image hash", record.image_hash[:_SHOWN]),
        ("label hash", record.label_hash[:_SHOWN]),
        ("split hash", record.split[:_SHOWN]),
    )


def _shots_facts(record: FlatRecord) -> Facts:
    return (("shots", "all" if record.shots is None else f"{record.shots}-shot"),)
