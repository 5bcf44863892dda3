"""`ordbench table`: the leaderboards of a folder of records."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ordbench.cli.results_folder import FolderArgument, FolderOption, one_folder
from ordbench.errors import SpecError
from ordbench.leaderboard.build import build
from ordbench.leaderboard.formats import FORMATS, render
from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.query import ask, select
from ordbench.leaderboard.significance import Significance
from ordbench.metrics.registry import BUILTIN_DECODES, BUILTIN_METRICS
from ordbench.results.loading import load_cells, load_skipped
from ordbench.results.rescoring import rescore
from ordbench.utils.torch_threads import no_garbage_collection

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

OnlyDatasets = Annotated[list[str] | None, typer.Option(help="Only these datasets.")]
OnlyBackbones = Annotated[list[str] | None, typer.Option(help="Only these backbones.")]
OnlyShots = Annotated[list[str] | None, typer.Option(help="Only these shots.")]
OnlyFolds = Annotated[list[str] | None, typer.Option(help="Only these folds.")]


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
    head: Annotated[list[str] | None, typer.Option(help="Only these heads, or not: -NAME.")] = None,
    dataset: OnlyDatasets = None,
    backbone: OnlyBackbones = None,
    shots: OnlyShots = None,
    fold: OnlyFolds = None,
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
) -> None:
    """Print the leaderboards: heads by shots (or datasets), mean and spread over seeds."""
    if as_json and format not in (None, "json"):
        raise SpecError(f"--json and --format {format} exclude each other; choose one")
    text = table_text(
        one_folder(folder, results),
        metric=metric,
        decode=decode,
        columns=columns,
        format="json" if as_json else format or "rich",
        head=head,
        dataset=dataset,
        backbone=backbone,
        shots=shots,
        fold=fold,
        pool_folds=pool_folds,
        interval=interval,
        group_by=group_by,
        significance=significance,
    )
    typer.echo(text, nl=False)


def table_text(
    results: Path,
    *,
    metric: str = "mae",
    decode: str = "median",
    columns: Columns = "shots",
    format: str = "rich",
    head: Iterable[str] | None = None,
    dataset: Iterable[str] | None = None,
    backbone: Iterable[str] | None = None,
    shots: Iterable[str] | None = None,
    fold: Iterable[str] | None = None,
    pool_folds: bool = False,
    interval: bool = False,
    group_by: str = "",
    significance: bool = False,
) -> str:
    """The leaderboards of a folder of records, as text that ends with a line feed.

    The arguments are those of `ordbench.leaderboard.query.ask`, `select` and
    `ordbench.leaderboard.formats.render`; ``group_by`` is a name of
    `ordbench.results.attributes.by_attribute`, and ``significance`` asks for
    `ordbench.leaderboard.significance.Significance`.

    Raises:
        OrdbenchError: If something that was asked for does not exist, there is nothing to show, or
            the records cannot be read.
    """
    query = ask(metric, decode, columns, pool_folds=pool_folds, interval=interval)
    if significance and pool_folds:
        raise SpecError(
            "--significance and --pool-folds exclude each other: folds share training images, so "
            "they are no independent runs; leave out one"
        )
    if significance and group_by:
        raise SpecError(
            "--significance and --group-by exclude each other; "
            "`ordbench compare A B --group-by NAME` tests two heads"
        )
    test = Significance(results, query.metric, decode) if significance else None
    # A hundred thousand rows hold no circles, and looking for some takes longer than the rows.
    with no_garbage_collection():
        cells = load_cells(results, query.columns_needed())
        cells = select(cells, head=head, dataset=dataset, backbone=backbone, shots=shots, fold=fold)
        if group_by:
            from ordbench.results.attributes import by_attribute  # NumPy

            cells = by_attribute(results, cells, group_by, query.metric, decode)
        else:
            cells = rescore(results, cells, query.metric, decode)
        return render(build(cells, query, load_skipped(results), test), format)
