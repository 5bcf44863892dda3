"""`ordbench ls`: parse, call, print."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ordbench.leaderboard.formats import NO_WRAP
from ordbench.plugins.catalog import (
    Entry,
)


def show(rows: list[Entry]) -> None:
    """Print the rows, long cells folded at a terminal and whole elsewhere.

    A broken plug-in shows its reason.
    """
    console = Console()
    if not console.is_terminal:
        console.width = NO_WRAP
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for title in ("title", "source", "needs"):
        table.add_column(title, overflow="fold")
    for row in rows:
        cells = (row.name, row.title, row.source, row.needs)
        if row.broken:
            cells = (row.name, f"broken: {row.broken}", "", "")
        table.add_row(*(escape(cell) for cell in cells))
    console.print(table)
