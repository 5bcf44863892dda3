"""Where the images of each rank are put, and how far from the truth."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ordbench.plots.panels import check_few
from ordbench.plots.style import MAP, Width, look, new_figure, styled
from ordbench.report.error_analysis import confusion, rank_groups, signed_distances
from ordbench.report.head_runs import HeadRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Floats = NDArray[np.float64]
GROUPS = 10  # of ranks: their names and shares must be legible
BARS = 21  # of distances at most


@styled
def plot_confusion(
    heads: Sequence[HeadRuns], *, groups: int = GROUPS, width: Width | None = None
) -> list[Axes]:
    """Draw the confusion matrix of each head above the shares of images by signed distance.

    A row of the matrix holds the shares of the images of one true rank, or group of ranks.

    Args:
        heads: Tested on the same images; runs of different seeds are pooled.
        groups: Groups of ranks at most.
        width: Of the figure; None for a column if there is one head, else a page.

    Returns:
        For each head the axes of the matrix, then for each those of the distances.

    Raises:
        SpecError: For more than four heads.
    """
    check_few([head.label for head in heads], at_most=4)
    figure = new_figure(width or ("column" if len(heads) == 1 else "page"), 4.0)
    grid = figure.subplots(2, len(heads), squeeze=False, height_ratios=[3, 1], sharey="row")
    values = heads[0].runs[0].rank_values
    cut = rank_groups(len(values), groups)
    names = [_span(values[one[0]], values[one[-1]]) for one in cut]
    for head, axes, below in zip(heads, *grid, strict=True):
        pooled = head.pooled
        counts = confusion(pooled, cut)
        _matrix(axes, counts / np.maximum(counts.sum(1, keepdims=True), 1), names)
        axes.set_title(head.label)
        _distances(below, signed_distances(pooled) / len(pooled.ranks))
    unit = "" if heads[0].unit == "ranks" else f" ({heads[0].unit})"
    grid[0, 0].set_ylabel(f"truth{unit}")
    grid[1, 0].set_ylabel("share of images")
    for axes in grid[0]:
        axes.set_xlabel(f"estimate{unit}")
    found: list[Axes] = grid.ravel().tolist()
    return found


def _matrix(axes: Axes, shares: Floats, names: Sequence[str]) -> None:
    size = len(names)
    axes.imshow(shares, cmap=MAP, vmin=0, vmax=1)
    axes.set_xticks(range(size), names, rotation=90 if size > 6 else 0)
    axes.set_yticks(range(size), names)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    for (row, column), share in np.ndenumerate(shares):
        if share >= 0.005:
            color = "white" if share > 0.5 else "black"
            text = f"{100 * share:.0f}"
            axes.text(column, row, text, ha="center", va="center", size=6, color=color)


def _distances(axes: Axes, shares: Floats) -> None:
    """Bars around zero, each of as many ranks as keeps their number small."""
    distances = np.arange(len(shares)) - len(shares) // 2
    reach = max(1, int(np.abs(distances[shares > 0]).max()))
    step = -(-(2 * reach + 1) // BARS) | 1  # odd: the middle bar has zero in its middle
    half = -(-(2 * reach + 1 - step) // (2 * step))  # bars on each side of it
    edges = (np.arange(-half, half + 2) - 0.5) * step
    heights, _ = np.histogram(distances, edges, weights=shares)
    axes.bar((edges[:-1] + edges[1:]) / 2, heights, 0.9 * step, color=look(0).color)
    axes.set_xlabel("estimated less true rank" + (f", in steps of {step}" if step > 1 else ""))


def _span(low: float, high: float) -> str:
    return f"{low:g}" if low == high else f"{low:g}-{high:g}"
