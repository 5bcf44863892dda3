"""`ordbench plot`: parse, draw, write one file."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from ordbench.cli.results_folder import FolderArgument, FolderOption, one_folder
from ordbench.cli.run import Cache, DataRoot
from ordbench.cli.table import (
    DecodeName,
    OnlyBackbones,
    OnlyDatasets,
    OnlyFolds,
    OnlyHeads,
    OnlyProtocols,
    OnlyShots,
)
from ordbench.errors import SpecError
from ordbench.utils.text import items

Kind = Literal[
    "curve",
    "sample-efficiency",
    "critical-difference",
    "latency",
    "rank-error",
    "confusion",
    "reliability",
    "risk-coverage",
    "prototypes",
    "images",
]

_OF_TABLES = ("curve", "sample-efficiency", "critical-difference", "latency")
# Options that are not of all kinds.
_KINDS_OF = {
    "metric": _OF_TABLES,
    "emphasise": ("curve",),
    "reference": ("sample-efficiency",),
    "latencies": ("latency",),
    "setting": ("latency",),
    "run": ("prototypes", "images"),
    "number": ("images",),
    "data_root": ("images",),
    "cache": ("images",),
}


def plot(
    kind: Annotated[Kind, typer.Argument(metavar="KIND", help="What to draw.")],
    folder: FolderArgument = None,
    results: FolderOption = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output", "-o", help="File to write: .svg, .pdf or .png.", show_default="KIND.svg"
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="Of curve to latency: as of ordbench table.", show_default="mae"),
    ] = None,
    decode: DecodeName = "median",
    head: OnlyHeads = None,
    dataset: OnlyDatasets = None,
    backbone: OnlyBackbones = None,
    shots: OnlyShots = None,
    fold: OnlyFolds = None,
    protocol: OnlyProtocols = None,
    width: Annotated[
        Literal["column", "page"] | None,
        typer.Option(
            help="A column (85 mm) or a page (175 mm) of a paper.", show_default="what it needs"
        ),
    ] = None,
    emphasise: Annotated[
        list[str] | None,
        typer.Option(
            help="Of a curve: heads in colour, the others are grey.", show_default="8 at most"
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(
            help="Of sample-efficiency: whose score is to be reached.", show_default="linear"
        ),
    ] = None,
    latencies: Annotated[
        Path | None,
        typer.Option(help="Of latency: the file that `ordbench latency --json` printed."),
    ] = None,
    setting: Annotated[
        str | None,
        typer.Option(help="Of latency: which setting of that file, such as 'N=1, K=90, D=512'."),
    ] = None,
    run: Annotated[
        str | None,
        typer.Option(
            help="Of prototypes and images: the beginning of a run id.",
            show_default="the selected run of the lowest seed",
        ),
    ] = None,
    number: Annotated[
        int | None,
        typer.Option(min=1, help="Of images: how many of each kind.", show_default="8"),
    ] = None,
    data_root: DataRoot = None,
    cache: Cache = None,
) -> None:
    """Draw results as a figure for a paper, and print what its caption should say.

    curve: score against images a rank, with 95 % t intervals over seeds.
    sample-efficiency: images a rank that reach the score of a reference.
    critical-difference: mean ranks over six datasets or more.
    latency: score against time, with the Pareto front.
    rank-error: MAE and bias by true rank.
    confusion: by rank and by distance.
    reliability: share right against probability, with ECE.
    risk-coverage: MAE of the images of which a head is surest.
    prototypes: cosines of the prototypes of one run, with ordinality.
    images: the worst and the best images of one run.
    """
    own = {
        "metric": metric,
        "emphasise": items(emphasise) if emphasise else None,
        "reference": reference,
        "latencies": latencies,
        "setting": setting,
        "run": run,
        "number": number,
        "data_root": data_root,
        "cache": cache,
    }
    given: dict[str, Any] = {name: value for name, value in own.items() if value is not None}
    _refuse_others(kind, given)
    from ordbench.plots.kinds import Asked, draw
    from ordbench.plots.style import check_format, save

    path = output or Path(f"{kind}.svg")
    check_format(path)
    asked = Asked(
        results=one_folder(folder, results),
        decode=decode,
        head=head,
        dataset=dataset,
        backbone=backbone,
        shots=shots,
        fold=fold,
        protocol=protocol,
        width=width,
        **given,
    )
    figure, captions = draw(kind, asked)
    save(figure, path)
    typer.echo("\n".join([str(path), *captions]))


def _refuse_others(kind: str, given: Iterable[str]) -> None:
    for name in given:
        if kind not in _KINDS_OF[name]:
            flag, kinds = f"--{name.replace('_', '-')}", ", ".join(_KINDS_OF[name])
            raise SpecError(f"{flag} is of plot {kinds}, not of plot {kind}; leave it out")
