"""Cells and rows of a leaderboard: means, marks and the order of rows."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import fsum, isfinite, sqrt
from typing import TYPE_CHECKING, Literal

from ordbench.metrics.registry import Metric
from ordbench.statistics.intervals import Interval

if TYPE_CHECKING:
    from ordbench.statistics.across import Standing

Mark = Literal["", "best", "second"]


@dataclass(frozen=True)
class Score:
    """A mean over runs.

    Attributes:
        mean: In the metric's unit.
        std: Sample standard deviation (``ddof=1``); None for one run.
        runs: How many runs.
        mark: Whether it is the best or second best of its column.
        interval: 95 % t interval of the mean over seeds, where it was asked for and there is one.
        distinguishable: Whether it is significantly different from the best of its column; None
            for that one, and where it was not tested.
    """

    mean: float
    std: float | None
    runs: int
    mark: Mark = ""
    interval: Interval | None = None
    distinguishable: bool | None = None


@dataclass(frozen=True)
class Row:
    """One head; None where it has no run, or no such score.

    Attributes:
        label: What it is called.
        cells: One a column.
        decoding: How its posteriors became estimates, as in `ordbench.leaderboard.table.Table`.
        skipped: Why runs could not be started, by the index of an empty cell.
        standing: Over all datasets, where these are the columns and none of them is missing.
        head: Name of its plug-in; empty where no run could be started.
    """

    label: str
    cells: tuple[Score | None, ...]
    decoding: str = ""
    skipped: Mapping[int, str] = field(default_factory=dict[int, str])
    standing: Standing | None = None
    head: str = ""


def digits(metric: Metric) -> int:
    """Decimals shown: 2 for what is measured in the dataset's unit, 3 for the rest."""
    return 2 if metric.unit == "{unit}" else 3


def aggregate(values: Iterable[float]) -> Score | None:
    """Mean and spread; values that are not finite are left out, and nothing is put in their place.

    >>> aggregate([1.0, 3.0])
    Score(mean=2.0, std=1.4142135623730951, runs=2, mark='', interval=None, distinguishable=None)
    >>> aggregate([float("nan")]) is None
    True
    """
    finite = [value for value in values if isfinite(value)]
    if not finite:
        return None
    mean, runs = _mean(finite), len(finite)
    # Two passes and exact sums: as statistics.stdev to the last digit, in a tenth of its time.
    squares = fsum((value - mean) * (value - mean) for value in finite)
    return Score(mean, sqrt(squares / (runs - 1)) if runs > 1 else None, runs)


def ranked(rows: Sequence[Row], metric: Metric, reference: Row | None = None) -> tuple[Row, ...]:
    """Rows in order, with the best and the second best cell of each column marked.

    Rows with all cells come first, by the mean of their places in the columns; then those with
    the fewest empty cells. Cells that look the same share place and mark. Only the cells with the
    most runs of their column are marked, so that one run never counts as better than a mean of
    three; no cell is marked that is alone or not better than the reference.

    Args:
        rows: One a head.
        metric: Which end is best.
        reference: A constant prediction.
    """
    columns = list(zip(*(row.cells for row in rows), strict=True))
    places = [_places(column, metric) for column in columns]
    baselines = reference.cells if reference else (None,) * len(columns)
    marks = [
        _marks(column, metric, baseline)
        for column, baseline in zip(columns, baselines, strict=True)
    ]

    def order(index: int) -> tuple[int, float, str]:
        own = [place[index] for place in places if index in place]
        return len(places) - len(own), _mean(own) if own else 0.0, rows[index].label

    marked = [
        replace(
            row,
            cells=tuple(
                cell and replace(cell, mark=mark.get(index, ""))
                for cell, mark in zip(row.cells, marks, strict=True)
            ),
        )
        for index, row in enumerate(rows)
    ]
    return tuple(marked[index] for index in sorted(range(len(rows)), key=order))


def leader(column: Sequence[Score | None], metric: Metric) -> int | None:
    """The index of the best cell among those with the most runs, at a tie the first."""
    most = max((cell.runs for cell in column if cell), default=0)
    sign = -1 if metric.higher_is_better else 1
    means = {i: sign * cell.mean for i, cell in enumerate(column) if cell and cell.runs == most}
    return min(means, key=lambda index: means[index], default=None)


def by_name(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Rows that may not be compared: in the order of their names, without marks."""
    return tuple(sorted(rows, key=lambda row: row.label))


def _mean(values: Sequence[float]) -> float:
    return fsum(values) / len(values)


def _places(column: Sequence[Score | None], metric: Metric) -> dict[int, int]:
    """Place (1 is best) of each row that has a cell; those that look the same share one."""
    shown = {index: shown_mean(cell, metric) for index, cell in enumerate(column) if cell}
    return {i: 1 + sum(other < value for other in shown.values()) for i, value in shown.items()}


def _marks(
    column: Sequence[Score | None], metric: Metric, baseline: Score | None
) -> dict[int, Mark]:
    most = max((cell.runs for cell in column if cell), default=0)
    shown = {
        i: shown_mean(cell, metric) for i, cell in enumerate(column) if cell and cell.runs == most
    }
    first, second, *_ = [*sorted(set(shown.values())), None, None]
    if len(shown) < 2 or first is None:
        return {}
    limit = shown_mean(baseline, metric) if baseline else math.inf
    return {
        index: "best" if value == first else "second"
        for index, value in shown.items()
        if value in {first, second} and value < limit
    }


def shown_mean(cell: Score, metric: Metric) -> float:
    """A mean as it is shown, with the sign by which less is better."""
    return (-1 if metric.higher_is_better else 1) * round(cell.mean, digits(metric))
