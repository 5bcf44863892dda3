"""`ordbench compare`: parse, compare, print."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from ordbench.cli.table import (
    DecodeName,
    MetricName,
    OnlyBackbones,
    OnlyDatasets,
    OnlyFolds,
    OnlyShots,
)
from ordbench.leaderboard.query import ask, select
from ordbench.utils.text import items


def compare(
    first: Annotated[str, typer.Argument(metavar="A", help="Head, backbone or folder.")],
    second: Annotated[str, typer.Argument(metavar="B", help="Another of the same kind.")],
    results: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("results"),
    metric: MetricName = "mae",
    decode: DecodeName = "median",
    head: Annotated[list[str] | None, typer.Option(help="Only these heads.")] = None,
    dataset: OnlyDatasets = None,
    backbone: OnlyBackbones = None,
    shots: OnlyShots = None,
    fold: OnlyFolds = None,
    group_by: Annotated[
        list[str] | None,
        typer.Option(help="Values beside the rank to compare by, as the dataset names them."),
    ] = None,
    top: Annotated[int, typer.Option(min=0, help="Images and people to name.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Compare two heads, backbones or folders image by image, with intervals and p values."""
    from ordbench.cli.comparison_grids import print_comparison
    from ordbench.report.comparison import compare_sides, to_json
    from ordbench.report.matching import two_sides

    asked = ask(metric, decode)
    keep = partial(select, head=head, dataset=dataset, backbone=backbone, shots=shots, fold=fold)
    kind, one, other = two_sides(first, second, results, keep)
    found = compare_sides(kind, one, other, asked.metric, decode)
    attributes = items(group_by or ())
    if as_json:
        typer.echo(to_json(found, top=top, attributes=attributes))
    else:
        print_comparison(found, top=top, attributes=attributes)
