"""One run out of a folder of records: by the first digits of its id, or the newest."""

from __future__ import annotations

import re
from pathlib import Path

from ordbench.errors import StoreError
from ordbench.results.layout import archive_path, no_records, stamps
from ordbench.results.loading import load_rows, read_records
from ordbench.results.store import Store
from ordbench.runs.record import Record
from ordbench.runs.titles import cell_title, seed_title
from ordbench.utils.canonical_json import RUN_ID_LENGTH
from ordbench.utils.text import counted, printable

_SHOWN = 3  # runs that an error names
_PREFIX = re.compile(f"[0-9a-f]{{1,{RUN_ID_LENGTH}}}")


def find_run(results: Path, name: str) -> Record:
    """The record of the one run whose id begins so; failed runs are found, too.

    Args:
        results: A store, an archive, or a folder with an archive in it.
        name: The run id, or as many of its first digits as no other run has.

    Raises:
        StoreError: If it is no beginning of an id, no run has it, or several have; the message
            names some of them. If the record is damaged or cannot be read.
    """
    prefix = name.strip().lower()
    if not _PREFIX.fullmatch(prefix):
        raise StoreError(
            f"{printable(name)!r} is not a run id; wanted up to {RUN_ID_LENGTH} of the digits 0-9 "
            "and a-f"
        )
    if archive_path(results):
        found = [record for record in read_records(results) if record.run_id.startswith(prefix)]
    else:
        all_ids = stamps(results)
        if not all_ids:
            raise no_records(results)
        matching = sorted(run_id for run_id in all_ids if run_id.startswith(prefix))
        if len(matching) == 1:
            return Store(results).read(matching[0])
        found = [record for one in matching if (record := Store(results).find(one))]
    if not found:
        raise StoreError(f"no run {prefix} in {results}; `ordbench ls runs` lists those there")
    if len(found) > 1:
        raise StoreError(_ambiguous(prefix, found))
    return found[0]


def newest_run(results: Path) -> Record:
    """The record that was made last; of several in one second, that of the greatest run id.

    Args:
        results: As in `find_run`.

    Raises:
        StoreError: If there is not one record, or it cannot be read.
    """
    if archive_path(results):
        return max(read_records(results), key=lambda record: (record.created, record.run_id))
    last = max(load_rows(results), key=lambda row: (row.created, row.run_id))
    return Store(results).read(last.run_id)


def run_title(record: Record) -> str:
    """A run in words: head, dataset, backbone, shots and seed."""
    return f"{cell_title(record.spec, record.label)}, {seed_title(record.spec)}"


def _ambiguous(prefix: str, found: list[Record]) -> str:
    shown = "; ".join(f"{one.run_id} ({run_title(one)})" for one in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{counted(len(found), 'run')} begin with {prefix}: {shown}{more}; give more digits"
