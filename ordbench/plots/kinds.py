"""The figures that `ordbench plot` draws, by name, each from a folder of records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from ordbench.errors import SpecError
from ordbench.latency.reading import one_setting, read_latencies
from ordbench.leaderboard.grouping import Columns
from ordbench.leaderboard.loading import load_tables
from ordbench.leaderboard.query import select
from ordbench.leaderboard.table import Table
from ordbench.plots.confusion import plot_confusion
from ordbench.plots.critical_difference import plot_critical_difference
from ordbench.plots.images import plot_images
from ordbench.plots.latency import plot_latency
from ordbench.plots.panels import only_table
from ordbench.plots.prototypes import plot_prototypes
from ordbench.plots.rank_error import plot_rank_error
from ordbench.plots.reliability import plot_reliability
from ordbench.plots.risk_coverage import plot_risk_coverage
from ordbench.plots.sample_efficiency import REFERENCE, plot_sample_efficiency
from ordbench.plots.shots_curve import plot_curves, published_curves
from ordbench.plots.style import Width, figure_of
from ordbench.report.head_runs import HeadRuns, head_runs, one_run
from ordbench.results.loading import load_cells
from ordbench.results.lookup import find_run, run_title
from ordbench.results.rows import CellRuns

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ordbench.runs.record import Record

Kind = Literal[
    "curve",
    "sample-efficiency",
    "critical-difference",
    "latency",
    "rank-error",
    "confusion",
    "reliability",
    "risk-coverage",
    "prototypes",
    "images",
]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What to draw.

    Attributes:
        results: Folder of the records.
        metric: As in `ordbench.leaderboard.query.ask`; so for ``decode``.
        head: As in `ordbench.leaderboard.query.select`; so for ``dataset``, ``backbone``,
            ``shots``, ``fold`` and ``protocol``.
        width: Of the figure; None for what it needs.
        emphasise: Labels of heads to draw in colour.
        reference: Label of the head whose score is to be reached.
        latencies: What `ordbench latency --json` printed.
        setting: Words of the setting in that file.
        run: Beginning of the id of the run to show; empty for the one that was selected.
        number: How many of the worst and best images.
        data_root: Folder of the datasets.
        cache: Folder of the caches.
    """

    results: Path
    metric: str = "mae"
    decode: str = "median"
    head: Sequence[str] | None = None
    dataset: Sequence[str] | None = None
    backbone: Sequence[str] | None = None
    shots: Sequence[str] | None = None
    fold: Sequence[str] | None = None
    protocol: Sequence[str] | None = None
    width: Width | None = None
    emphasise: Sequence[str] = ()
    reference: str = REFERENCE
    latencies: Path | None = None
    setting: str = ""
    run: str = ""
    number: int = 8
    data_root: Path | None = None
    cache: Path | None = None

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
            protocol=self.protocol,
            interval=interval,
        )

    def heads(self) -> list[HeadRuns]:
        """The predictions of the heads that were asked for."""
        return head_runs(self.results, self._cells(), self.decode)

    def record(self) -> Record:
        """The one run that was asked for: by its id, or else selected.

        Raises:
            SpecError: If both, or if several were selected.
        """
        chosen = (
            *(self.head, self.dataset, self.backbone),
            *(self.shots, self.fold, self.protocol),
        )
        if self.run and any(chosen):
            raise SpecError("--run names one run; leave out --head, --dataset and the like")
        return find_run(self.results, self.run or one_run(self.results, self._cells()))

    def _cells(self) -> list[CellRuns]:
        return select(
            load_cells(self.results, ()),
            head=self.head,
            dataset=self.dataset,
            backbone=self.backbone,
            shots=self.shots,
            fold=self.fold,
            protocol=self.protocol,
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
    axes, captions = _KINDS[kind](asked)
    return Drawing(figure_of(axes), captions)


_Drawn = tuple["Axes", Sequence[str]]


def _curve(asked: Asked) -> _Drawn:
    tables = asked.tables(interval=True)
    panels = plot_curves(tables, emphasise=asked.emphasise, width=asked.width)
    said = "; dashed: as published, under other conditions"
    return panels[0], [
        table.caption + (said if published_curves(table) else "") for table in tables
    ]


def _sample_efficiency(asked: Asked) -> _Drawn:
    tables = asked.tables()
    panels = plot_sample_efficiency(tables, reference=asked.reference, width=asked.width)
    return panels[0], [f"between shots interpolated; {table.caption}" for table in tables]


def _critical_difference(asked: Asked) -> _Drawn:
    table = only_table(asked.tables("dataset"))
    axes = plot_critical_difference(table, width=asked.width)
    return axes, [f"bars join heads that Nemenyi's test leaves level; {table.caption}"]


def _latency(asked: Asked) -> _Drawn:
    if asked.latencies is None:
        raise SpecError(
            "latencies are needed: ordbench latency --json > FILE, and --latencies FILE"
        )
    timed = one_setting(read_latencies(asked.latencies), asked.setting)
    table = only_table(asked.tables())
    axes = plot_latency(table, timed, width=asked.width or "column")
    return axes, [f"median time of a call, {timed.setting}; {table.caption}"]


def _rank_error(asked: Asked) -> _Drawn:
    heads = asked.heads()
    panels = plot_rank_error(heads, width=asked.width or "column")
    return panels[0], [_caption("MAE and bias (mean of estimate less truth) by true rank", heads)]


def _confusion(asked: Asked) -> _Drawn:
    heads = asked.heads()
    panels = plot_confusion(heads, width=asked.width)
    return panels[0], [_caption("estimates of the images of each true rank, in %", heads)]


def _reliability(asked: Asked) -> _Drawn:
    heads = asked.heads()
    panels = plot_reliability(heads, width=asked.width or "column")
    return panels[0], [_caption("15 bins; those of fewer than 10 images are not joined", heads)]


def _risk_coverage(asked: Asked) -> _Drawn:
    heads = asked.heads()
    axes = plot_risk_coverage(heads, width=asked.width or "column")
    return axes, [_caption("images are ordered by the error that the posterior expects", heads)]


def _prototypes(asked: Asked) -> _Drawn:
    from ordbench.report.prototypes import prototypes_of  # PyTorch

    record = asked.record()
    found = prototypes_of(asked.results, record)
    axes = plot_prototypes(found, width=asked.width or "column")
    return axes, [f"cosines of prototypes; {run_title(record)}; run {record.run_id}"]


def _images(asked: Asked) -> _Drawn:
    from ordbench.report.shown_images import shown_images  # PyTorch
    from ordbench.runs.resources import Locations

    record = asked.record()
    settings = Locations(data_root=asked.data_root, cache=asked.cache, device="cpu")
    found = shown_images(
        asked.results, record, decode=asked.decode, at_most=asked.number, settings=settings
    )
    panels = plot_images(found, width=asked.width or "page")
    return panels[0], [f"truth and estimate; {run_title(record)}; run {record.run_id}"]


def _caption(said: str, heads: Sequence[HeadRuns]) -> str:
    decodes = sorted({head.decode for head in heads} - {"point"})
    runs = sorted({len(head.runs) for head in heads})
    return "; ".join(
        [
            said,
            f"decoded by {', '.join(decodes)}" if decodes else "point estimates",
            f"{' or '.join(map(str, runs))} runs a head",
            *(f"{name} {value}" for name, value in heads[0].facts.items()),
        ]
    )


_KINDS: dict[Kind, Callable[[Asked], _Drawn]] = {
    "curve": _curve,
    "sample-efficiency": _sample_efficiency,
    "critical-difference": _critical_difference,
    "latency": _latency,
    "rank-error": _rank_error,
    "confusion": _confusion,
    "reliability": _reliability,
    "risk-coverage": _risk_coverage,
    "prototypes": _prototypes,
    "images": _images,
}
