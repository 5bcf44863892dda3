"""`ordbench table`: the leaderboards of a folder of records."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ordbench.cli.results_folder import FolderArgument, FolderOption, one_folder
from ordbench.errors import SpecError
from ordbench.leaderboard.appendix import to_appendix
from ordbench.leaderboard.bibliography import Bibliography
from ordbench.leaderboard.formats import FORMATS, render
from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.latex import to_latex
from ordbench.leaderboard.loading import load_tables
from ordbench.metrics.registry import BUILTIN_DECODES, BUILTIN_METRICS
from ordbench.utils.files import write_atomic

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal[tuple(FORMATS)]

MetricName = Annotated[
    str,
    typer.Option(
        help=f"{', '.join(BUILTIN_METRICS)}, cs@K for any K, or another of `ordbench ls metrics`. "
        "Computed from stored predictions where a record lacks it."
    ),
]
DecodeName = Annotated[
    str,
    typer.Option(
        help="How a posterior becomes an estimate: "
        f"{', '.join(BUILTIN_DECODES)}, or a decode of an installed package."
    ),
]

OnlyHeads = Annotated[list[str] | None, typer.Option(help="Only these heads, or not: -NAME.")]
OnlyDatasets = Annotated[list[str] | None, typer.Option(help="Only these datasets.")]
OnlyBackbones = Annotated[list[str] | None, typer.Option(help="Only these backbones.")]
OnlyShots = Annotated[list[str] | None, typer.Option(help="Only these shots.")]
OnlyFolds = Annotated[list[str] | None, typer.Option(help="Only these folds.")]
OnlyProtocols = Annotated[
    list[str] | None, typer.Option(help="Only these protocols, NAME[:KEY=VALUE].")
]


def table(
    folder: FolderArgument = None,
    results: FolderOption = None,
    metric: MetricName = "mae",
    decode: DecodeName = "median",
    columns: Annotated[Columns, typer.Option(help="What the columns show.")] = "shots",
    format: Annotated[
        Format | None, typer.Option(help="Output format.", show_default="rich")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    head: OnlyHeads = None,
    dataset: OnlyDatasets = None,
    backbone: OnlyBackbones = None,
    shots: OnlyShots = None,
    fold: OnlyFolds = None,
    protocol: OnlyProtocols = None,
    pool_folds: Annotated[
        bool, typer.Option("--pool-folds", help="Mean over the runs of all folds.")
    ] = False,
    interval: Annotated[
        bool,
        typer.Option("--interval", help="95 % t interval over seeds, not standard deviation."),
    ] = False,
    group_by: Annotated[
        str,
        typer.Option(help="A table for each value beside the rank, as the dataset names it."),
    ] = "",
    significance: Annotated[
        bool,
        typer.Option(
            "--significance",
            help="Mark what is not distinguishable from the best, by stored predictions.",
        ),
    ] = False,
    bibtex: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the papers of heads, datasets, backbones and protocols there as BibTeX; "
            "--format latex cites them.",
        ),
    ] = None,
    appendix: Annotated[
        bool,
        typer.Option("--appendix", help="With --format latex: all settings in a long table."),
    ] = False,
) -> None:
    """Print the leaderboards: heads by shots (or datasets), mean and spread over seeds."""
    if as_json and format not in (None, "json"):
        raise SpecError(f"--json and --format {format} exclude each other; choose one")
    if appendix and format != "latex":
        raise SpecError("--appendix is written in LaTeX; add --format latex")
    root = one_folder(folder, results)
    tables = load_tables(
        root,
        metric=metric,
        decode=decode,
        columns=columns,
        head=head,
        dataset=dataset,
        backbone=backbone,
        shots=shots,
        fold=fold,
        protocol=protocol,
        pool_folds=pool_folds,
        interval=interval,
        group_by=group_by,
        significance=significance,
    )
    papers = Bibliography(tables) if bibtex else None
    if papers and bibtex:
        write_atomic(bibtex, str(papers).encode())
    if format == "latex":
        text = to_latex(tables, papers) + (to_appendix(tables, root) if appendix else "")
    else:
        text = render(tables, "json" if as_json else format or "rich")
    typer.echo(text, nl=False)
