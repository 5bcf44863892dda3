"""What `ordbench table` prints: rows of the records, those asked for, leaderboards, text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ordbench.leaderboard.build import build
from ordbench.leaderboard.formats import Format, render
from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.query import ask, select
from ordbench.results.loading import load_cells
from ordbench.results.rescoring import rescore
from ordbench.utils.torch_threads import no_garbage_collection


def table_text(
    results: Path,
    *,
    metric: str = "mae",
    decode: str = "median",
    columns: Columns = "shots",
    format: Format = "rich",
    head: Iterable[str] | None = None,
    dataset: Iterable[str] | None = None,
    backbone: Iterable[str] | None = None,
    shots: Iterable[str] | None = None,
    fold: Iterable[str] | None = None,
    pool_folds: bool = False,
) -> str:
    """The leaderboards of a folder of records, as text that ends with a line feed.

    Args:
        results: See `ordbench.results.loading.load_cells`.
        metric: See `ordbench.leaderboard.build.build`; so for ``decode`` and ``columns``.
        decode: How posteriors become estimates.
        columns: What stands in the columns.
        format: See `ordbench.leaderboard.formats.render`.
        head: See `ordbench.leaderboard.query.select`; so for the filters below.
        dataset: Only these datasets.
        backbone: Only these backbones.
        shots: Only these shots.
        fold: Only these folds.
        pool_folds: See `ordbench.leaderboard.build.build`.

    Raises:
        SpecError: If there is no such metric, decoding, head, dataset, backbone or shots.
        StoreError: If there is nothing to show, or the records cannot be read.
    """
    # A hundred thousand rows hold no circles, and looking for some takes longer than the rows.
    query = ask(metric, decode, columns, pool_folds=pool_folds)
    with no_garbage_collection():
        cells = load_cells(results, query.columns_needed())
        cells = select(cells, head=head, dataset=dataset, backbone=backbone, shots=shots, fold=fold)
        cells = rescore(results, cells, query.metric, decode)
        return render(build(cells, query), format)
