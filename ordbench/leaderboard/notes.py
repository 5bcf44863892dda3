"""What a reader of a leaderboard must know besides its numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from math import isfinite

from ordbench.leaderboard.grouping import asked, tuning
from ordbench.leaderboard.ranking import Row
from ordbench.results.rows import CellRuns

MISSING = "\N{EN DASH}"


def cell_notes(rows: Sequence[Row], runs: int | None) -> list[str]:
    """What marks, dashes and parentheses stand for, where there are any."""
    cells = [cell for row in rows for cell in row.cells]
    return [
        *(["best bold, second best underlined"] if any(c and c.mark for c in cells) else []),
        *([f"{MISSING} no run with this score"] if None in cells else []),
        *(["in parentheses: how many runs, as they differ"] if runs is None else []),
    ]


def score_notes(answers: Iterable[tuple[str, str, Sequence[float]]]) -> list[str]:
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
        *([f"no posterior, so its own estimate: {', '.join(sorted(points))}"] if points else []),
        *([f"left out, as the score is undefined: {_runs(undefined)}"] if undefined else []),
    ]


def unscored_notes(rows: Iterable[tuple[str, CellRuns]]) -> list[str]:
    """Which heads lack the score, and why it could not be computed.

    Args:
        rows: Name of a row, and a cell of it.
    """
    heads: defaultdict[str, set[str]] = defaultdict(set)
    for name, cell in rows:
        if cell.unscored:
            heads[cell.unscored].add(name)
    return [f"{reason}: {', '.join(sorted(names))}" for reason, names in sorted(heads.items())]


def training_notes(rows: Iterable[tuple[str, CellRuns]]) -> list[str]:
    """How many trainings which heads were tuned with, and whose text towers they prompt.

    Args:
        rows: Name of a row, and a lot that stands in it.
    """
    tuned: defaultdict[str, set[str]] = defaultdict(set)
    towers: defaultdict[str, set[str]] = defaultdict(set)
    for name, lot in rows:
        tuned[tuning(lot.first)].add(name)
        if lot.first.text:
            towers[lot.first.text].add(name)
    budgets = [
        f"{f'tuned ({how})' if how else 'not tuned'}: {', '.join(sorted(names))}"
        for how, names in sorted(tuned.items(), reverse=True)
    ]
    return [
        *(budgets if tuned.keys() != {""} else []),
        *(f"text tower {text}: {', '.join(sorted(names))}" for text, names in towers.items()),
    ]


def split_notes(lots: Iterable[CellRuns]) -> list[str]:
    """Whether somebody who was tested was known, and whether there were as many shots as said."""
    runs = [lot.first for lot in lots]
    leak = "identities leak: some people stand in test and in training or validation"
    short = "some ranks have fewer training images than shots"
    return [
        *([leak] if any(run.leaks for run in runs) else []),
        *([short] if any(run.short for run in runs) else []),
    ]


def seed_notes(cells: Iterable[tuple[object, object, CellRuns]]) -> list[str]:
    """Whether heads were compared on other draws, and whether a draw counts more than once.

    Args:
        cells: Row, column, and a lot that stands there.
    """
    seeds: defaultdict[object, defaultdict[object, set[object]]]
    seeds = defaultdict(lambda: defaultdict(set))
    draws: defaultdict[object, list[object]] = defaultdict(list)
    for row, column, lot in cells:
        fold = lot.first.fold
        seeds[column][row].update((fold, *pair) for pair in lot.seeds)
        if lot.first.shots is not None:
            draws[row, column] += ((fold, data_seed) for data_seed, _ in lot.seeds)
    differ = any(len(set(map(frozenset, rows.values()))) > 1 for rows in seeds.values())
    again = any(len(found) > len(set(found)) for found in draws.values())
    return [
        *(["not every head has the same seeds"] if differ else []),
        *(["some few-shot draws count more than once, with other train seeds"] if again else []),
    ]


def history_notes(lots: Sequence[CellRuns], others: Sequence[CellRuns]) -> list[str]:
    """Runs of this table that failed or were run again since, and mixed versions.

    Args:
        lots: The runs in the table.
        others: Runs that a reader would look for in it, but that are in no table.
    """
    done: defaultdict[object, set[tuple[int, int]]] = defaultdict(set)
    for lot in lots:
        done[asked(lot.first)].update(lot.seeds)
    older, failed = 0, Counter[str]()
    for lot in others:
        again = sum(seeds in done[asked(lot.first)] for seeds in lot.seeds)
        if lot.first.status == "done":
            older += again
        else:
            failed[lot.first.label] += len(lot) - again
    versions = sorted({lot.first.ordbench for lot in lots})
    return [
        *([f"left out, as failed: {_counts(failed)}"] if failed.total() else []),
        *([f"left out, as run again since: {_runs(older)}"] if older else []),
        *([f"made by ordbench {' and '.join(versions)}"] if len(versions) > 1 else []),
    ]


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"


def _counts(failed: Counter[str]) -> str:
    heads = ", ".join(f"{head} {number}" for head, number in sorted(failed.items()) if number)
    return f"{_runs(failed.total())} ({heads})"
