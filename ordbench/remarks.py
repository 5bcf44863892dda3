"""What a reader of a leaderboard must know besides its numbers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from math import isfinite

from ordbench.grouping import cell
from ordbench.lot import Lot
from ordbench.standing import Row

MISSING = "\N{EN DASH}"


def on_cells(rows: Sequence[Row], runs: int | None) -> list[str]:
    """What marks, dashes and parentheses stand for, where there are any."""
    cells = [cell for row in rows for cell in row.cells]
    return [
        *(["best bold, second best underlined"] if any(c and c.mark for c in cells) else []),
        *([f"{MISSING} no run with this score"] if None in cells else []),
        *(["in parentheses: how many runs, as they differ"] if runs is None else []),
    ]


def on_scores(answers: Iterable[tuple[str, str, Sequence[float]]]) -> list[str]:
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


def on_people(lots: Iterable[Lot]) -> list[str]:
    """Whether somebody who was tested was known, which makes scores too good."""
    leak = any(lot.first.leaks for lot in lots)
    return ["identities leak: some people stand in test and in training or validation"] * leak


def on_history(lots: Sequence[Lot], others: Sequence[Lot]) -> list[str]:
    """Runs of this table that failed or were run again since, and mixed versions.

    Args:
        lots: The runs in the table.
        others: Runs that a reader would look for in it, but that are in no table.
    """
    done: defaultdict[object, set[tuple[int, int]]] = defaultdict(set)
    for lot in lots:
        done[cell(lot.first)].update(lot.seeds)
    older = failed = 0
    for lot in others:
        again = sum(seeds in done[cell(lot.first)] for seeds in lot.seeds)
        if lot.first.status == "done":
            older += again
        else:
            failed += len(lot) - again
    versions = sorted({lot.first.ordbench for lot in lots})
    return [
        *([f"left out, as failed: {_runs(failed)}"] if failed else []),
        *([f"left out, as run again since: {_runs(older)}"] if older else []),
        *([f"made by ordbench {' and '.join(versions)}"] if len(versions) > 1 else []),
    ]


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
