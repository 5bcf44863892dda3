"""Records from a folder or a file: as rows, as cells, as a data frame."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.plugins.registry import find_metric
from ordbench.results.index import INDEX, Index
from ordbench.results.layout import LEFT_OUT, archive_path, no_records, record_path, stamps
from ordbench.results.rescoring import rescore
from ordbench.results.rows import CellRuns, RunRow, flatten, group_by_cell, to_frame

if TYPE_CHECKING:
    import pandas as pd

    from ordbench.runs.record import Record

logger = logging.getLogger(__name__)


def load_cells(path: Path, scores: Collection[str] | None = None) -> list[CellRuns]:
    """The records of an archive, of a folder with one in it, or of a store, by cell.

    What is not a record in a store is logged by name and left out.

    Args:
        path: Where they are.
        scores: Names of scores ("mae_median") and baselines ("mae") that are needed; None for all.

    Raises:
        StoreError: If there is not one record, or the records cannot be read.
    """
    if archive := archive_path(path):
        from ordbench.results.archive import read_archive  # pydantic, as below

        cells = group_by_cell(flatten(record) for record in read_archive(archive))
    else:
        cells = _load_store(path, scores)
    if not cells:
        raise no_records(path)
    return cells


def load_rows(path: Path) -> list[RunRow]:
    """The same records as rows, by run id.

    Raises:
        StoreError: As `load_cells`.
    """
    rows = [row for cell in load_cells(path) for row in cell.rows()]
    return sorted(rows, key=attrgetter("run_id"))


def load_skipped(path: Path) -> list[RunRow]:
    """The cells of a store that could not be started, as rows with the status ``skipped``."""
    if not (path / "skipped").is_dir():
        return []
    from ordbench.results.rows import flatten_skipped
    from ordbench.results.store import Store

    return [flatten_skipped(cell) for cell in Store(path).skipped()]


def _load_store(root: Path, scores: Collection[str] | None) -> list[CellRuns]:
    found = stamps(root)
    if not found:
        return []
    index = Index(root / INDEX)
    indexed = index.read(found, scores)
    stale = found.keys() - indexed.run_ids()
    fresh = dict(_read(root, stale)) if stale else {}
    if fresh or indexed.gone:
        index.write(found, fresh, indexed.gone)
    faults = {run_id: entry for run_id, entry in fresh.items() if isinstance(entry, str)}
    for run_id, reason in sorted((indexed.faults | faults).items()):
        logger.warning(LEFT_OUT, record_path(root, run_id), reason)
    rows = (entry for _, entry in sorted(fresh.items()) if not isinstance(entry, str))
    return [*indexed.cells, *group_by_cell(rows)]


def _read(root: Path, run_ids: Iterable[str]) -> Iterator[tuple[str, RunRow | str]]:
    """Open record files: rows, or why there is none. One that cannot be opened is tried again."""
    from ordbench.results.store import read_all  # pydantic, which a table from an index needs not
    from ordbench.runs.record import UnreadableError

    for path, record in read_all(root, run_ids):
        if isinstance(record, UnreadableError):
            logger.warning("%s is left out: %s", path, record)
        elif isinstance(record, ValueError):
            yield path.stem, str(record)
        else:
            yield path.stem, flatten(record)


def read_records(path: Path) -> Iterator[Record]:
    """The records of an archive, of a folder with one in it, or of a store.

    Raises:
        StoreError: If there is not one record, or the records cannot be read.
    """
    from ordbench.results.archive import read_archive
    from ordbench.results.store import Store

    compact = archive_path(path)
    records = read_archive(compact) if compact else Store(path).records()
    found = False
    for record in records:
        found = True
        yield record
    if not found:
        raise no_records(path)


def load_records(
    path: Path | str = "results", *, metrics: Sequence[str] = (), decode: str = "median"
) -> pd.DataFrame:
    """The same records as rows for pandas; see `ordbench.results.rows.to_frame`.

    Args:
        path: Where they are.
        metrics: Names of metrics to compute from stored predictions where records lack them.
        decode: How posteriors become the estimates of these metrics.

    Raises:
        StoreError: As `read_records`.
        UnknownPluginError: If there is no such metric or decoding.
    """
    cells = load_cells(Path(path))
    for name in metrics:
        cells = rescore(Path(path), cells, find_metric(name), decode)
    rows = [row for cell in cells for row in cell.rows()]
    return to_frame(sorted(rows, key=attrgetter("run_id")))
