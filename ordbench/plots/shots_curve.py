"""The curve of each head: score against images a rank, with intervals over seeds."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from ordbench.errors import SpecError
from ordbench.leaderboard.build import REFERENCE
from ordbench.leaderboard.grouping import shots_of
from ordbench.leaderboard.ranking import Row, digits
from ordbench.leaderboard.table import Table
from ordbench.plots.end_labels import End, label_ends
from ordbench.plots.panels import grid_of, note_below_title, panel_titles
from ordbench.plots.style import FAINT, GREY, Look, Width, looks, styled
from ordbench.report.reproduction import PublishedRow, plans

if TYPE_CHECKING:
    from matplotlib.axes import Axes

AS_PRINTED = {"standard", "paper"}  # protocols under which papers print MAE by shots
SHOWN = 8  # heads with a colour each; more lines are a tangle
_DODGE = 0.02  # between the error bars of two heads, as a share of the axis


class Curve(NamedTuple):
    """One line: a point for each number of shots that has a score.

    Attributes:
        label: What it is called.
        shots: Images a rank, rising; None for all images, which comes last.
        means: The scores.
        low: Lower ends of the 95 % t intervals over seeds; the mean where there is none.
        high: Upper ends.
    """

    label: str
    shots: Sequence[int | None]
    means: Sequence[float]
    low: Sequence[float]
    high: Sequence[float]


@styled
def plot_curves(
    tables: Sequence[Table], *, emphasise: Collection[str] = (), width: Width | None = None
) -> list[Axes]:
    """Draw a panel a leaderboard: a line a head, and the median of the training ranks dotted.

    Curves that papers print for the dataset are grey and dashed. Heads that are much worse
    than the others are named above, with their best score, and not drawn: their lines would press
    those of the others together.

    Args:
        tables: With shots as columns, and intervals; as of
            `ordbench.leaderboard.loading.load_tables` with ``interval=True``.
        emphasise: Labels of the heads with a colour and a name; none for all, or of more than
            `SHOWN` the first of each leaderboard.
        width: Of the figure; None for a column if there is one panel, else a page.

    Returns:
        The axes, in the order of the leaderboards.

    Raises:
        SpecError: If a leaderboard has fewer than two numbers of shots, or no such head.
    """
    for table in tables:
        if len(table.columns) < 2:
            raise SpecError(
                f"a curve needs two numbers of shots or more, {table.facts.get('dataset', '')} "
                f"has {', '.join(table.columns)} only; run others, or `ordbench table`"
            )
    shown = {id(table): _emphasised(table, emphasise) for table in tables}
    look_of = looks([label for labels in shown.values() for label in labels])
    panels = grid_of(len(tables), width)
    for axes, table, title in zip(panels, tables, panel_titles(tables), strict=True):
        axes.set_title(title, loc="left")
        _draw(axes, table, {label: look_of[label] for label in shown[id(table)]})
    return panels


def curves(table: Table) -> list[Curve]:
    """The lines of a leaderboard's heads, in the order of its rows."""
    return [_curve(row, table) for row in table.rows if any(row.cells)]


def background(table: Table) -> list[Curve]:
    """What heads are to be seen against: the median of the training ranks, and papers."""
    reference = [_curve(table.reference, table)] if table.reference else []
    return [*reference, *published_curves(table)]


def published_curves(table: Table) -> list[Curve]:
    """MAE by shots as papers print it for the table's dataset; where they compare it.

    Plans of other metrics, protocols and test datasets there are none; rows with one number of
    shots are no curve.
    """
    as_printed = table.facts.get("protocol") in AS_PRINTED and "test dataset" not in table.facts
    if table.metric.name != "mae" or not table.dataset or not as_printed:
        return []
    found = [
        (row, f"{row.published} ({plan.source.split(' (')[0]})")
        for plan in plans().values()
        if plan.dataset_name == table.dataset
        for row in plan.rows
    ]
    return [_published(row, label) for row, label in found if len(row.mae) > 1]


def _emphasised(table: Table, wanted: Collection[str]) -> list[str]:
    labels = [curve.label for curve in curves(table)]
    if wanted:
        unknown = sorted(set(wanted) - set(labels))
        if unknown:
            raise SpecError(
                f"no head {unknown[0]!r} in the leaderboard; it has {', '.join(labels)}"
            )
        return [label for label in labels if label in wanted]
    return labels if len(labels) <= SHOWN else labels[: SHOWN - 2]


