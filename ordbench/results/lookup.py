"""One run out of a folder of records: by the first digits of its id, the newest or the best."""

from __future__ import annotations

import math
import re
import shlex
from pathlib import Path

from ordbench.errors import OrdbenchError, SpecError, StoreError
from ordbench.plugins.reference import PluginRef
from ordbench.results.layout import archive_path, no_records, stamps
from ordbench.results.loading import load_rows, read_records
from ordbench.results.store import Store
from ordbench.runs.record import Record
from ordbench.runs.titles import cell_title, dataset_label, seed_title
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


def best_run(results: Path, dataset: str = "") -> Record:
    """The ranked run with the lowest validation MAE; of equal ones, that of the lowest run id.

    Test images have no say. Runs of a protocol that selects on them are not ranked.

    Args:
        results: As in `find_run`.
        dataset: As typed, or its name; needed where there are runs of several.

    Raises:
        StoreError: If there is no such run, or the records cannot be read.
        SpecError: If there are runs of several datasets.
    """
    done = [
        (_dataset(record), record.training.val_mae, record)
        for record in read_records(results)
        if record.status == "done" and record.ranked and record.training
    ]
    labels = sorted({label for label, _, _ in done})
    if dataset:
        done = [one for one in done if dataset in (one[0], one[2].spec.dataset)]
    found = sorted({label for label, _, _ in done})
    if not found:
        what = f"run on {dataset}" if dataset else "run that is done and ranked"
        raise StoreError(f"no {what} in {results}; there are: {', '.join(labels) or 'none'}")
    if len(found) > 1:
        raise SpecError(
            f"errors on several datasets do not compare; choose one, --dataset "
            f"{shlex.quote(found[0])}; there are: {', '.join(found)}"
        )
    finite = [one for one in done if math.isfinite(one[1])]
    if not finite:
        raise StoreError(f"no run on {found[0]} in {results} has a validation error")
    return min(finite, key=lambda one: (one[1], one[2].run_id))[2]


def run_title(record: Record) -> str:
    """A run in words: head, dataset, backbone, shots and seed."""
    try:
        return f"{cell_title(record.spec, record.label)}, {seed_title(record.spec)}"
    except OrdbenchError:  # the dataset is not installed here
        return f"{record.label} on {_dataset(record)}, {seed_title(record.spec)}"


def _dataset(record: Record) -> str:
    """The dataset as it would be typed, even if it is not installed here."""
    try:
        return dataset_label(record.spec)
    except OrdbenchError:
        return str(PluginRef(record.spec.dataset, record.spec.dataset_argument))


def _ambiguous(prefix: str, found: list[Record]) -> str:
    shown = "; ".join(f"{one.run_id} ({run_title(one)})" for one in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"{counted(len(found), 'run')} begin with {prefix}: {shown}{more}; give more digits"
