"""Names beside the ends of lines, in place of a legend."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from ordbench.plots.style import figure_of
from ordbench.utils.spacing import apart

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_POINTS = 72  # an inch
_LINE = 1.2  # height of a line of text, in font sizes


class End(NamedTuple):
    """Where a line ends, and what it is called; in the units of the axes."""

    label: str
    x: float
    y: float
    color: str


def label_ends(axes: Axes, ends: Sequence[End], size: float = 7) -> None:
    """Write each name to the right of the axes, as near to the end of its line as there is room.

    Args:
        axes: With their final limits.
        ends: Of the lines.
        size: Of the type, in points.
    """
    if not ends:
        return
    figure = figure_of(axes)
    figure.draw_without_rendering()  # lays the axes out
    height = axes.get_window_extent().height / figure.dpi * _POINTS
    to_axes = axes.transData + axes.transAxes.inverted()
    wanted = [float(to_axes.transform((end.x, end.y))[1]) for end in ends]
    for end, place in zip(ends, apart(wanted, _LINE * size / height, 0, 1), strict=True):
        axes.annotate(
            end.label,
            xy=(end.x, end.y),
            xytext=(1.04, place),
            textcoords="axes fraction",
            va="center",
            size=size,
            color=end.color,
            arrowprops={
                "arrowstyle": "-",
                "color": end.color,
                "linewidth": 0.5,
                "alpha": 0.6,
                "relpos": (0, 0.5),
                "shrinkA": 1,
                "shrinkB": 3,
            },
        )
