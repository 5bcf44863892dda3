"""How many images a rank each head needs to be as good as a reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ordbench.errors import SpecError
from ordbench.leaderboard.ranking import digits
from ordbench.leaderboard.table import Table
from ordbench.plots.panels import grid_of, note_below_title, panel_titles
from ordbench.plots.shots_curve import Curve, curves
from ordbench.plots.style import GREY, Width, look, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REFERENCE = "linear"


class Need(NamedTuple):
    """Images a rank that one head needs.

    Attributes:
        label: The head.
        shots: How many; the fewest or the most that were run where it needs no more, or more.
        bound: ``"<="`` and ``">"`` there; else empty.
    """

    label: str
    shots: float
    bound: str = ""


@styled
def plot_sample_efficiency(
    tables: Sequence[Table], *, reference: str = REFERENCE, width: Width | None = None
) -> list[Axes]:
    """Draw how many images a rank each head needs to reach the reference's score with the most.

    Between two numbers of shots, scores are taken to change evenly with the logarithm of shots.

    Args:
        tables: With shots as columns.
        reference: Label of the head whose score at its largest number of shots is to be reached.
        width: Of the figure; None for a column if there is one panel, else a page.

    Raises:
        SpecError: If a leaderboard has no such head, or no two numbers of shots.
    """
    needs = [shots_needed(table, reference) for table in tables]
    height = 1.0 + 0.16 * max(map(len, needs))
    panels = grid_of(len(tables), width, height)
    titles = panel_titles(tables)
    for axes, table, title, found in zip(panels, tables, titles, needs, strict=True):
        axes.set_title(title, loc="left")
        _draw(axes, table, found, reference)
    return panels


def shots_needed(table: Table, reference: str = REFERENCE) -> list[Need]:
    """Images a rank that each head needs, the fewest first."""
    drawn = {curve.label: curve for curve in map(_numbered, curves(table)) if curve.shots}
    target = _target(drawn, reference, table)
    sign = -1 if table.metric.higher_is_better else 1
    needs = [_need(curve, sign, target) for curve in drawn.values()]
    return sorted(needs, key=lambda need: (need.bound == ">", need.shots, need.label))


def _target(drawn: dict[str, Curve], reference: str, table: Table) -> float:
    if reference not in drawn:
        raise SpecError(
            f"no head {reference!r} to compare with; choose one by --reference: {', '.join(drawn)}"
        )
    if len(drawn[reference].shots) < 2:
        raise SpecError(
            f"{reference} has one number of shots, wanted two or more: {', '.join(table.columns)}"
        )
    return drawn[reference].means[-1]


def _numbered(curve: Curve) -> Curve:
    """Without the point of all images, which is no number of them, and the last one."""
    end = len(curve.shots) - (None in curve.shots)
    return Curve(
        curve.label, curve.shots[:end], curve.means[:end], curve.low[:end], curve.high[:end]
    )


def _need(curve: Curve, sign: int, target: float) -> Need:
    """The first crossing of the target, from few images to many."""
    shots = [float(one) for one in curve.shots if one is not None]
    excess = [sign * (mean - target) for mean in curve.means]
    if excess[0] <= 0:
        return Need(curve.label, shots[0], "" if excess[0] == 0 else "<=")
    for at in range(1, len(shots)):
        if excess[at] <= 0:
            share = excess[at - 1] / (excess[at - 1] - excess[at])
            low, high = math.log2(shots[at - 1]), math.log2(shots[at])
            return Need(curve.label, 2 ** (low + share * (high - low)))
    return Need(curve.label, shots[-1], ">")


def _draw(axes: Axes, table: Table, needs: Sequence[Need], reference: str) -> None:
    rows = range(len(needs))
    for row, need in zip(rows, needs, strict=True):
        color = "black" if need.label == reference else look(0).color
        marker = {"<=": "<", ">": ">", "": "o"}[need.bound]
        axes.plot([need.shots], [row], marker=marker, color=color, label=need.label)
        said = f"{ {'<=': '≤ ', '>': '> ', '': ''}[need.bound] }{need.shots:.3g}"
        axes.annotate(
            said,
            (need.shots, row),
            (6, 0),
            textcoords="offset points",
            va="center",
            size=6.5,
            bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
        )
    (own,) = [need.shots for need in needs if need.label == reference]
    axes.axvline(own, color=GREY, linewidth=0.6)
    axes.set_xscale("log", base=2)
    axes.set_xticks(
        ticks := sorted({shots for curve in curves(table) for shots in curve.shots if shots}),
        [str(shots) for shots in ticks],
    )
    axes.set_xlim(ticks[0] / 1.3, ticks[-1] * 1.9)
    axes.set_yticks(rows, [need.label for need in needs])
    axes.set_ylim(len(needs) - 0.4, -0.6)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    axes.set_xlabel("training images a rank")
    score = _target({one.label: one for one in map(_numbered, curves(table))}, reference, table)
    places = digits(table.metric)
    said = f"to reach {table.metric.title} {score:.{places}f} ({table.unit}), that of {reference}"
    note_below_title(axes, said)
