"""The cosines of a head's prototypes: near ranks should be alike, and far ones not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ordbench.plots.style import MAP, Width, figure_of, new_figure, styled

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from ordbench.report.prototypes import Prototypes


@styled
def plot_prototypes(found: Prototypes, *, width: Width = "column") -> Axes:
    """Draw the cosine of each pair of prototypes, with the share of steps that keep the order.

    Args:
        found: As `ordbench.report.prototypes.prototypes_of` reads them.
        width: Of the figure.

    Source: Li et al. (2022). OrdinalCLIP, figure 3. https://arxiv.org/abs/2206.02338
    """
    axes = new_figure(width, 2.9).subplots()
    values = found.rank_values
    image = axes.imshow(found.cosines, cmap=MAP, origin="lower", interpolation="nearest")
    every = range(0, len(values), max(1, -(-len(values) // 8)))
    axes.set_xticks(every, [f"{values[rank]:g}" for rank in every])
    axes.set_yticks(every, [f"{values[rank]:g}" for rank in every])
    axes.spines[:].set_visible(False)
    axes.set_title(f"{found.label}, ordinality {found.ordinality:.3f}")
    said = "rank" if found.unit == "ranks" else f"rank ({found.unit})"
    axes.set_xlabel(said)
    axes.set_ylabel(said)
    bar = figure_of(axes).colorbar(image, ax=axes, shrink=0.85, label="cosine")
    bar.ax.spines[:].set_visible(False)
    return axes
