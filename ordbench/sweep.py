"""Many runs: what is done is skipped, seeds of a cell train together, a failure is a record too."""

from __future__ import annotations

import hashlib
import traceback
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple, cast

from filelock import FileLock

from ordbench.atomic import cannot_write
from ordbench.errors import OrdbenchError, StoreError
from ordbench.plan import head_label
from ordbench.provenance import machine, versions
from ordbench.record import Record
from ordbench.runner import Prepared, prepare, train_and_test
from ordbench.spec import RunSpec
from ordbench.store import Store
from ordbench.workspace import Workspace

Overwrite = Literal["only-missing", "always", "never"]


class Outcome(NamedTuple):
    """A record, and whether it stood in the store before."""

    record: Record
    skipped: bool


class Cell(NamedTuple):
    """Runs that are equal but for their seeds: they are trained together."""

    key: str
    specs: tuple[RunSpec, ...]

    @property
    def title(self) -> str:
        """What a progress bar calls it."""
        spec = self.specs[0]
        shots = "all images" if spec.shots is None else f"{spec.shots} shots"
        return f"{head_label(spec)} on {spec.dataset}, {shots}"


def cells(specs: Sequence[RunSpec]) -> list[Cell]:
    """Group runs into cells, in the order of their first runs."""
    groups: defaultdict[str, list[RunSpec]] = defaultdict(list)
    for spec in specs:
        seedless = spec.model_copy(update={"data_seed": 0, "train_seed": 0})
        groups[seedless.model_dump_json()].append(spec)
    return [Cell(key, tuple(group)) for key, group in groups.items()]


class Policy(NamedTuple):
    """What is done about records that are there already.

    Attributes:
        overwrite: ``only-missing`` runs what has no record, ``always`` runs all, ``never`` refuses
            to begin where one is there.
        retry_failed: Whether failures count as missing.
        fail_fast: Whether the first failure ends the sweep.
    """

    overwrite: Overwrite = "only-missing"
    retry_failed: bool = False
    fail_fast: bool = False

    def wants(self, record: Record | None) -> bool:
        """Whether a run is to be done, given the record it has."""
        if record is None or self.overwrite == "always":
            return True
        return self.retry_failed and record.status == "failed"


DEFAULT = Policy()


class Survey(NamedTuple):
    """What is there of a sweep, and what is missing."""

    done: list[Outcome]
    missing: list[Cell]

    @property
    def total(self) -> int:
        """Number of runs."""
        return len(self.done) + sum(len(cell.specs) for cell in self.missing)

    def first(self, limit: int | None) -> list[Cell]:
        """The missing cells, cut after ``limit`` runs."""
        left = self.total if limit is None else limit
        kept: list[Cell] = []
        for cell in self.missing:
            if left > 0:
                kept.append(Cell(cell.key, cell.specs[:left]))
                left -= len(cell.specs)
        return kept


def survey(
    planned: Sequence[Cell], workspace: Workspace, store: Store, policy: Policy = DEFAULT
) -> Survey:
    """Look up which runs of a sweep have their records.

    Raises:
        OrdbenchError: If something that a run needs is missing or unusable.
    """
    found = Survey([], [])
    for cell in planned:
        missing: list[RunSpec] = []
        for spec in cell.specs:
            record = store.find(prepare(spec, workspace).identity.run_id)
            if record is None or policy.wants(record):
                missing.append(spec)
            else:
                found.done.append(Outcome(record, skipped=True))
        if missing:
            found.missing.append(Cell(cell.key, tuple(missing)))
    return found


def run_cell(
    cell: Cell, workspace: Workspace, store: Store, policy: Policy = DEFAULT, *, wait: bool = True
) -> list[Outcome]:
    """Do what is missing of a cell, and write each record.

    Args:
        cell: What to run.
        workspace: Where its datasets and features are.
        store: Where its records go.
        policy: What to do about records that are there.
        wait: Whether to wait for another process that is at this cell.

    Raises:
        Timeout: If another process is at it, and ``wait`` is False.
        OrdbenchError: If something is missing or unusable, or nothing can be written.
    """
    prepared = [prepare(spec, workspace) for spec in cell.specs]
    known = {one.identity.run_id: store.find(one.identity.run_id) for one in prepared}
    if any(policy.wants(record) for record in known.values()):
        with claim(store, cell, wait=wait):
            known = {one.identity.run_id: store.find(one.identity.run_id) for one in prepared}
            missing = [one for one in prepared if policy.wants(known[one.identity.run_id])]
            fresh = {
                record.run_id: record
                for group in _alike(missing)
                for record in _train_or_fail(group, workspace, store)
            }
    else:
        fresh = {}
    return [
        Outcome(fresh.get(run_id) or cast(Record, record), skipped=run_id not in fresh)
        for run_id, record in known.items()
    ]


def fail_cell(
    cell: Cell, workspace: Workspace, store: Store, policy: Policy, error: OrdbenchError
) -> list[Outcome]:
    """Write a failure for each run of a cell that is missing."""
    outcomes: list[Outcome] = []
    for prepared in (prepare(spec, workspace) for spec in cell.specs):
        record = store.find(prepared.identity.run_id)
        missing = policy.wants(record)
        if missing or record is None:
            record = store.write(failure(prepared, error, workspace))
        outcomes.append(Outcome(record, skipped=not missing))
    return outcomes


def claim(store: Store, cell: Cell, *, wait: bool) -> FileLock:
    """A lock that only one process can hold for a cell; it dies with the process.

    Raises:
        StoreError: If the store cannot be written.
    """
    folder = store.root / "locks"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise cannot_write(folder, error) from None
    name = hashlib.sha256(cell.key.encode()).hexdigest()[:20]
    return FileLock(folder / f"{name}.lock", blocking=wait)


def _alike(prepared: Sequence[Prepared]) -> list[list[Prepared]]:
    """Groups that can be stacked: equally many training and validation images."""
    groups: defaultdict[tuple[int, int], list[Prepared]] = defaultdict(list)
    for one in prepared:
        groups[len(one.split.train), len(one.split.val)].append(one)
    return list(groups.values())


def _train_or_fail(
    group: Sequence[Prepared], workspace: Workspace, store: Store
) -> Iterator[Record]:
    """Records of a group; if it breaks, each run is tried alone, and what breaks is a failure."""
    try:
        trained = train_and_test(group, workspace)
    except (StoreError, MemoryError):
        raise
    except Exception as error:
        if len(group) > 1:
            for one in group:
                yield from _train_or_fail([one], workspace, store)
            return
        yield store.write(failure(group[0], error, workspace), trace=traceback.format_exc())
        return
    for record, predictions in trained:
        yield store.write(record, predictions)


def failure(prepared: Prepared, error: Exception, workspace: Workspace) -> Record:
    """The record of a run that broke."""
    said = " ".join(str(error).split())
    return Record(
        run_id=prepared.identity.run_id,
        status="failed",
        label=head_label(prepared.spec),
        spec=prepared.spec,
        ranked=prepared.spec.protocol == "standard",
        hashes=prepared.identity.hashes,
        versions={**versions(), **prepared.identity.owner},
        machine=machine(workspace.device),
        error=said if isinstance(error, OrdbenchError) else f"{type(error).__name__}: {said}",
    )
