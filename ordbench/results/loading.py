"""Records from a folder or a file: as rows, as lists of equal runs, as a data frame."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.results.index import INDEX, Index
from ordbench.results.layout import LEFT_OUT, compact_path, no_records, record_path, stamps
from ordbench.results.rows import CellRuns, RunRow, alike, flatten, to_frame

if TYPE_CHECKING:
    import pandas as pd

    from ordbench.runs.record import Record

logger = logging.getLogger(__name__)


def load_cells(path: Path) -> list[CellRuns]:
    """The records of a compact file, of a folder with one in it, or of a store, as lots.

    What is not a record in a store is logged by name and left out.

    Raises:
        StoreError: If there is not one record, or the records cannot be read.
    """
    if compact := compact_path(path):
        from ordbench.results.archive import read_compact  # pydantic, as below

        lots = alike(flatten(record) for record in read_compact(compact))
    else:
        lots = _load_store(path)
    if not lots:
        raise no_records(path)
    return lots


def load_rows(path: Path) -> list[RunRow]:
    """The same records as rows, by run id.

    Raises:
        StoreError: As `load_cells`.
    """
    rows = [row for lot in load_cells(path) for row in lot.rows()]
    return sorted(rows, key=attrgetter("run_id"))


def _load_store(root: Path) -> list[CellRuns]:
    found = stamps(root)
    if not found:
        return []
    index = Index(root / INDEX)
    held = index.read(found)
    stale = found.keys() - held.run_ids()
    fresh = dict(_read(root, stale)) if stale else {}
    if fresh or held.gone:
        index.write(found, fresh, held.gone)
    faults = {run_id: entry for run_id, entry in fresh.items() if isinstance(entry, str)}
    for run_id, reason in sorted((held.faults | faults).items()):
        logger.warning(LEFT_OUT, record_path(root, run_id), reason)
    rows = (entry for _, entry in sorted(fresh.items()) if not isinstance(entry, str))
    return [*held.lots, *alike(rows)]


def _read(root: Path, run_ids: Iterable[str]) -> Iterator[tuple[str, RunRow | str]]:
    """Open record files: rows, or why there is none. One that cannot be opened is tried again."""
    from ordbench.runs.record import from_sealed  # pydantic, which a table from an index needs not

    for run_id in run_ids:
        path = record_path(root, run_id)
        try:
            yield run_id, flatten(from_sealed(path.read_bytes(), run_id))
        except FileNotFoundError:
            continue  # removed since the folder was listed
        except OSError as error:
            logger.warning("%s cannot be read and is left out: %s", path, error.strerror)
        except ValueError as error:
            yield run_id, str(error)


def read_records(path: Path) -> Iterator[Record]:
    """The records of a compact file, of a folder with one in it, or of a store.

    Raises:
        StoreError: If there is not one record, or the records cannot be read.
    """
    from ordbench.results.archive import read_compact
    from ordbench.results.store import Store

    compact = compact_path(path)
    records = read_compact(compact) if compact else Store(path).records()
    found = False
    for record in records:
        found = True
        yield record
    if not found:
        raise no_records(path)


def load_records(path: Path | str = "results") -> pd.DataFrame:
    """The same records as rows for pandas; see `ordbench.results.rows.to_frame`.

    Raises:
        StoreError: As `read_records`.
    """
    return to_frame(load_rows(Path(path)))
