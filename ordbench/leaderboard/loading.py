"""The leaderboards of a folder of records: what `ordbench table` prints and `plot` draws."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ordbench.errors import SpecError
from ordbench.leaderboard.build import build
from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.query import ask, select, select_skipped
from ordbench.leaderboard.significance import Significance
from ordbench.leaderboard.table import Table
from ordbench.results.loading import load_cells, load_skipped
from ordbench.results.rescoring import rescore
from ordbench.utils.torch_threads import no_garbage_collection


def load_tables(
    results: Path | str = "results",
    *,
    metric: str = "mae",
    decode: str = "median",
    columns: Columns = "shots",
    head: Iterable[str] | None = None,
    dataset: Iterable[str] | None = None,
    backbone: Iterable[str] | None = None,
    shots: Iterable[str] | None = None,
    fold: Iterable[str] | None = None,
    protocol: Iterable[str] | None = None,
    pool_folds: bool = False,
    interval: bool = False,
    group_by: str = "",
    significance: bool = False,
) -> list[Table]:
    """Make the leaderboards of a folder of records.

    The arguments are those of `ordbench.leaderboard.query.ask` and `select`; ``group_by`` is a name
    of `ordbench.results.attributes.by_attribute`, and ``significance`` asks for
    `ordbench.leaderboard.significance.Significance`.

    Raises:
        OrdbenchError: If something that was asked for does not exist, there is nothing to show, or
            the records cannot be read.
    """
    results = Path(results)
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
    chosen = {
        "head": head,
        "dataset": dataset,
        "backbone": backbone,
        "shots": shots,
        "fold": fold,
        "protocol": protocol,
    }
    # A hundred thousand rows hold no circles, and looking for some takes longer than the rows.
    with no_garbage_collection():
        cells = load_cells(results, query.columns_needed())
        cells = select(cells, **chosen)
        if group_by:
            from ordbench.results.attributes import by_attribute  # NumPy

            cells = by_attribute(results, cells, group_by, query.metric, decode)
        else:
            cells = rescore(results, cells, query.metric, decode)
        return build(cells, query, select_skipped(load_skipped(results), **chosen), test)
