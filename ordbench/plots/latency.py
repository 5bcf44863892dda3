"""Latency against score, with the heads that none beats in both."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ordbench.errors import SpecError
from ordbench.latency.reading import Timed
from ordbench.leaderboard.table import Table
from ordbench.plots.end_labels import End, label_ends
from ordbench.plots.style import GREY, Width, look, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_ROW = 0.13  # inches a name
_WRAP = 36  # characters below the axes


class Point(NamedTuple):
    """One head: median seconds of a call, and mean score over seeds."""

    label: str
    seconds: float
    score: float


@styled
def plot_latency(table: Table, timed: Timed, *, width: Width = "column") -> Axes:
    """Draw a point a head, and a line through those that no head beats in time and score.

    Args:
        table: With one column; its rows are the labels of the timed heads.
        timed: Latencies in one setting.
        width: Of the figure.

    Raises:
        SpecError: For several columns, or if no head has both.
    """
    points = points_of(table, timed)
    front = pareto_front(points, higher_is_better=table.metric.higher_is_better)
    axes = new_figure(width, max(2.6, 0.9 + _ROW * len(points))).subplots()
    color = look(0).color
    axes.set_xscale("log")
    for point in points:
        best = point in front
        axes.plot(
            [point.seconds],
            [point.score],
            marker="o",
            color=color if best else GREY,
            markerfacecolor=color if best else "white",
            linestyle="none",
            label=point.label,
        )
    axes.plot(
        [point.seconds for point in front],
        [point.score for point in front],
        color=color,
        linewidth=1.5,
        linestyle=":",
        drawstyle="steps-post",
        label="front",
        zorder=1,
    )
    _write_seconds(axes)
    axes.set_xlabel("\n".join(["time of a call", *textwrap.wrap(timed.setting, _WRAP)]))
    axes.set_ylabel(f"{table.metric.title} ({table.unit})")
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    ends = [
        End(one.label, one.seconds, one.score, color if one in front else GREY) for one in points
    ]
    label_ends(axes, ends)
    return axes


def points_of(table: Table, timed: Timed) -> list[Point]:
    """The heads that have a score and were timed."""
    if len(table.columns) > 1:
        raise SpecError(
            f"one figure shows one column, and there are {', '.join(table.columns)}; choose one, "
            "for example by --shots"
        )
    points = [
        Point(row.label, timed.seconds[row.label], cell.mean)
        for row in table.rows
        for cell in row.cells
        if cell and row.label in timed.seconds
    ]
    if not points:
        raise SpecError(
            f"no head has both a score ({', '.join(row.label for row in table.rows)}) and a "
            f"latency ({', '.join(timed.seconds)}); time the same heads"
        )
    return points


def pareto_front(points: Sequence[Point], *, higher_is_better: bool = False) -> list[Point]:
    """The points that no other beats in one and equals or beats in the other, the fastest first.

    >>> slow, fast, bad = Point("slow", 2, 1), Point("fast", 1, 3), Point("bad", 2, 3)
    >>> [point.label for point in pareto_front([slow, fast, bad])]
    ['fast', 'slow']
    """
    sign = -1 if higher_is_better else 1

    def beats(one: Point, other: Point) -> bool:
        pairs = [(one.seconds, other.seconds), (sign * one.score, sign * other.score)]
        return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)

    front = [point for point in points if not any(beats(other, point) for other in points)]
    return sorted(front, key=lambda point: (point.seconds, point.label))


def _write_seconds(axes: Axes) -> None:
    """Ticks at powers of ten with a prefix of the second; at 1, 2 and 5 of each where few fit."""
    from matplotlib.ticker import EngFormatter, LogLocator, NullLocator

    low, high = axes.get_xlim()
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if high < 15 * low else (1,)))
    axes.xaxis.set_major_formatter(EngFormatter("s"))
    axes.xaxis.set_minor_locator(NullLocator())
