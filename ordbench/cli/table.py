"""`ordbench table`: the leaderboards of a folder of records."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from ordbench.leaderboard.build import build
from ordbench.leaderboard.formats import FORMATS, render
from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.query import ask, select
from ordbench.metrics.registry import BUILTIN_DECODES, BUILTIN_METRICS
from ordbench.results.loading import load_cells, load_skipped
from ordbench.results.rescoring import rescore
from ordbench.utils.torch_threads import no_garbage_collection

if TYPE_CHECKING:
    Format = str
else:
    Format = Literal[tuple(FORMATS)]

Folder = Annotated[Path, typer.Argument(help="Folder of the records.")]
MetricName = Annotated[
    str,
    typer.Option(
        help=f"{', '.join(BUILTIN_METRICS)}, cs@K for any K, or a metric of an installed package. "
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


def table(
    results: Folder = Path("results"),
    metric: MetricName = "mae",
    decode: DecodeName = "median",
    columns: Annotated[Columns, typer.Option(help="What the columns show.")] = "shots",
    format: Annotated[Format, typer.Option(help="Output format.")] = "rich",
    head: Annotated[list[str] | None, typer.Option(help="Only these heads.")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Only these datasets.")] = None,
    backbone: Annotated[list[str] | None, typer.Option(help="Only these backbones.")] = None,
    shots: Annotated[list[str] | None, typer.Option(help="Only these shots.")] = None,
    fold: Annotated[list[str] | None, typer.Option(help="Only these folds.")] = None,
    pool_folds: Annotated[
        bool, typer.Option("--pool-folds", help="Mean over the runs of all folds.")
    ] = False,
) -> None:
    """Print the leaderboards: heads by shots (or datasets), mean and spread over seeds."""
    text = table_text(
        results,
        metric=metric,
        decode=decode,
        columns=columns,
        format=format,
        head=head,
        dataset=dataset,
        backbone=backbone,
        shots=shots,
        fold=fold,
        pool_folds=pool_folds,
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
) -> str:
    """The leaderboards of a folder of records, as text that ends with a line feed.

    The arguments are those of `ordbench.leaderboard.query.ask`, `select` and
    `ordbench.leaderboard.formats.render`.

    Raises:
        OrdbenchError: If something that was asked for does not exist, there is nothing to show, or
            the records cannot be read.
    """
    query = ask(metric, decode, columns, pool_folds=pool_folds)
    # A hundred thousand rows hold no circles, and looking for some takes longer than the rows.
    with no_garbage_collection():
        cells = load_cells(results, query.columns_needed())
        cells = select(cells, head=head, dataset=dataset, backbone=backbone, shots=shots, fold=fold)
        cells = rescore(results, cells, query.metric, decode)
        return render(build(cells, query, load_skipped(results)), format)
