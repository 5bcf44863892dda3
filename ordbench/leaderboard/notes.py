"""What a reader of a leaderboard must know besides its numbers; `note_texts` has the words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Literal

from ordbench.leaderboard.across import Across
from ordbench.leaderboard.grouping import asked, tuning
from ordbench.leaderboard.ranking import Row
from ordbench.leaderboard.significance import ALPHA, ColumnTest
from ordbench.results.rows import CellRuns, RunRow
from ordbench.utils.text import counted

Kind = Literal[
    "marks",
    "missing",
    "counts",
    "point",
    "undefined",
    "unscored",
    "tuned",
    "text",
    "division",
    "elsewhere",
    "leaks",
    "short",
    "few",
    "seeds",
    "draws",
    "skipped",
    "failed",
    "older",
    "versions",
    "unspread",
    "tested",
    "untested",
    "unled",
    "standings",
    "friedman",
    "unranked",
    "one_draw",
    "people",
]


@dataclass(frozen=True)
class Note:
    """One thing to know.

    Attributes:
        kind: What it is about.
        heads: The rows that it is about; empty for all.
        detail: What a kind alone does not tell: a text tower, a reason, a version.
        runs: How many runs, where they are counted.
    """

    kind: Kind
    heads: tuple[str, ...] = ()
    detail: str = ""
    runs: int = 0


def cell_notes(rows: Sequence[Row], runs: int | None) -> list[Note]:
    """What marks, dashes and parentheses mean, where there are any."""
    cells = [cell for row in rows for cell in row.cells]
    empty = any(
        cell is None and index not in row.skipped
        for row in rows
        for index, cell in enumerate(row.cells)
    )
    return [
        *([Note("marks")] if any(cell and cell.mark for cell in cells) else []),
        *([Note("missing")] if empty else []),
        *([Note("counts")] if runs is None else []),
    ]


def interval_notes(rows: Iterable[Row]) -> list[Note]:
    """Whether some cells of several runs have no interval."""
    cells = (cell for row in rows for cell in row.cells)
    lacking = any(cell and cell.runs > 1 and not cell.interval for cell in cells)
    return [Note("unspread")] if lacking else []


def test_notes(
    rows: Sequence[Row], columns: Sequence[str], tests: Sequence[ColumnTest]
) -> list[Note]:
    """How columns were tested, and which heads and columns were not."""
    untested: defaultdict[str, set[str]] = defaultdict(set)
    for test in tests:
        for head, reason in test.untested.items():
            untested[reason].add(head)
    pairs = [pair for test in tests for pair in test.pairs.values()]
    cells = list(zip(*(row.cells for row in rows), strict=True))
    led = [any(cell and cell.distinguishable is not None for cell in column) for column in cells]
    unled = [
        title
        for title, has_marks, test in zip(columns, led, tests, strict=False)
        if test.pairs and not has_marks
    ]
    return [
        *([Note("tested", detail=f"{ALPHA:g}")] if any(led) else []),
        *([Note("unled", tuple(unled))] if unled else []),
        *([Note("one_draw")] if any(pair.draws == 1 for pair in pairs) else []),
        *([Note("people")] if any(pair.units < pair.images for pair in pairs) else []),
        *(Note("untested", tuple(sorted(heads)), why) for why, heads in sorted(untested.items())),
    ]


def standing_notes(across: Across) -> list[Note]:
    """What the order over datasets means, and whether it is significant."""
    datasets = f"{across.datasets} datasets"
    found = across.friedman
    if found is None:
        reason = f"{datasets} and {across.heads} heads"
        return [Note("standings", detail=datasets), Note("unranked", detail=reason)]
    test = f"p = {found.p:.2g}; critical difference of mean ranks {found.critical_difference:.2f}"
    return [Note("standings", detail=datasets), Note("friedman", detail=test)]


def score_notes(answers: Iterable[tuple[str, str, Sequence[float]]]) -> list[Note]:
    """Which heads gave points, and how many runs have an undefined score.

    Args:
        answers: Name of a row, decoding, scores.
    """
    points: set[str] = set()
    undefined = 0
    for name, decoding, values in answers:
        undefined += len(values) - sum(map(isfinite, values))
        if decoding == "point":
            points.add(name)
    return [
        *([Note("point", tuple(sorted(points)))] if points else []),
        *([Note("undefined", runs=undefined)] if undefined else []),
    ]


def unscored_notes(rows: Iterable[tuple[str, CellRuns]]) -> list[Note]:
    """Which heads lack the score, and why it could not be computed.

    Args:
        rows: Name of a row, and a cell of it.
    """
    heads: defaultdict[str, set[str]] = defaultdict(set)
    for name, cell in rows:
        if cell.unscored:
            heads[cell.unscored].add(name)
    return [Note("unscored", tuple(sorted(found)), why) for why, found in sorted(heads.items())]


def training_notes(rows: Iterable[tuple[str, CellRuns]]) -> list[Note]:
    """How many trainings which heads were tuned with, and whose text towers they prompt.

    Args:
        rows: Name of a row, and a cell of it.
    """
    tuned: defaultdict[str, set[str]] = defaultdict(set)
    towers: defaultdict[str, set[str]] = defaultdict(set)
    for name, cell in rows:
        tuned[tuning(cell.first)].add(name)
        if cell.first.text:
            towers[cell.first.text].add(name)
    budgets = [
        Note("tuned", tuple(sorted(names)), how)
        for how, names in sorted(tuned.items(), reverse=True)
    ]
    return [
        *(budgets if tuned.keys() != {""} else []),
        *(Note("text", tuple(sorted(names)), text) for text, names in towers.items()),
    ]


def split_notes(cells: Iterable[CellRuns]) -> list[Note]:
    """Where test images come from, whether identities leak, and whether images are few."""
    runs = [cell.first for cell in cells]
    divisions: defaultdict[tuple[str, Kind], set[str]] = defaultdict(set)
    for run in runs:
        kind: Kind = "elsewhere" if "test_dataset" in run.other else "division"
        divisions[run.division, kind].add(run.dataset_name)
    return [
        *(
            Note(kind, tuple(sorted(names)), how)
            for (how, kind), names in sorted(divisions.items())
            if how
        ),
        *([Note("leaks")] if any(run.leaks for run in runs) else []),
        *([Note("short")] if any(run.short for run in runs) else []),
        *_few_validation(runs),
    ]


def _few_validation(runs: Iterable[RunRow]) -> list[Note]:
    """The shots at which steps and settings were selected on few images, and on how many."""
    few = [run for run in runs if run.few_validation]
    if not few:
        return []
    in_order = sorted({run.shots for run in few}, key=lambda shots: (shots is None, shots))
    shots = tuple("all" if one is None else str(one) for one in in_order)
    least, most = (end(run.few_validation for run in few) for end in (min, max))
    images = counted(most, "validation image")
    return [Note("few", shots, images if least == most else f"{least} to {images}")]


def seed_notes(cells: Iterable[tuple[object, object, CellRuns]]) -> list[Note]:
    """Whether heads were compared on other draws, and whether a draw counts more than once.

    Args:
        cells: Row, column, and a cell of both.
    """
    seeds: defaultdict[object, defaultdict[object, set[object]]]
    seeds = defaultdict(lambda: defaultdict(set))
    draws: defaultdict[object, list[object]] = defaultdict(list)
    for row, column, cell in cells:
        fold = cell.first.fold
        seeds[column][row].update((fold, *pair) for pair in cell.seeds)
        if cell.first.shots is not None:
            draws[row, column] += ((fold, data_seed) for data_seed, _ in cell.seeds)
    differ = any(len(set(map(frozenset, rows.values()))) > 1 for rows in seeds.values())
    again = any(len(found) > len(set(found)) for found in draws.values())
    return [*([Note("seeds")] if differ else []), *([Note("draws")] if again else [])]


def skip_notes(rows: Iterable[Row], columns: Sequence[str]) -> list[Note]:
    """Which empty cells were skipped, and why."""
    cells: defaultdict[str, list[str]] = defaultdict(list)
    for row in rows:
        for index, reason in row.skipped.items():
            cells[reason].append(f"{row.label} {columns[index]}")
    return [Note("skipped", tuple(found), reason) for reason, found in cells.items()]


def history_notes(cells: Sequence[CellRuns], others: Sequence[CellRuns]) -> list[Note]:
    """Runs of this table that failed or were run again since, and mixed versions.

    Args:
        cells: The runs in the table.
        others: Runs that a reader would look for in it, but that are in no table.
    """
    done: defaultdict[object, set[tuple[int, int]]] = defaultdict(set)
    for cell in cells:
        done[asked(cell.first)].update(cell.seeds)
    older, failed = 0, Counter[str]()
    for cell in others:
        again = sum(seeds in done[asked(cell.first)] for seeds in cell.seeds)
        if cell.first.status == "done":
            older += again
        else:
            failed[cell.first.label] += len(cell) - again
    versions = sorted({cell.first.ordbench for cell in cells})
    counts = [f"{head} {number}" for head, number in sorted(failed.items()) if number]
    return [
        *([Note("failed", tuple(counts), runs=failed.total())] if failed.total() else []),
        *([Note("older", runs=older)] if older else []),
        *([Note("versions", detail=" and ".join(versions))] if len(versions) > 1 else []),
    ]
