"""MAE and bias of heads by true rank, over how many images there are of each."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

from ordbench.plots.end_labels import End, label_ends
from ordbench.plots.panels import check_few
from ordbench.plots.style import FAINT, Width, looks, new_figure, styled
from ordbench.report.error_analysis import errors_by_rank, rank_groups
from ordbench.report.head_runs import HeadRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GROUPS = 15  # of ranks: enough to see a trend, and images in each


@styled
def plot_rank_error(
    heads: Sequence[HeadRuns], *, groups: int = GROUPS, width: Width = "column"
) -> list[Axes]:
    """Draw MAE, bias (mean of estimate less truth) and images by groups of true ranks.

    Args:
        heads: Tested on the same images; runs of different seeds are averaged.
        groups: Groups of ranks at most.
        width: Of the figure.

    Returns:
        The axes of MAE, bias and images.

    Raises:
        SpecError: For more heads than can be told apart.
    """
    check_few([head.label for head in heads])
    figure = new_figure(width, 3.6)
    upper, middle, lower = figure.subplots(3, 1, sharex=True, height_ratios=[3, 2, 1])
    values = heads[0].runs[0].rank_values
    cut = rank_groups(len(values), groups)
    look_of = looks([head.label for head in heads])
    ends: list[End] = []
    for head in heads:
        found = [one for one in errors_by_rank(head.pooled, cut) if one.images]
        xs = [(one.low + one.high) / 2 for one in found]
        maes, biases = [one.mae or 0.0 for one in found], [one.bias or 0.0 for one in found]
        look = look_of[head.label]
        upper.plot(xs, maes, label=head.label, **look._asdict())
        middle.plot(xs, biases, label=head.label, **look._asdict())
        ends.append(End(head.label, xs[-1], maes[-1], look.color))
    shown = errors_by_rank(heads[0].runs[0], cut)
    centres = [(one.low + one.high) / 2 for one in shown]
    sizes = [one.high - one.low or _step(values) for one in shown]
    lower.bar(centres, [one.images for one in shown], [0.9 * one for one in sizes], color=FAINT)
    middle.axhline(0, color="black", linewidth=0.6)
    unit = heads[0].unit
    upper.set_ylabel(f"MAE ({unit})")
    upper.set_ylim(bottom=0)
    middle.set_ylabel(f"bias ({unit})")
    lower.set_ylabel("images")
    lower.set_xlabel("true rank" if unit == "ranks" else f"truth ({unit})")
    for axes in (upper, middle):
        axes.grid(axis="y")
        axes.set_axisbelow(True)
    figure.align_ylabels()
    label_ends(upper, ends)
    return [upper, middle, lower]


def _step(values: Sequence[float]) -> float:
    """The least distance between two ranks."""
    return min(high - low for low, high in pairwise(values))
