"""Reliability diagrams: how often the likeliest rank is right, against its probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from ordbench.metrics.calibration import ece
from ordbench.plots.panels import check_few, with_posterior
from ordbench.plots.style import GREY, Width, looks, new_figure, styled
from ordbench.report.error_analysis import reliability
from ordbench.report.head_runs import HeadRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST = 10  # images of a bin that is drawn; the share that is right is noise in fewer


@styled
def plot_reliability(heads: Sequence[HeadRuns], *, width: Width = "column") -> list[Axes]:
    """Draw the share of images that are right against the probability, over where images lie.

    Args:
        heads: Tested on the same images; runs of different seeds are pooled. Those without a
            posterior are left out, and so are bins of fewer than `FEWEST` images in the diagram.
            The ECE in the legend is the mean of the runs' own.
        width: Of the figure.

    Returns:
        The axes of the diagram, and of the shares of images by probability.

    Raises:
        SpecError: If no head has a posterior, or for more heads than can be told apart.

    Source: Guo et al. (2017). On calibration of modern neural networks.
    https://arxiv.org/abs/1706.04599
    """
    heads = with_posterior(heads)
    check_few([head.label for head in heads])
    figure = new_figure(width, 3.6)
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 1])
    upper.plot([0, 1], [0, 1], color=GREY, linewidth=0.8)
    look_of = looks([head.label for head in heads])
    for head in heads:
        bins = reliability(head.pooled)
        error = float(np.mean([ece(run) for run in head.runs]))
        look = look_of[head.label]
        shown = [one for one in bins if one.images >= FEWEST]
        upper.plot(
            [one.confidence for one in shown],
            [one.accuracy for one in shown],
            label=f"{head.label}, ECE {error:.3f}",
            **look._asdict(),
        )
        lower.plot(
            [one.confidence for one in bins],
            [one.images / len(head.pooled.ranks) for one in bins],
            label=head.label,
            **look._asdict(),
        )
    upper.set_xlim(0, 1)
    upper.set_ylim(0, 1)
    upper.set_ylabel("share right")
    upper.legend(loc="upper left", fontsize=7)
    lower.set_ylabel("share of images")
    lower.set_ylim(bottom=0)
    lower.set_xlabel("probability of the likeliest rank")
    figure.align_ylabels()
    return [upper, lower]
