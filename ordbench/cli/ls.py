"""`ordbench ls`: parse, call, print."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from ordbench.cli.grids import print_grid
from ordbench.cli.ls_runs import Filters, print_runs
from ordbench.errors import SpecError
from ordbench.plugins.catalog import Entry, Kind, entries

of_runs = partial(typer.Option, rich_help_panel="ls runs")
Filter = list[str] | None


def ls(
    kind: Annotated[Literal[Kind, "runs"], typer.Argument(help="What to list.")],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, with the source of each.")
    ] = False,
    results: Annotated[
        Path | None, of_runs(help="Folder of the records.", show_default="results")
    ] = None,
    head: Annotated[Filter, of_runs(help="Only these heads.")] = None,
    dataset: Annotated[Filter, of_runs(help="Only these datasets.")] = None,
    backbone: Annotated[Filter, of_runs(help="Only these backbones.")] = None,
    shots: Annotated[Filter, of_runs(help="Only these shots.")] = None,
    fold: Annotated[Filter, of_runs(help="Only these folds.")] = None,
) -> None:
    """List heads, datasets, backbones, protocols or metrics with what each needs, or the runs."""
    filters = Filters(head, dataset, backbone, shots, fold)
    if kind == "runs":
        print_runs(results or Path("results"), filters, as_json=as_json)
        return
    if results or any(filters):
        raise SpecError(f"--results and the filters are of ls runs, not of ls {kind}")
    rows = entries(kind)
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        _show(rows, "source" if kind == "protocols" else "needs")


def _show(rows: Iterable[Entry], last: Literal["source", "needs"] = "needs") -> None:
    """Print a table, folded to the width of a terminal; protocols need nothing."""
    cells = (
        (row.name, f"broken: {row.broken}" if row.broken else row.title, getattr(row, last))
        for row in rows
    )
    print_grid(("name", "title", last), cells, left=3)
