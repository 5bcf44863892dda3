"""Risk-coverage curves: the MAE of the images of which a head is surest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ordbench.plots.end_labels import End, label_ends
from ordbench.plots.panels import check_few, with_posterior
from ordbench.plots.style import Width, looks, new_figure, styled
from ordbench.report.error_analysis import risk_coverage
from ordbench.report.head_runs import HeadRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FIRST = 0.05  # of the images; the mean over fewer is noise


@styled
def plot_risk_coverage(heads: Sequence[HeadRuns], *, width: Width = "column") -> Axes:
    """Draw a curve a head, the mean over its runs; see `risk_coverage` for who is surest.

    Args:
        heads: Tested on the same images. Those without a posterior are left out.
        width: Of the figure.

    Raises:
        SpecError: If no head has a posterior, or for more heads than can be told apart.
    """
    heads = with_posterior(heads)
    check_few([head.label for head in heads])
    axes = new_figure(width, 2.4).subplots()
    look_of = looks([head.label for head in heads])
    ends: list[End] = []
    for head in heads:
        curves = [risk_coverage(run) for run in head.runs]
        coverage, risk = curves[0].coverage, np.mean([one.risk for one in curves], axis=0)
        shown = coverage >= FIRST
        look = look_of[head.label]
        every = max(1, int(shown.sum() // 8))
        axes.plot(coverage[shown], risk[shown], label=head.label, markevery=every, **look._asdict())
        ends.append(End(head.label, 1.0, float(risk[-1]), look.color))
    axes.set_xlabel("coverage: share of images, the surest first")
    axes.set_ylabel(f"MAE ({heads[0].unit})")
    axes.set_xlim(0, 1)
    axes.grid(axis="y")
    axes.set_axisbelow(True)
    label_ends(axes, ends)
    return axes
