"""Figures of several panels: how they are laid out, and what tells them apart."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ordbench.errors import SpecError
from ordbench.leaderboard.table import Table
from ordbench.plots.style import GREY, Width, new_figure
from ordbench.report.head_runs import HeadRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes

HEIGHT = 2.4  # inches a panel
_NOTE = 6.5  # points
_WRAP = 52  # characters of a note beside an axis label fill a column


def grid_of(panels: int, width: Width | None = None, height: float = HEIGHT) -> list[Axes]:
    """Axes side by side, two in a row; one panel alone is as wide as a column."""
    across = min(2, panels)
    rows = -(-panels // across)
    figure = new_figure(width or ("column" if panels == 1 else "page"), height * rows)
    grid = figure.subplots(rows, across, squeeze=False)
    found: list[Axes] = grid.ravel().tolist()
    for unused in found[panels:]:
        unused.remove()
    return found[:panels]


def panel_titles(tables: Sequence[Table]) -> list[str]:
    """What tells leaderboards apart; of one alone, and of several on datasets, the dataset too."""
    names = dict.fromkeys(name for table in tables for name in table.facts)
    told = [
        name
        for name in names
        if name == "dataset" or len({table.facts.get(name, "") for table in tables}) > 1
    ]
    return [
        ", ".join(
            table.facts[name] if name in {"dataset", "backbone"} else f"{name} {table.facts[name]}"
            for name in told
            if name in table.facts
        )
        for table in tables
    ]


def note_below_title(axes: Axes, text: str) -> None:
    """Write what a reader must know between the title, which moves up, and the axes."""
    lines = textwrap.wrap(text, _WRAP)
    axes.set_title(axes.get_title("left"), loc="left", pad=4 + 1.25 * _NOTE * len(lines))
    axes.annotate(
        "\n".join(lines),
        xy=(0, 1),
        xytext=(0, 3),
        xycoords="axes fraction",
        textcoords="offset points",
        va="bottom",
        size=_NOTE,
        color=GREY,
    )


def only_table(tables: Sequence[Table]) -> Table:
    """The one leaderboard that a figure can show.

    Raises:
        SpecError: If there are several, with what tells them apart.
    """
    if len(tables) > 1:
        raise SpecError(
            f"one figure shows one leaderboard, and there are {len(tables)}: "
            f"{'; '.join(panel_titles(tables))}; choose one, for example by --shots or --dataset"
        )
    return tables[0]


def check_few(labels: Sequence[str], at_most: int = 8) -> None:
    """Refuse more heads than a figure can show.

    Raises:
        SpecError: If there are more.
    """
    if len(labels) > at_most:
        raise SpecError(
            f"the figure shows {at_most} heads at most, and there are {len(labels)}: "
            f"{', '.join(labels)}; choose some by --head"
        )


def with_posterior(heads: Sequence[HeadRuns]) -> list[HeadRuns]:
    """Those heads that say how likely each rank is.

    Raises:
        SpecError: If there are none.
    """
    found = [head for head in heads if all(run.posterior is not None for run in head.runs)]
    if not found:
        raise SpecError(
            f"no posterior: {', '.join(head.label for head in heads)} estimate a point only; "
            "choose other heads by --head"
        )
    return found
