"""What stands in the cells of a leaderboard, whatever its format."""

from __future__ import annotations

from ordbench.leaderboard.note_texts import CLOSE, MISSING
from ordbench.leaderboard.ranking import Row, Score, digits
from ordbench.leaderboard.table import Table

SKIPPED = "skipped"


def rows_of(table: Table) -> list[Row]:
    """All rows, the reference last."""
    return [*table.rows, *([table.reference] if table.reference else [])]


def cell_text(cell: Score, table: Table) -> str:
    """Mean and spread, or interval, at the table's decimals; one run has neither."""
    places = digits(table.metric)
    mean = f"{cell.mean:z.{places}f}"
    if table.interval:
        ends = [f"{end:z.{places}f}" for end in cell.interval or ()]
        return f"{mean} [{', '.join(ends)}]" if ends else mean
    return mean if cell.std is None else f"{mean} ± {cell.std:.{places}f}"


def count_text(cell: Score, table: Table) -> str:
    """The runs of a cell, where cells have different numbers of them."""
    return f" ({cell.runs}/{table.expected})" if table.runs is None else ""


def close_text(cell: Score) -> str:
    """The sign of a cell that is not distinguishable from the best."""
    return f" {CLOSE}" if cell.distinguishable is False else ""


def empty_text(row: Row, index: int) -> str:
    """What stands in a cell without a score."""
    return SKIPPED if index in row.skipped else MISSING


def standing_titles(table: Table) -> list[str]:
    """The columns that order heads over datasets, where there are any."""
    return ["rank", "Borda", "Elo"] if any(row.standing for row in table.rows) else []


def standing(row: Row, table: Table) -> list[str]:
    """What stands in these columns."""
    found = row.standing
    if found is None:
        return [MISSING if row is not table.reference else ""] * len(standing_titles(table))
    ends = found.elo_interval
    spread = f" [{ends.low:.0f}, {ends.high:.0f}]" if ends else ""
    return [f"{found.mean_rank:.2f}", f"{found.borda:.2f}", f"{found.elo:.0f}{spread}"]
