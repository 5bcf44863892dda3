"""What `ordbench compare` compares: runs of two heads, backbones or folders, setting by setting."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from ordbench.errors import SpecError
from ordbench.leaderboard.grouping import (
    Facts,
    column_facts,
    natural,
    newest,
    row_facts,
    table_facts,
    titles,
    under_last_names,
    worth_saying,
)
from ordbench.results.layout import archive_path
from ordbench.results.loading import load_cells
from ordbench.results.rows import CellRuns, RunRow
from ordbench.utils.text import did_you_mean, printable

Kind = Literal["heads", "backbones", "folders"]

# Facts that need not agree. The code of a head may have changed since the other was run.
_DROPPED: dict[Kind, set[str]] = {
    "heads": set(),
    "backbones": {"backbone", "weight hash", "text encoder", "text hash", "source hash"},
    "folders": {"source hash"},
}


class Side(NamedTuple):
    """One of the two that are compared.

    Attributes:
        name: As it was typed.
        root: The store of its runs.
        cells: Its runs.
    """

    name: str
    root: Path
    cells: Sequence[CellRuns]


class Matched(NamedTuple):
    """Runs of both sides that differ in what is compared, and in seeds.

    Attributes:
        facts: What they share, by name: dataset, backbone, shots ...
        first: Runs of the first side.
        second: Runs of the second side.
    """

    facts: Mapping[str, str]
    first: Sequence[CellRuns]
    second: Sequence[CellRuns]


def two_sides(
    first: str, second: str, results: Path, keep: Callable[[list[CellRuns]], list[CellRuns]]
) -> tuple[Kind, Side, Side]:
    """Find what two names mean: folders of records, else heads, else backbones of ``results``.

    Args:
        first: A folder; or a head or backbone as tables call it.
        second: Another of the same kind.
        results: The folder in which heads and backbones are looked up.
        keep: Leaves out runs that were not asked for.

    Raises:
        SpecError: If they are not two of one kind; near names are suggested.
        StoreError: If a folder has no records, or they cannot be read.
    """
    if all(_holds_records(Path(name)) for name in (first, second)):
        roots = [(name, Path(name)) for name in (first, second)]
        one, other = (Side(name, root, _current(root, keep)) for name, root in roots)
        return "folders", one, other
    cells = _current(results, keep)
    heads = {row_facts(cell.first) for cell in cells}
    called = dict(zip(heads, titles(list(heads)), strict=True))
    names: dict[Kind, Callable[[RunRow], set[str]]] = {
        "heads": lambda run: {run.label, run.head, called[row_facts(run)]},
        "backbones": lambda run: {run.backbone},
    }
    for kind, names_of in names.items():
        known = set[str]().union(*(names_of(cell.first) for cell in cells))
        if {first, second} <= known:
            one, other = (
                Side(name, results, _named(name, cells, names_of, kind)) for name in (first, second)
            )
            return kind, one, other
    every = {name for names_of in names.values() for c in cells for name in names_of(c.first)}
    unknown = next((name for name in (first, second) if name not in every), "")
    if not unknown:
        raise SpecError(f"{first!r} and {second!r} are not both heads or both backbones")
    raise SpecError(
        f"{unknown!r} is no head or backbone among the records of {results}, and no folder of "
        f"records; {did_you_mean(unknown, sorted(every))}"
    )


def match(kind: Kind, first: Side, second: Side) -> list[Matched]:
    """Pair the runs of two sides, in the order of what they share.

    Raises:
        SpecError: If a name means several heads in one setting, or nothing can be paired.
    """
    ours, theirs = (_by_setting(kind, side) for side in (first, second))
    shared = sorted(ours.keys() & theirs.keys(), key=lambda key: [*map(natural, key)])
    if not shared:
        raise SpecError(
            f"{printable(first.name)} and {printable(second.name)} have no setting in common "
            "(dataset, split, backbone, shots ...); `ordbench table` shows what there is"
        )
    settings = worth_saying([setting for _, setting in shared])
    rows = [row for row, _ in shared]
    heads = dict(zip(rows, titles(rows), strict=True)) if all(rows) else {}
    return [
        Matched(({"head": heads[key[0]]} if heads else {}) | said, ours[key], theirs[key])
        for said, key in zip(settings, shared, strict=True)
    ]


def _holds_records(path: Path) -> bool:
    return archive_path(path) is not None or (path / "runs").is_dir()


def _current(root: Path, keep: Callable[[list[CellRuns]], list[CellRuns]]) -> list[CellRuns]:
    cells = under_last_names(keep(load_cells(root, ())))
    current, _ = newest(cell for cell in cells if cell.first.status == "done")
    return current


def _named(
    name: str, cells: Sequence[CellRuns], names_of: Callable[[RunRow], set[str]], kind: Kind
) -> list[CellRuns]:
    """The runs of that name; a head without options is meant before the same with some."""
    exact = [cell for cell in cells if kind == "heads" and cell.first.label == name]
    return exact or [cell for cell in cells if name in names_of(cell.first)]


def _by_setting(kind: Kind, side: Side) -> dict[tuple[Facts, Facts], list[CellRuns]]:
    found: defaultdict[tuple[Facts, Facts], list[CellRuns]] = defaultdict(list)
    for cell in side.cells:
        found[_setting(kind, cell.first)].append(cell)
    for cells in found.values():
        heads = sorted({row_facts(cell.first) for cell in cells}, key=natural)
        if len(heads) > 1:
            raise SpecError(
                f"{printable(side.name)} has several heads in one setting: "
                f"{', '.join(map(printable, titles(heads)))}; name one of them"
            )
    return dict(found)


def _setting(kind: Kind, run: RunRow) -> tuple[Facts, Facts]:
    """What must agree: the head with its options, unless heads are compared, and all around it."""
    dropped = _DROPPED[kind]
    around = (
        *table_facts(run, "shots", pool_folds=False),
        *column_facts(run, "shots", pool_folds=False),
    )
    head = () if kind == "heads" else row_facts(run)
    return (
        tuple(fact for fact in head if fact[0] not in dropped),
        tuple(fact for fact in around if fact[0] not in dropped),
    )
