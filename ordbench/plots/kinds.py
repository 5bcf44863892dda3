"""The figures that `ordbench plot` draws, by name, each from a folder of records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.loading import load_tables
from ordbench.leaderboard.table import Table
from ordbench.plots.critical_difference import plot_critical_difference
from ordbench.plots.panels import only_table
from ordbench.plots.shots_curve import plot_curves
from ordbench.plots.style import Width, figure_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Kind = Literal["curve", "critical-difference"]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What to draw.

    Attributes:
        results: Folder of the records.
        metric: As in `ordbench.leaderboard.query.ask`; so for ``decode``.
        head: As in `ordbench.leaderboard.query.select`; so for ``dataset``, ``backbone``, ``shots``
            and ``fold``.
        emphasise: Labels of heads to draw in colour.
        width: Of the figure; None for what it needs.
    """

    results: Path
    metric: str = "mae"
    decode: str = "median"
    head: Sequence[str] | None = None
    dataset: Sequence[str] | None = None
    backbone: Sequence[str] | None = None
    shots: Sequence[str] | None = None
    fold: Sequence[str] | None = None
    emphasise: Sequence[str] = ()
    width: Width | None = None

    def tables(self, columns: Columns = "shots", *, interval: bool = False) -> list[Table]:
        """The leaderboards that were asked for."""
        return load_tables(
            self.results,
            metric=self.metric,
            decode=self.decode,
            columns=columns,
            head=self.head,
            dataset=self.dataset,
            backbone=self.backbone,
            shots=self.shots,
            fold=self.fold,
            interval=interval,
        )


class Drawing(NamedTuple):
    """A figure, and what its caption in a paper must say."""

    figure: Figure
    captions: Sequence[str]


def draw(kind: Kind, asked: Asked) -> Drawing:
    """Read the records that were asked for and draw them.

    Raises:
        OrdbenchError: If they cannot be read, or are not what the figure needs.
    """
    return _KINDS[kind](asked)


def _curve(asked: Asked) -> Drawing:
    tables = asked.tables(interval=True)
    panels = plot_curves(tables, emphasise=asked.emphasise, width=asked.width)
    return Drawing(figure_of(panels[0]), [table.caption for table in tables])


def _critical_difference(asked: Asked) -> Drawing:
    table = only_table(asked.tables("dataset"))
    axes = plot_critical_difference(table, width=asked.width or "column")
    return Drawing(figure_of(axes), [table.caption])


_KINDS: dict[Kind, Callable[[Asked], Drawing]] = {
    "curve": _curve,
    "critical-difference": _critical_difference,
}
