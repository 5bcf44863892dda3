"""Curves of shots against a metric, as coordinates of an SVG."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from ordbench.leaderboard.cell_texts import cell_text
from ordbench.leaderboard.ranking import Row
from ordbench.leaderboard.table import Table
from ordbench.utils.spacing import apart

WIDTH, HEIGHT = 720, 400
LEFT, RIGHT, TOP, BOTTOM = 56, 168, 16, 44  # margins; names stand in the right one
COLOURS = 6  # heads with a colour, a dash pattern and a name of their own
_LINE = 17  # units between two names
_FENCE = 1.5  # of the quartiles' distance; Tukey (1977), Exploratory data analysis

_Height = Callable[[float], float]


class Tick(NamedTuple):
    """A place on an axis, and what stands there."""

    at: float
    text: str


class Point(NamedTuple):
    """A mean with the ends of its spread, and both in words."""

    column: int
    x: float
    y: float
    low: float
    high: float
    text: str


class Curve(NamedTuple):
    """One head.

    Attributes:
        row: Its row in the leaderboard; -1 for the reference.
        colour: 1 to `COLOURS`; 0 for the others.
        path: Of an SVG.
        label_y: Where its name stands; None if it has none.
    """

    row: int
    label: str
    colour: int
    path: str
    points: Sequence[Point]
    label_y: float | None


class Chart(NamedTuple):
    """All curves of a leaderboard.

    Attributes:
        curves: The best last, so that they are drawn over the others.
        outside: Heads that leave the scale, as they are far worse than most.
    """

    curves: Sequence[Curve]
    x_ticks: Sequence[Tick]
    y_ticks: Sequence[Tick]
    outside: Sequence[str]


def chart(table: Table) -> Chart | None:
    """Draw a leaderboard; None where it has fewer than two columns or no rows.

    The scale is that of most heads: a mean beyond Tukey's fence on the worse side leaves it.
    """
    rows = [row for row in table.rows if any(row.cells)]
    if len(table.columns) < 2 or not rows:
        return None
    low, high = _limits(rows, higher_is_better=table.metric.higher_is_better)
    ticks = nice_ticks(low, high)
    step = (WIDTH - LEFT - RIGHT) / len(table.columns)
    places = [LEFT + step * (index + 0.5) for index in range(len(table.columns))]

    def height(value: float) -> float:
        return round(TOP + (HEIGHT - TOP - BOTTOM) * (high - value) / (high - low), 1)

    drawn = [
        _curve(index, row, table, places, height)
        for index, row in enumerate(table.rows)
        if any(row.cells)
    ]
    inside = [curve for curve in drawn if all(map(_is_inside, curve.points))]
    best = inside[:COLOURS]
    heights = [round(y, 1) for y in apart([curve.points[-1].y for curve in best], _LINE)]
    # By the alphabet, so that leaderboards of the same few heads look alike.
    coloured = sorted(curve.label for curve in (drawn if len(drawn) <= COLOURS else best))
    named = {
        curve.row: curve._replace(colour=1 + coloured.index(curve.label), label_y=y)
        for curve, y in zip(best, heights, strict=True)
    }
    curves = [named.get(curve.row, curve) for curve in drawn]
    if table.reference:
        curves.append(_curve(-1, table.reference, table, places, height))
    decimals = _decimals(ticks)
    return Chart(
        curves=curves[::-1],
        x_ticks=[Tick(round(x, 1), text) for x, text in zip(places, table.columns, strict=True)],
        y_ticks=[Tick(height(tick), f"{tick:z.{decimals}f}") for tick in ticks],
        outside=[curve.label for curve in drawn if curve not in inside],
    )


def nice_ticks(low: float, high: float, at_most: int = 6) -> list[float]:
    """Round numbers in a range, at steps of 1, 2 or 5 times a power of ten.

    >>> nice_ticks(8.3, 9.6), nice_ticks(0.0, 1.0)
    ([8.5, 9.0, 9.5], [0.0, 0.2, 0.4, 0.6, 0.8, 1.0])
    """
    rough = (high - low) / at_most
    power = 10 ** math.floor(math.log10(rough))
    step = next(size * power for size in (1, 2, 5, 10) if size * power >= rough * (1 - 1e-9))
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [round(number * step, 12) for number in range(first, last + 1)]


def _limits(rows: Sequence[Row], *, higher_is_better: bool) -> tuple[float, float]:
    """The least and the largest value to show."""
    sign = -1 if higher_is_better else 1
    means = sorted(sign * cell.mean for row in rows for cell in row.cells if cell)
    lower, upper = means[len(means) // 4], means[(3 * len(means)) // 4]
    fence = max(upper + _FENCE * (upper - lower), means[0])
    shown = [mean for mean in means if mean <= fence]
    ends = sign * shown[0], sign * shown[-1]
    low, high = min(ends), max(ends)
    margin = 0.04 * (high - low) or max(abs(high), 1.0) * 0.05
    return low - margin, high + margin


def _curve(index: int, row: Row, table: Table, places: Sequence[float], height: _Height) -> Curve:
    points = [
        Point(
            column,
            round(x, 1),
            height(cell.mean),
            height(cell.mean - (cell.std or 0)),
            height(cell.mean + (cell.std or 0)),
            cell_text(cell, table),
        )
        for column, (x, cell) in enumerate(zip(places, row.cells, strict=True))
        if cell
    ]
    path = "".join(
        f"{'L' if number and point.column == points[number - 1].column + 1 else 'M'}"
        f"{point.x} {point.y}"
        for number, point in enumerate(points)
    )
    return Curve(index, row.label, 0, path, points, None)


def _is_inside(point: Point) -> bool:
    return TOP <= point.y <= HEIGHT - BOTTOM


def _decimals(ticks: Sequence[float]) -> int:
    """How many decimals tell ticks apart."""
    step = ticks[1] - ticks[0] if len(ticks) > 1 else 1.0
    return max(0, -math.floor(math.log10(step) + 1e-9))
