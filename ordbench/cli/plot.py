"""`ordbench plot`: parse, draw, write one file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from ordbench.cli.results_folder import FolderArgument, FolderOption, one_folder
from ordbench.cli.table import (
    DecodeName,
    MetricName,
    OnlyBackbones,
    OnlyDatasets,
    OnlyFolds,
    OnlyHeads,
    OnlyShots,
)
from ordbench.errors import SpecError
from ordbench.utils.text import items

Kind = Literal["curve", "critical-difference"]

# Options that are not of all kinds.
_KINDS_OF = {"emphasise": ("curve",)}


def plot(
    kind: Annotated[Kind, typer.Argument(help="What to draw.")],
    folder: FolderArgument = None,
    results: FolderOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write: .svg, .pdf or .png.", show_default="KIND.svg"
        ),
    ] = None,
    metric: MetricName = "mae",
    decode: DecodeName = "median",
    head: OnlyHeads = None,
    dataset: OnlyDatasets = None,
    backbone: OnlyBackbones = None,
    shots: OnlyShots = None,
    fold: OnlyFolds = None,
    emphasise: Annotated[
        list[str] | None,
        typer.Option(
            help="Of a curve: heads in colour, the others are grey.", show_default="8 at most"
        ),
    ] = None,
    width: Annotated[
        Literal["column", "page"] | None,
        typer.Option(
            help="A column (85 mm) or a page (175 mm) of a paper.", show_default="what it needs"
        ),
    ] = None,
) -> None:
    """Draw results as a figure for a paper, and print what its caption should say.

    curve: score against images a rank, a line a head, with 95 % t intervals over seeds.

    critical-difference: mean ranks over six datasets or more; bars join heads that are level.
    """
    _refuse_others(kind, emphasise=emphasise)
    from ordbench.plots.kinds import Asked, draw
    from ordbench.plots.style import check_format, save

    path = output or Path(f"{kind}.svg")
    check_format(path)
    asked = Asked(
        results=one_folder(folder, results),
        metric=metric,
        decode=decode,
        head=head,
        dataset=dataset,
        backbone=backbone,
        shots=shots,
        fold=fold,
        emphasise=items(emphasise or ()),
        width=width,
    )
    figure, captions = draw(kind, asked)
    save(figure, path)
    typer.echo("\n".join([str(path), *captions]))


def _refuse_others(kind: str, **given: object) -> None:
    for name, value in given.items():
        if value is not None and kind not in _KINDS_OF[name]:
            kinds = " and ".join(_KINDS_OF[name])
            raise SpecError(f"--{name} is of plot {kinds}, not of plot {kind}; leave it out")
