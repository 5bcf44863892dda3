"""What a leaderboard is asked for: which score, by which decoding, of which runs."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import NamedTuple

from ordbench.errors import SpecError
from ordbench.leaderboard.grouping import Columns
from ordbench.metrics.registry import Metric
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import DECODES, find_metric
from ordbench.results.rescoring import score_names
from ordbench.results.rows import CellRuns, RunRow
from ordbench.utils.text import did_you_mean, split


class TableQuery(NamedTuple):
    """A score to be tabled; see `ordbench.leaderboard.build.build`."""

    metric: Metric
    decode: str
    columns: Columns
    pool_folds: bool
    interval: bool = False

    def answer(self, cell: CellRuns) -> tuple[str, Sequence[float]]:
        """Decoding and scores; a head without a posterior answers with its point estimates.

        Both are empty where there is no such score.
        """
        for name in score_names(self.metric, self.decode):
            if name in cell.metrics:
                return name.removeprefix(f"{self.metric.name}_"), cell.metrics[name]
        return "", ()

    def columns_needed(self) -> list[str]:
        """Names of the scores and baselines to load; see `ordbench.results.loading.load_cells`."""
        return [*score_names(self.metric, self.decode), self.metric.name]


def ask(
    metric: str = "mae",
    decode: str = "median",
    columns: Columns = "shots",
    *,
    pool_folds: bool = False,
    interval: bool = False,
) -> TableQuery:
    """Check what a user asked for.

    Args:
        metric: A name in `ordbench.plugins.registry.METRICS`, or ``cs@K``.
        decode: A name in `ordbench.plugins.registry.DECODES`.
        columns: ``shots``; or ``dataset`` or ``backbone``: then each number of shots has a table of
            its own.
        pool_folds: Whether a cell holds the runs of all folds; if not, each fold has a table.
        interval: Whether cells show a t interval in place of the standard deviation.

    Raises:
        SpecError: If an interval is asked for over folds.
        UnknownPluginError: If there is no such metric or decoding; near names are suggested.
        BrokenPluginError: If a package offers it, but it cannot be used.
    """
    if interval and pool_folds:
        raise SpecError(
            "--interval and --pool-folds exclude each other: folds share training images, so the "
            "spread over them gives no interval; leave out one"
        )
    found = find_metric(metric)
    DECODES[decode]
    return TableQuery(found, decode, columns, pool_folds, interval)


def select(
    cells: Iterable[CellRuns],
    *,
    head: Iterable[str] | None = None,
    dataset: Iterable[str] | None = None,
    backbone: Iterable[str] | None = None,
    shots: Iterable[str] | None = None,
    fold: Iterable[str] | None = None,
    protocol: Iterable[str] | None = None,
) -> list[CellRuns]:
    """Keep the runs of the given heads, datasets and so on, as typed on a command line.

    Args:
        cells: Runs.
        head: Names ("coral") or whole labels ("ordinalclip:base_ranks=5"); as for the others,
            several can be joined by commas, a hyphen before one leaves it out ("-zeroshot"), and
            None keeps all.
        dataset: Names ("csv"), or with the argument after the colon ("csv:ages.csv").
        backbone: ``FAMILY:ARGUMENT``, without a path.
        shots: Images a rank, or ``all``.
        fold: Numbers.
        protocol: Names ("kfold"), or with options ("kfold:folds=10").

    Raises:
        SpecError: If a value is that of no run; near ones are suggested.
    """
    cells = list(cells)
    typed = (head, dataset, backbone, shots, fold, protocol)
    names = [_names(cell.first) for cell in cells]
    choices = [
        _Choice.of(what, one, set[str]().union(*(of[what] for of in names)))
        for what, one in zip(_SELECTED, typed, strict=True)
    ]
    return [cell for cell, of in zip(cells, names, strict=True) if _fits(of, choices)]


def select_skipped(
    skipped: Iterable[RunRow],
    *,
    head: Iterable[str] | None = None,
    dataset: Iterable[str] | None = None,
    backbone: Iterable[str] | None = None,
    shots: Iterable[str] | None = None,
    fold: Iterable[str] | None = None,
    protocol: Iterable[str] | None = None,
) -> list[RunRow]:
    """Keep the skipped cells that `select` would keep if they were runs; no value is refused."""
    typed = (head, dataset, backbone, shots, fold, protocol)
    choices = [_Choice.of(what, one) for what, one in zip(_SELECTED, typed, strict=True)]
    return [skip for skip in skipped if _fits(_names(skip), choices)]


_SELECTED = ("head", "dataset", "backbone", "shots", "fold", "protocol")


def _names(run: RunRow) -> dict[str, set[str]]:
    """What a user may call a run by."""
    return {
        "head": {run.head, run.label},
        "dataset": {run.dataset, run.dataset_name},
        "backbone": {run.backbone},
        "shots": {str(run.shots or "all")},
        "fold": {str(run.fold)},
        "protocol": {run.protocol, PluginRef.parse(run.protocol).name},
    }


class _Choice(NamedTuple):
    """What was typed of one kind of name: those that are wanted, or all, and those that are not."""

    what: str
    wanted: set[str]
    unwanted: set[str]

    @classmethod
    def of(
        cls, what: str, typed: Iterable[str] | None, known: Collection[str] | None = None
    ) -> _Choice:
        """Read what was typed; a name that is not among the known ones is refused."""
        given = {item for text in typed or () for item in split(text, ",") if item}
        unwanted = {item.removeprefix("-") for item in given if item.startswith("-")}
        wanted = {item for item in given if not item.startswith("-")}
        if known is not None:
            for value in sorted(wanted | unwanted):
                _check(what, value, known, where=" among the records")
        return cls(what, wanted, unwanted)


def _fits(names: Mapping[str, set[str]], choices: Iterable[_Choice]) -> bool:
    return all(
        (not wanted or bool(wanted & names[what])) and not unwanted & names[what]
        for what, wanted, unwanted in choices
    )


def _check(what: str, name: str, known: Iterable[str], where: str = "") -> None:
    names = sorted(known)
    if name not in names:
        raise SpecError(f"no {what} {name!r}{where}; {did_you_mean(name, names)}")
