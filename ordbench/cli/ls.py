"""`ordbench ls`: parse, call, print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ordbench.leaderboard.formats import NO_WRAP
from ordbench.plugins.catalog import Entry, Kind, entries


def ls(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the source of each.")
    ] = False,
) -> None:
    """List the installed heads, datasets, backbones, protocols or metrics, and what each needs."""
    rows = entries(kind)
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        _show(rows)


def _show(rows: Iterable[Entry]) -> None:
    """Print a table, folded to the width of a terminal; in a pipe, each plug-in is one line."""
    console = Console()
    if not console.is_terminal:
        console.width = NO_WRAP
    table = Table(box=None, pad_edge=False)
    table.add_column("name", no_wrap=True)
    for title in ("title", "needs"):
        table.add_column(title, overflow="fold")
    for row in rows:
        title = f"broken: {row.broken}" if row.broken else row.title
        table.add_row(*map(escape, (row.name, title, row.needs)))
    console.print(table)
