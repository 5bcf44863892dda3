"""The order of heads over all datasets of a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

from ordbench.leaderboard.ranking import Row, shown_mean
from ordbench.metrics.registry import Metric

if TYPE_CHECKING:
    from ordbench.statistics.across import Friedman


class Across(NamedTuple):
    """Rows with their standing, and the test of all of them.

    Attributes:
        rows: Heads with a cell in every column that counts have a standing and come first, by mean
            rank. The others have none, as a rank among fewer heads or datasets is another number.
        datasets: How many columns count.
        heads: How many heads have a standing.
        friedman: None for too few datasets or heads.
    """

    rows: tuple[Row, ...]
    datasets: int
    heads: int
    friedman: Friedman | None


def across_datasets(rows: Sequence[Row], metric: Metric) -> Across | None:
    """Rank heads over the columns; None for one column, or fewer than two heads with all cells.

    Cells that look the same share a rank. A column in which no head has a cell, as its dataset is
    not there, does not count.

    Args:
        rows: In the order of the table; a column is a dataset.
        metric: Which end is best.
    """
    there = [any(column) for column in zip(*(row.cells for row in rows), strict=True)]
    datasets = sum(there)
    whole = [row for row in rows if sum(map(bool, row.cells)) == datasets]
    if len(whole) < 2 or datasets < 2:
        return None
    from ordbench.statistics.across import friedman, standings

    errors = [
        [shown_mean(cell, metric) for cell in column if cell]
        for column in zip(*(row.cells for row in whole), strict=True)
        if all(column)
    ]
    found = standings(errors, [row.label for row in whole])
    placed = [replace(row, standing=one) for row, one in zip(whole, found, strict=True)]
    order = sorted(zip(found, placed, strict=True), key=lambda pair: pair[0].mean_rank)
    ranked = [row for _, row in order]
    return Across(
        (*ranked, *(row for row in rows if sum(map(bool, row.cells)) < datasets)),
        datasets,
        len(whole),
        friedman(errors),
    )
