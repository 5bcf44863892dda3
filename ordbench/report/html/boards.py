"""Leaderboards as a page shows them: text, marks and what a column is sorted by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from ordbench.leaderboard.cell_texts import cell_text, count_text, empty_text
from ordbench.leaderboard.note_texts import note_text
from ordbench.leaderboard.ranking import Mark, Row
from ordbench.leaderboard.table import Table
from ordbench.report.html.curves import Chart, chart


class CellView(NamedTuple):
    """One number of a leaderboard.

    Attributes:
        mean: As `ordbench table` prints it.
        spread: The rest of it: standard deviation, interval, number of runs.
        close: Whether it is not distinguishable from the best of its column.
        value: What it is sorted by; None where there is no score.
        why: Why there is none.
    """

    mean: str
    spread: str = ""
    mark: Mark = ""
    close: bool = False
    value: float | None = None
    why: str = ""


class RowView(NamedTuple):
    """One head of a leaderboard; ``head`` is the name of its plug-in."""

    label: str
    head: str
    cells: Sequence[CellView]


class Board(NamedTuple):
    """One leaderboard, and the curves of its rows."""

    id: str
    title: str
    table: Table
    rows: Sequence[RowView]
    reference: RowView | None
    chart: Chart | None
    notes: Sequence[str]


def boards(tables: Sequence[Table], prefix: str) -> list[Board]:
    """Leaderboards with titles that tell them apart.

    Args:
        tables: As `ordbench.leaderboard.build.build` makes them.
        prefix: Of their ids.
    """
    return [
        Board(
            id=f"{prefix}{number}",
            title=title,
            table=table,
            rows=[_row(row, table) for row in table.rows],
            reference=_row(table.reference, table) if table.reference else None,
            chart=chart(table),
            notes=[note_text(note) for note in table.notes],
        )
        for number, (table, title) in enumerate(zip(tables, _titles(tables), strict=True))
    ]


def _titles(tables: Sequence[Table]) -> list[str]:
    """The dataset of each table, and the facts in which tables differ."""
    names = dict.fromkeys(name for table in tables for name in table.facts if name != "dataset")
    differing = [name for name in names if len({table.facts.get(name) for table in tables}) > 1]
    return [
        ", ".join(
            [
                table.facts.get("dataset", table.metric.title),
                *(f"{name} {table.facts[name]}" for name in differing if name in table.facts),
            ]
        )
        for table in tables
    ]


def _row(row: Row, table: Table) -> RowView:
    cells: list[CellView] = []
    for index, cell in enumerate(row.cells):
        if cell is None:
            cells.append(CellView(empty_text(row, index), why=row.skipped.get(index, "")))
            continue
        mean, space, spread = (cell_text(cell, table) + count_text(cell, table)).partition(" ")
        close = cell.distinguishable is False
        cells.append(CellView(mean, space + spread, cell.mark, close, cell.mean))
    return RowView(row.label, row.head, cells)
