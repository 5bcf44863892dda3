"""Which runs may stand in one table, one row, one cell: those that differ in nothing but seeds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cache
from typing import Literal

from ordbench.results.rows import CellRuns, RunRow
from ordbench.utils.text import split

Columns = Literal["shots", "dataset"]
Facts = tuple[tuple[str, str], ...]
"""Names and values of what runs share, in a fixed order."""

_SHOWN = 12  # hexadecimal digits of a hash
_ALWAYS = frozenset({"dataset", "backbone", "layer", "dtype", "protocol", "fold", "shots"})


def table_facts(record: RunRow, columns: Columns, *, pool_folds: bool) -> Facts:
    """What all runs of one table share."""
    name = record.dataset_name
    title = name if record.title == name else f"{record.title} ({name})"
    dataset = (("dataset", title), *_dataset_facts(record, pool_folds=pool_folds)[1:])
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


def column_facts(record: RunRow, columns: Columns, *, pool_folds: bool) -> Facts:
    """What all runs of one column share."""
    if columns == "shots":
        return _shots_facts(record)
    return _dataset_facts(record, pool_folds=pool_folds)


def row_facts(record: RunRow) -> Facts:
    """What all runs of one row share: the head, its options, recipe, text tower and source."""
    return (
        ("head", record.label),
        *_pairs(record.head_options),
        *_pairs(record.recipe),
        ("text tower", (record.text or "own") if record.text_hash else ""),
        ("text hash", record.text_hash[:_SHOWN]),
        ("source hash", record.head_hash[:_SHOWN]),
    )


def tuning(record: RunRow) -> str:
    """What a run's recipe was searched with, as in ``20 random``; empty where it was not."""
    recipe = dict(_pairs(record.recipe))
    return " ".join(recipe[key] for key in ("tune_budget", "tune_sampler") if key in recipe)


def newest(lots: Iterable[CellRuns]) -> tuple[list[CellRuns], list[CellRuns]]:
    """The latest of the runs that differ only in what made them: versions and a head's source.

    A seed that was run again counts once.

    Returns:
        The runs that were not done again since, with the latest lot last; and the others.
    """
    cells: defaultdict[tuple[object, ...], list[CellRuns]] = defaultdict(list)
    for lot in lots:
        run = lot.first
        cells[(*cell(run), *_found(run), run.text_hash)].append(lot)
    kept: list[CellRuns] = []
    older: list[CellRuns] = []
    for found in cells.values():
        if sum(map(len, found)) == len({seeds for lot in found for seeds in lot.seeds}):
            kept += found
            continue
        runs = sorted(run for lot in found for run in zip(*_when(lot), lot.seeds, strict=True))
        latest = {seeds: run_id for _, run_id, seeds in runs}
        now = set(latest.values())
        for lot in found:
            kept += lot.part(now)
            older += lot.part(set(lot.run_ids) - now)
    return sorted(kept, key=lambda lot: max(zip(*_when(lot), strict=True))), older


def under_last_names(lots: Iterable[CellRuns]) -> list[CellRuns]:
    """The same lots, the latest last; a dataset that was typed in several ways has one name.

    Its content tells whether it is the same. What the latest run calls it, and its options, stand
    in all.
    """
    latest = sorted(lots, key=lambda lot: max(zip(*_when(lot), strict=True)))
    names = {
        _data(lot.first): (lot.first.dataset_argument, lot.first.dataset_options) for lot in latest
    }
    return [_named(lot, *names[_data(lot.first)]) for lot in latest]


def cell(record: RunRow) -> tuple[object, ...]:
    """What a user asked for, without seeds."""
    head = (record.head, record.head_options, record.recipe, record.text)
    return (*head, *setting(record), record.shots)


def setting(record: RunRow) -> tuple[object, ...]:
    """What a user asked for, without head, shots and seeds."""
    dataset = (record.dataset, record.split, record.fold)
    features = (record.backbone, record.layer, record.normalize)
    return (*dataset, *features, record.protocol)


def place(record: RunRow, columns: Columns) -> tuple[object, ...]:
    """What a user asked for who sees the run in a table, or misses it there."""
    shots = () if columns == "shots" else (record.shots,)
    return (*setting(record), *_found(record), *shots)


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
        {name: value or "none" for name, value in found if name in _ALWAYS or name in differing}
        for found in facts
    ]


def natural(facts: Facts) -> list[tuple[str, list[str | int]]]:
    """A key by which 2-shot stands before 16-shot, and numbers before ``all``."""
    return [
        (name, [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", value)])
        for name, value in facts
    ]


def _when(lot: CellRuns) -> tuple[Sequence[str], Sequence[str]]:
    return lot.created, lot.run_ids


def _found(record: RunRow) -> tuple[str, ...]:
    """Which features and labels were there, whatever their names."""
    return (*_data(record), record.backbone_hash, record.dtype)


def _data(record: RunRow) -> tuple[str, ...]:
    return (record.dataset, record.image_hash, record.label_hash)


def _named(lot: CellRuns, argument: str, options: str) -> CellRuns:
    first = lot.first._replace(dataset_argument=argument, dataset_options=options)
    return replace(lot, first=first)


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


def _dataset_facts(record: RunRow, *, pool_folds: bool) -> Facts:
    # Each fold that came in a file has a hash of its own.
    given = "in files" if record.split else "drawn"
    return (
        ("dataset", record.dataset_name),
        ("dataset options", record.dataset_options),
        ("image hash", record.image_hash[:_SHOWN]),
        ("label hash", record.label_hash[:_SHOWN]),
        ("splits", given) if pool_folds else ("split hash", record.split[:_SHOWN]),
    )


def _shots_facts(record: RunRow) -> Facts:
    return (("shots", "all" if record.shots is None else f"{record.shots}-shot"),)
