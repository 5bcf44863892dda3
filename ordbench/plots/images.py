"""The worst and the best images of a run, with truth and estimate."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ordbench.plots.style import INCHES, Width, new_figure, styled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from ordbench.report.shown_images import ShownImage, ShownImages

IN_A_ROW = 8


@styled
def plot_images(found: ShownImages, *, width: Width = "page") -> list[Axes]:
    """Draw the worst images above the best ones; below each stand its truth and its estimate.

    Args:
        found: As `ordbench.report.shown_images.shown_images` opens them.
        width: Of the figure.

    Returns:
        The axes of the images, the worst first.
    """
    across = min(IN_A_ROW, max(len(found.worst), len(found.best)))
    rows = [(name, row) for name, images in found.parts for row in _rows(images, across)]
    figure = new_figure(width, len(rows) * (INCHES[width] / across + 0.25) + 0.2)
    grid = figure.subplots(len(rows), across, squeeze=False)
    drawn: list[Axes] = []
    for (name, row), line in zip(rows, grid, strict=True):
        for axes in line:
            axes.set_axis_off()
        for shown, axes in zip(row, line, strict=False):
            axes.imshow(np.asarray(shown.image))
            axes.set_title(f"{shown.error.true:g} → {shown.error.estimate:.4g}", size=7, pad=2)
            drawn.append(axes)
        line[0].text(
            -0.1, 0.5, name, rotation=90, ha="right", va="center", transform=line[0].transAxes
        )
    figure.supxlabel(f"truth → estimate ({found.unit})", size=7)
    return drawn


def _rows(images: Sequence[ShownImage], across: int) -> list[Sequence[ShownImage]]:
    return [images[first : first + across] for first in range(0, len(images), across)]
