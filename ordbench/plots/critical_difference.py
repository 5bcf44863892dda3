"""The critical difference diagram: mean ranks of heads over datasets, and which are level."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ordbench.errors import SpecError
from ordbench.leaderboard.across import across_datasets
from ordbench.leaderboard.table import Table
from ordbench.plots.style import GREY, Width, new_figure, styled
from ordbench.statistics.across import MIN_DATASETS, Friedman

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ALPHA = 0.05
_TOP = 0.5  # inches above the scale
_ROW = 0.19  # inches a name
_LETTER = 0.062
_ELBOW = 0.25  # inches from the end of the scale to the names
_BAR = 0.09  # inches between two bars
_MANY = 12  # heads


@styled
def plot_critical_difference(table: Table, *, width: Width | None = None) -> Axes:
    """Draw the mean ranks of heads over datasets, with bars that join those that are level.

    Level are heads whose mean ranks are less than Nemenyi's critical difference apart. Where
    Friedman's test finds no difference at all (p >= 0.05), one bar joins all heads.

    Args:
        table: With datasets as columns; heads without a score on each of them are left out.
        width: Of the figure; None for a column, or a page with more than twelve heads.

    Raises:
        SpecError: For fewer than six datasets or three heads, or if all heads are equal.

    Source: Demšar (2006). Statistical comparisons of classifiers over multiple data sets.
    Journal of Machine Learning Research 7.
    """
    ranks, test = _tested(table)
    bars = level_bars([*ranks.values()], _difference(test))
    rows, number = -(-len(ranks) // 2), len(ranks)
    below = 0.12 + _BAR * len(bars)
    bottom = below + _ROW * rows
    figure = new_figure(width or ("page" if number > _MANY else "column"), _TOP + bottom)
    figure.set_layout_engine("none")
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set_axis_off()
    axes.set_ylim(-bottom, _TOP)  # inches from the scale
    beside = 0.1 + _ELBOW + _LETTER * max(map(len, ranks))
    inch = (number - 1) / max(figure.get_figwidth() - 2 * beside, 0.5)
    axes.set_xlim(1 - beside * inch, number + beside * inch)
    _draw_scale(axes, number)
    _draw_difference(axes, test)
    _draw_names(axes, ranks, below, inch)
    for row, (low, high) in enumerate(bars):
        y = -0.1 - _BAR * row
        axes.plot([low - 0.04, high + 0.04], [y, y], color="black", linewidth=2.5, label="level")
    return axes


def level_bars(ranks: Sequence[float], difference: float) -> list[tuple[float, float]]:
    """From which mean rank to which each bar reaches: the longest runs that are level.

    Args:
        ranks: Mean ranks, rising.
        difference: How far apart two must be to be told apart; further is more.

    >>> level_bars([1.0, 1.5, 2.2, 4.0], 1.0)
    [(1.0, 1.5), (1.5, 2.2)]
    """
    found: list[tuple[float, float]] = []
    for index, low in enumerate(ranks):
        high = max(rank for rank in ranks[index:] if rank - low < difference)
        if high > low and not (found and high <= found[-1][1]):
            found.append((low, high))
    return found


def _tested(table: Table) -> tuple[dict[str, float], Friedman]:
    """Mean ranks, rising, by head; and the test."""
    across = across_datasets(table.rows, table.metric)
    datasets = sum(map(any, zip(*(row.cells for row in table.rows), strict=True)))
    if datasets < MIN_DATASETS:
        raise SpecError(
            f"a critical difference needs {MIN_DATASETS} datasets or more, there are {datasets}: "
            "with fewer, not even one order everywhere is significant; "
            "`ordbench table --significance` tests heads on one dataset"
        )
    if across is None or across.friedman is None:
        heads = across.heads if across else sum(all(row.cells) for row in table.rows)
        why = "all have the same scores" if heads >= 3 else "three or more are needed"
        raise SpecError(f"{heads} heads have a score on all {datasets} datasets; {why}")
    ranks = {row.label: row.standing.mean_rank for row in across.rows if row.standing}
    return ranks, across.friedman


def _difference(test: Friedman) -> float:
    return test.critical_difference if test.p < ALPHA else float("inf")


def _draw_scale(axes: Axes, number: int) -> None:
    axes.plot([1, number], [0, 0], color="black", linewidth=0.8)
    axes.vlines(range(1, number + 1), 0, 0.05, color="black", linewidth=0.8)
    for rank in range(1, number + 1) if number <= _MANY else (1, *range(5, number + 1, 5)):
        axes.text(rank, 0.07, str(rank), ha="center", va="bottom", size=7)
    axes.text(number, 0.0, "  mean rank", va="center", size=7)


def _draw_difference(axes: Axes, test: Friedman) -> None:
    end = 1 + test.critical_difference
    axes.plot([1, end], [0.26, 0.26], color=GREY, linewidth=0.8, marker="|", label="CD")
    said = f"CD {test.critical_difference:.2f}, Friedman p = {test.p:.2g}"
    axes.text(1, 0.32, said, va="bottom", size=7, color=GREY)


def _draw_names(axes: Axes, ranks: dict[str, float], below: float, inch: float) -> None:
    """The better half on the left, the others on the right; the outermost highest."""
    half, number = -(-len(ranks) // 2), len(ranks)
    for index, (label, rank) in enumerate(ranks.items()):
        better = index < half
        y = -below - _ROW * (index if better else number - 1 - index)
        edge = 1 - _ELBOW * inch if better else number + _ELBOW * inch
        side, into = ("right", "left") if better else ("left", "right")
        axes.plot([rank, rank, edge], [0, y, y], color="black", linewidth=0.6, label=label)
        axes.text(edge, y + 0.015, f"{rank:.2f}", ha=into, va="bottom", size=5.5, color=GREY)
        x = edge + (-0.04 if better else 0.04) * inch
        axes.text(x, y, label, ha=side, va="center", size=7)
