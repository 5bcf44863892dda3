"""Which runs share a table, a row and a cell: those that differ in nothing but seeds."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from ordbench.plugins.reference import typed_value
from ordbench.results.rows import CellRuns, RunRow, options_text

if TYPE_CHECKING:
    from ordbench.recipe import OptionValue

Columns = Literal["shots", "dataset", "backbone"]
Facts = tuple[tuple[str, str], ...]
"""Names and values of what runs share, in a fixed order."""

_SHOWN = 12  # hexadecimal digits of a hash
# A caption has these only where tables differ in them, and all others always.
_DETAILS = frozenset(
    {
        "dataset options",
        "image hash",
        "label hash",
        "split hash",
        "splits",
        "weight hash",
        "unit length",
    }
)


def table_facts(record: RunRow, columns: Columns, *, pool_folds: bool) -> Facts:
    """What all runs of one table share."""
    name = record.dataset_name
    title = name if record.title == name else f"{record.title} ({name})"
    dataset = (("dataset", title), *_dataset_facts(record, pool_folds=pool_folds)[1:])
    return (
        *(dataset if columns != "dataset" else ()),
        *(_shots_facts(record) if columns != "shots" else ()),
        *(_backbone_facts(record) if columns != "backbone" else ()),
        ("layer", record.layer),
        ("unit length", "yes" if record.normalize else "no"),
        ("dtype", record.dtype),
        ("protocol", record.protocol),
        *((name.replace("_", " "), value) for name, value in _facts(record.other)),
        *(() if pool_folds else (("fold", str(record.fold)),)),
    )


def column_facts(record: RunRow, columns: Columns, *, pool_folds: bool) -> Facts:
    """What all runs of one column share."""
    if columns == "shots":
        return _shots_facts(record)
    if columns == "backbone":
        return _backbone_facts(record)
    return _dataset_facts(record, pool_folds=pool_folds)


def row_facts(record: RunRow, columns: Columns = "shots") -> Facts:
    """What all runs of one row share: the head, its options, recipe, text tower and source.

    Where columns are backbones, each has a text tower of its own.
    """
    own = columns == "backbone" and not record.text
    return (
        ("head", record.label),
        *_facts(record.head_options),
        *_facts(record.recipe),
        ("text encoder", (record.text or "own") if record.text_hash else ""),
        ("text hash", "" if own else record.text_hash[:_SHOWN]),
        ("source hash", record.head_hash[:_SHOWN]),
    )


def tuning(record: RunRow) -> str:
    """What a run's recipe was searched with, as in ``20 random``; empty where it was not."""
    recipe = dict(_facts(record.recipe))
    return " ".join(recipe[key] for key in ("tune_budget", "tune_sampler") if key in recipe)


def newest(cells: Iterable[CellRuns]) -> tuple[list[CellRuns], list[CellRuns]]:
    """The latest of the runs that differ only in what made them: versions and a head's source.

    Returns:
        The runs that were not repeated since, with the latest cell last; and the others.
    """
    groups: defaultdict[tuple[object, ...], list[CellRuns]] = defaultdict(list)
    for cell in cells:
        run = cell.first
        groups[(*asked(run), *_content(run), run.text_hash)].append(cell)
    kept: list[CellRuns] = []
    older: list[CellRuns] = []
    for group in groups.values():
        if sum(map(len, group)) == len({seeds for cell in group for seeds in cell.seeds}):
            kept += group
            continue
        runs = sorted(
            (cell.created[index], run_id, cell.seeds[index])
            for cell in group
            for index, run_id in enumerate(cell.run_ids)
        )
        current = set({seeds: run_id for _, run_id, seeds in runs}.values())
        for cell in group:
            kept += cell.part(current)
            older += cell.part(set(cell.run_ids) - current)
    return sorted(kept, key=_latest), older


def under_last_names(cells: Iterable[CellRuns]) -> list[CellRuns]:
    """The same cells, the latest last; a dataset that was typed in several ways gets one name.

    Its content tells whether it is the same. The name and options of the latest run are used.
    """
    ordered = sorted(cells, key=_latest)
    last = {_data(cell.first): cell.first for cell in ordered}
    named: list[CellRuns] = []
    for cell in ordered:
        run = last[_data(cell.first)]
        name = (run.dataset_argument, run.dataset_options)
        if name != (cell.first.dataset_argument, cell.first.dataset_options):
            first = replace(cell.first, dataset_argument=name[0], dataset_options=name[1])
            cell = replace(cell, first=first)
        named.append(cell)
    return named


def asked(record: RunRow) -> tuple[object, ...]:
    """What a user asked for, without seeds."""
    head = (record.head, *_facts(record.head_options), *_facts(record.recipe), record.text)
    return (*head, *setting(record), record.shots)


