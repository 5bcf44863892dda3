"""The predictions of several heads on the same test images, for figures of their errors."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from ordbench.errors import SpecError, StoreError
from ordbench.leaderboard.grouping import (
    Facts,
    column_facts,
    natural,
    newest,
    row_facts,
    table_facts,
    titles,
    under_last_names,
    worth_saying,
)
from ordbench.metrics.evaluation import Evaluation
from ordbench.results.evaluations import read_decoded
from ordbench.results.rows import CellRuns
from ordbench.results.store import Store

_OPTIONS = {"dataset", "backbone", "shots", "fold", "protocol"}


@dataclass(frozen=True, kw_only=True)
class HeadRuns:
    """What the runs of one head, which differ in their seeds, say of the same N images.

    Attributes:
        label: What tables call the head.
        decode: How posteriors became estimates; ``point`` for a head that has none.
        runs: An evaluation each.
        unit: What estimates are measured in.
        facts: What all heads share, by name: dataset, backbone, shots ...
    """

    label: str
    decode: str
    runs: Sequence[Evaluation]
    unit: str
    facts: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def pooled(self) -> Evaluation:
        """All runs as one, in which each image stands once a run."""
        first = self.runs[0]
        known = [run.posterior for run in self.runs if run.posterior is not None]
        return Evaluation(
            ranks=np.concatenate([run.ranks for run in self.runs]),
            rank_values=first.rank_values,
            estimates=np.concatenate([run.estimates for run in self.runs]),
            posterior=np.concatenate(known) if known else None,
        )


def head_runs(results: Path, cells: Iterable[CellRuns], decode: str = "median") -> list[HeadRuns]:
    """Read the stored predictions of heads that were tested in one setting.

    Args:
        results: The store of the runs.
        cells: Those that were asked for; failed and superseded runs are left out.
        decode: How posteriors become estimates.

    Raises:
        SpecError: If the runs are of several settings, such as two datasets or numbers of shots.
        StoreError: If there are no runs, or predictions are missing or of other images.
    """
    current = _current(results, cells)
    facts = _shared_facts(current)
    of_head: defaultdict[Facts, list[CellRuns]] = defaultdict(list)
    for cell in current:
        of_head[row_facts(cell.first)].append(cell)
    rows = sorted(of_head, key=natural)
    return [
        _read(results, label, of_head[row], decode, facts)
        for row, label in zip(rows, titles(rows), strict=True)
    ]


def one_run(results: Path, cells: Iterable[CellRuns]) -> str:
    """The id of the run with the lowest seeds, where the runs are of one head in one setting.

    Raises:
        SpecError: If they are of several.
        StoreError: If there are none.
    """
    current = _current(results, cells)
    _shared_facts(current)
    heads = titles(sorted({row_facts(cell.first) for cell in current}, key=natural))
    if len(heads) > 1:
        raise SpecError(
            f"the figure is of one run, and there are runs of {', '.join(heads)}; choose one by "
            "--head, or a run by --run"
        )
    runs = [pair for cell in current for pair in zip(cell.seeds, cell.run_ids, strict=True)]
    return min(runs)[1]


def _current(results: Path, cells: Iterable[CellRuns]) -> list[CellRuns]:
    current, _ = newest(cell for cell in under_last_names(cells) if cell.first.status == "done")
    if not current:
        raise StoreError(f"no run in {results} is done; `ordbench status` shows the others")
    return current


def _shared_facts(cells: Sequence[CellRuns]) -> dict[str, str]:
    """What the runs share: heads are compared where nothing else differs."""
    settings = [
        (
            *table_facts(cell.first, "shots", pool_folds=False),
            *column_facts(cell.first, "shots", pool_folds=False),
        )
        for cell in cells
    ]
    for name in dict(settings[0]):
        found = sorted({dict(facts).get(name, "") for facts in settings})
        if len(found) > 1:
            raise SpecError(
                f"the runs differ in {name}: {', '.join(found)}; choose one, for example by "
                f"--{name if name in _OPTIONS else 'dataset'}"
            )
    return worth_saying(settings)[0]


def _read(
    results: Path, label: str, cells: Sequence[CellRuns], decode: str, facts: Mapping[str, str]
) -> HeadRuns:
    store = Store(results)
    run_ids = sorted(run_id for cell in cells for run_id in cell.run_ids)
    read = [read_decoded(results, store.read(run_id), decode) for run_id in run_ids]
    first = read[0].evaluation
    for run_id, (_, other) in zip(run_ids, read, strict=True):
        if sorted(other.samples) != sorted(first.samples):
            raise StoreError(f"runs {run_ids[0]} and {run_id} were not tested on the same images")
    return HeadRuns(
        label=label,
        decode=read[0].decode,
        runs=[evaluation for _, evaluation in read],
        unit=cells[0].first.unit,
        facts=facts,
    )
