"""Rows and columns on a terminal; in a pipe, each row is one line."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Console, JustifyMethod
from rich.markup import escape
from rich.table import Table

from ordbench.leaderboard.formats import NO_WRAP
from ordbench.utils.text import printable


def print_grid(
    columns: Sequence[str], rows: Iterable[Sequence[str]], *, left: int = 1, gap: int = 2
) -> None:
    """Print a table without lines.

    Args:
        columns: Their headings.
        rows: Texts, one a column.
        left: How many columns from the left hold words; the others hold numbers.
        gap: Spaces between columns.
    """
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = NO_WRAP
    table = Table(box=None, pad_edge=False, padding=(0, gap, 0, 0))
    for number, heading in enumerate(columns):
        justify: JustifyMethod = "left" if number < left else "right"
        table.add_column(heading, overflow="fold", justify=justify)
    for row in rows:
        table.add_row(*(escape(printable(cell)) for cell in row))
    console.print(table)
