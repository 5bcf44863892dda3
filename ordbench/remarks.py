"""What a reader of a leaderboard must know besides its numbers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from math import isfinite

from ordbench.flat import FlatRecord
from ordbench.grouping import work
from ordbench.question import Question
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


def on_scores(asked: Question, answers: Iterable[tuple[str, FlatRecord]]) -> list[str]:
    """Which heads gave points, and how many runs have an undefined score.

    Args:
        asked: The score.
        answers: Runs with the name of their row.
    """
    points: set[str] = set()
    undefined = 0
    for name, record in answers:
        if answer := asked.answer(record):
            undefined += not isfinite(answer[1])
            if answer[0] == "point":
                points.add(name)
    return [
        *([f"no posterior, so its own estimate: {', '.join(sorted(points))}"] if points else []),
        *([f"left out, as the score is undefined: {_runs(undefined)}"] if undefined else []),
    ]


def on_history(group: Sequence[FlatRecord], others: Sequence[FlatRecord]) -> list[str]:
    """Runs of this table that failed or were run again since, and mixed versions.

    Args:
        group: The runs in the table.
        others: Runs of the same setting that are in no table.
    """
    done = {work(record) for record in group}
    older = sum(record.status == "done" and work(record) in done for record in others)
    failed = sum(record.status == "failed" and work(record) not in done for record in others)
    versions = sorted({record.ordbench for record in group})
    return [
        *([f"left out, as failed: {_runs(failed)}"] if failed else []),
        *([f"left out, as run again since: {_runs(older)}"] if older else []),
        *([f"made by ordbench {' and '.join(versions)}"] if len(versions) > 1 else []),
    ]


def _runs(number: int) -> str:
    return "1 run" if number == 1 else f"{number} runs"
