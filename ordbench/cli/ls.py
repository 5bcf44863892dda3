"""`ordbench ls`: parse, call, print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Annotated

import typer

from ordbench.cli.grids import print_grid
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
    """Print a table, folded to the width of a terminal."""
    cells = (
        (row.name, f"broken: {row.broken}" if row.broken else row.title, row.needs) for row in rows
    )
    print_grid(("name", "title", "needs"), cells, left=3)