def _curve(row: Row, table: Table) -> Curve:
    points = [
        (shots_of(column), cell.mean, *(cell.interval or (cell.mean, cell.mean)))
        for column, cell in zip(table.columns, row.cells, strict=True)
        if cell
    ]
    return Curve(row.label, *zip(*points, strict=True))


def _published(row: PublishedRow, label: str) -> Curve:
    points = {
        None if shots == "all" else shots: mae[0] if isinstance(mae, tuple) else mae
        for shots, mae in row.mae.items()
    }
    means = [*points.values()]
    return Curve(label, [*points], means, means, means)


def _draw(axes: Axes, table: Table, look_of: dict[str, Look]) -> None:
    behind = background(table)
    better_low = not table.metric.higher_is_better
    inside, outside = in_view([*curves(table), *behind], better_low=better_low)
    place = _places(curve.shots for curve in inside)
    ends: list[End] = []
    others = 0
    for curve in inside:
        xs = [place[shots] for shots in curve.shots]
        if curve in behind:
            dashes = ":" if curve.label == REFERENCE else "--"
            axes.plot(xs, curve.means, color=GREY, linestyle=dashes, linewidth=0.8, zorder=1)
            ends.append(End(curve.label, xs[-1], curve.means[-1], GREY))
        elif curve.label not in look_of:
            axes.plot(xs, curve.means, color=FAINT, linewidth=0.7, zorder=1)
            others += 1
    named = [curve for curve in inside if curve.label in look_of]
    span = max(place.values()) - min(place.values())
    for index, curve in enumerate(named):
        shift = (index - (len(named) - 1) / 2) * _DODGE * span
        xs = [place[shots] + shift for shots in curve.shots]
        _line(axes, curve, xs, look_of[curve.label])
        ends.append(End(curve.label, xs[-1], curve.means[-1], look_of[curve.label].color))
    _finish(axes, table, place)
    notes = [f"grey: {others} other heads"] if others else []
    notes += [_off_scale(outside, table)] if outside else []
    note_below_title(axes, "; ".join(notes))
    label_ends(axes, ends)


def _line(axes: Axes, curve: Curve, xs: Sequence[float], look: Look) -> None:
    axes.plot(xs, curve.means, label=curve.label, zorder=3, **look._asdict())
    axes.vlines(xs, curve.low, curve.high, color=look.color, linewidth=0.7, alpha=0.7, zorder=2)


def in_view(drawn: Sequence[Curve], *, better_low: bool) -> tuple[list[Curve], list[Curve]]:
    """Which curves share a scale, and which are so much worse that they would spoil it.

    From the better half on, a curve is in view if its best score is no further from the scores
    in view than those are from each other, or if it lies within their intervals.
    """
    sign = 1 if better_low else -1
    errors = {id(curve): [sign * mean for mean in curve.means] for curve in drawn}
    order = sorted(drawn, key=lambda curve: min(errors[id(curve)]))
    kept = order[: math.ceil(len(order) / 2)]
    for curve in order[len(kept) :]:
        values = [error for one in kept for error in errors[id(one)]]
        span = max(values) - min(values)
        ends = max(sign * end for one in kept for end in (*one.low, *one.high))
        if min(errors[id(curve)]) > max(max(values) + span, ends):
            break
        kept.append(curve)
    inside = {id(curve) for curve in kept}
    return (
        [curve for curve in drawn if id(curve) in inside],
        [curve for curve in drawn if id(curve) not in inside],
    )


def _places(all_shots: Iterable[Sequence[int | None]]) -> dict[int | None, float]:
    """Where each number of shots stands: by its logarithm; all images one doubling further."""
    found = {shots for one in all_shots for shots in one}
    place: dict[int | None, float] = {
        shots: math.log2(shots) for shots in sorted(shots for shots in found if shots is not None)
    }
    if None in found:
        place[None] = max(place.values(), default=0.0) + 1
    return place


def _finish(axes: Axes, table: Table, place: dict[int | None, float]) -> None:
    axes.set_xticks([*place.values()], ["all" if shots is None else str(shots) for shots in place])
    axes.set_xlabel("training images a rank")
    axes.set_ylabel(f"{table.metric.title} ({table.unit})")
    axes.grid(axis="y")
    axes.set_axisbelow(True)


def _off_scale(outside: Sequence[Curve], table: Table) -> str:
    places = digits(table.metric)
    best = max if table.metric.higher_is_better else min
    arrow = "↓" if table.metric.higher_is_better else "↑"
    said = (f"{curve.label} {best(curve.means):.{places}f}" for curve in outside)
    return f"{arrow} off the scale: {', '.join(said)}"