def setting(record: RunRow) -> tuple[object, ...]:
    """What a user asked for, without head, shots and seeds."""
    dataset = (record.dataset, record.split, record.fold)
    features = (record.backbone, record.layer, record.normalize)
    return (*dataset, *features, record.protocol, *_facts(record.other))


def fits_table(skipped: RunRow, run: RunRow, columns: Columns, *, pool_folds: bool) -> bool:
    """Whether a skipped cell, which has no content hashes, belongs in the table of a run."""

    def names(record: RunRow) -> tuple[object, ...]:
        data = (record.dataset_name, *_facts(record.dataset_options))
        own = (
            *(data if columns != "dataset" else ()),
            *((record.shots,) if columns != "shots" else ()),
        )
        fold = 0 if pool_folds else record.fold
        backbone = "" if columns == "backbone" else record.backbone
        return (*own, *setting(replace(record, dataset="", fold=fold, backbone=backbone)))

    return names(skipped) == names(run)


def fits_row(skipped: RunRow, run: RunRow) -> bool:
    """Whether a skipped cell belongs in the row of a run."""
    same_recipe = not skipped.recipe or skipped.recipe == run.recipe
    return skipped.label == run.label and same_recipe


def fits_column(skipped: RunRow, column: Facts) -> bool:
    """Whether a skipped cell belongs in a column."""
    name, value = column[0]
    own = {
        "dataset": skipped.dataset_name,
        "backbone": skipped.backbone,
        "shots": _shots_facts(skipped)[0][1],
    }
    return value == own[name]


def place(record: RunRow, columns: Columns) -> tuple[object, ...]:
    """What a user asked for who sees the run in a table, or misses it there."""
    shots = () if columns == "shots" else (record.shots,)
    return (*setting(record), *_content(record), *shots)


def titles(facts: Sequence[Facts]) -> list[str]:
    """The first value of each, with what tells it from others of the same first value.

    >>> titles([(("head", "coral"), ("lr", "0.1")), (("head", "coral"), ("lr", "1"))])
    ['coral (lr=0.1)', 'coral (lr=1)']
    >>> titles([(("head", "coral"), ("lr", "0.1")), (("head", "linear"), ("lr", "1"))])
    ['coral', 'linear']
    """
    same: defaultdict[str, list[Facts]] = defaultdict(list)
    for found in facts:
        same[found[0][1]].append(found)
    return [_title(found, _differing(same[found[0][1]])) for found in facts]


def worth_saying(facts: Sequence[Facts]) -> list[dict[str, str]]:
    """Of each table's facts those that a caption always states, and details that differ.

    The hash of a split that came in a file is always stated. The options of a dataset are such a
    detail among the tables of that dataset.
    """
    differing = _differing(facts) - {"dataset options"}
    said: list[dict[str, str]] = []
    for found in facts:
        own = _differing([other for other in facts if other[0] == found[0]])
        told = differing | (own & {"dataset options"})
        told |= {name for name, value in found if name == "split hash" and value}
        said.append(
            {name: value or "none" for name, value in found if name not in _DETAILS or name in told}
        )
    return said


def natural(facts: Facts) -> list[tuple[str, list[str | int]]]:
    """A key that sorts 2-shot before 16-shot, and numbers before ``all``."""
    return [
        (name, [int(p) if p.isdecimal() else p for p in re.split(r"(\d+)", value)])
        for name, value in facts
    ]


def _latest(cell: CellRuns) -> tuple[str, str]:
    return max(zip(cell.created, cell.run_ids, strict=True))


def _content(record: RunRow) -> tuple[str, ...]:
    """Which features and labels were used, whatever their names."""
    return (*_data(record), record.backbone_hash, record.dtype)


def _data(record: RunRow) -> tuple[str, ...]:
    return (record.dataset, record.image_hash, record.label_hash)


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


def _facts(options: Mapping[str, OptionValue]) -> Facts:
    return tuple((name, typed_value(value)) for name, value in sorted(options.items()))


def _dataset_facts(record: RunRow, *, pool_folds: bool) -> Facts:
    # Each fold that came in a file has a hash of its own.
    given = "in files" if record.split else "drawn"
    return (
        ("dataset", record.dataset_name),
        ("dataset options", options_text(record.dataset_options)),
        ("image hash", record.image_hash[:_SHOWN]),
        ("label hash", record.label_hash[:_SHOWN]),
        ("splits", given) if pool_folds else ("split hash", record.split[:_SHOWN]),
    )


def _backbone_facts(record: RunRow) -> Facts:
    return (("backbone", record.backbone), ("weight hash", record.backbone_hash[:_SHOWN]))


def shots_of(column: str) -> int | None:
    """The shots that a column of that title holds; None for all images.

    >>> shots_of("16-shot"), shots_of("all")
    (16, None)
    """
    return None if column == "all" else int(column.removesuffix("-shot"))


def _shots_facts(record: RunRow) -> Facts:
    return (("shots", "all" if record.shots is None else f"{record.shots}-shot"),)
