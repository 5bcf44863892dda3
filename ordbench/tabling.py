"""What `ordbench table` prints: rows of the records, those asked for, leaderboards, text."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ordbench.grouping import Columns
from ordbench.index import load_lots
from ordbench.interpreter import no_garbage_collection
from ordbench.leaderboard import build
from ordbench.question import select
from ordbench.render import Format, render


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
        results: See `ordbench.index.load_lots`.
        metric: See `ordbench.leaderboard.build`; so for ``decode`` and ``columns``.
        decode: How posteriors become estimates.
        columns: What stands in the columns.
        format: See `ordbench.render.render`.
        head: See `ordbench.question.select`; so for the filters below.
        dataset: Only these datasets.
        backbone: Only these backbones.
        shots: Only these shots.
        fold: Only these folds.
        pool_folds: See `ordbench.leaderboard.build`.

    Raises:
        SpecError: If there is no such metric, decoding, head, dataset, backbone or shots.
        StoreError: If there is nothing to show, or the records cannot be read.
    """
    # A hundred thousand rows hold no circles, and looking for some takes longer than the rows.
    with no_garbage_collection():
        lots = load_lots(results)
        lots = select(lots, head=head, dataset=dataset, backbone=backbone, shots=shots, fold=fold)
        tables = build(lots, metric=metric, decode=decode, columns=columns, pool_folds=pool_folds)
        return render(tables, format)
