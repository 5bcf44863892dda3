"""`ordbench.sweep` and `ordbench.run`: from what to run to results, one at a time."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from ordbench.engines.registry import open_engine
from ordbench.errors import SpecError, StoreError, TrainingError
from ordbench.results.layout import ARCHIVE, trace_path
from ordbench.results.store import Store
from ordbench.runs.record import Record
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import RunResult
from ordbench.runs.spec import RunSpec, of_given, resolved
from ordbench.sweeps.callback import Callback
from ordbench.sweeps.cells import Cell, cells, longest_first
from ordbench.sweeps.folds import all_runs
from ordbench.sweeps.scheduler import Policy, Scheduler
from ordbench.sweeps.spec import SweepSpec
from ordbench.sweeps.status import StatusFile
from ordbench.sweeps.survey import PreparedCell, RefusedCell, prepare_cells


def sweep(
    spec: SweepSpec | Iterable[RunSpec],
    *,
    results: str | Path = "results",
    settings: Locations | None = None,
    engine: str = "local",
    jobs: int | None = None,
    policy: Policy | None = None,
    callbacks: Sequence[Callback] = (),
    stopped: Callable[[], bool] = lambda: False,
) -> Generator[RunResult]:
    """Train and test the runs of a sweep that have no records yet, and give each result.

    A run that fails is a result, too: its record has an error. A cell that cannot run (dataset
    absent, too few shots, a broken plug-in) is skipped and its reason stored for the table.

    Args:
        spec: What to run.
        results: Folder of the records.
        settings: Where datasets and caches lie; None for the defaults of the command line.
        engine: ``local`` or ``ray``, with options as for ``--engine``.
        jobs: Worker processes; None for the engine's default.
        policy: What to do about existing records, failures and cells that cannot run.
        callbacks: Told of cells and results as they come.
        stopped: Asked before each cell; once it is true, only running cells are finished.

    Raises:
        OrdbenchError: If no cell can run, or, if the policy is strict, if one cannot.
    """
    settings, policy = settings or Locations(), policy or Policy()
    if isinstance(spec, SweepSpec):
        settings = replace(
            settings,
            manifest=spec.split or settings.manifest,
            save_heads=spec.save_heads and settings.save_heads,
        )
        spec = all_runs(spec, settings)
    store = Store(_writable(Path(results)))
    planned = cells(spec)
    status = StatusFile(store.root, planned)
    callbacks = [status, *callbacks]

    def on_images(done: int, total: int) -> None:
        for callback in callbacks:
            callback.on_images(done, total)

    def on_cell(cell: Cell) -> None:
        for callback in callbacks:
            callback.on_cell(cell)

    resources = Resources(settings, on_images)
    with status, open_engine(engine, resources, jobs) as workers:
        found = prepare_cells(longest_first(planned) if workers.size > 1 else planned, resources)
        if policy.strict or policy.overwrite == "never":
            found = iter(_checked(list(found), store, policy))
        usable = _usable(found, store, callbacks)
        scheduler = Scheduler(store, workers, policy, stopped, on_cell, resources.device)
        for result in scheduler.run(usable):
            for callback in callbacks:
                callback.on_result(result)
            yield result


def run(
    spec: RunSpec, *, results: str | Path = "results", settings: Locations | None = None
) -> Record:
    """Train and test one head, or return its record if it exists.

    A failure is recorded, too, and is retried at the next call.

    Args:
        spec: What to run.
        results: Folder of the records.
        settings: Where datasets and caches lie; the defaults of the command line if None. A
            manifest among them sets what ``spec`` leaves out: split, shots, fold and data seed.

    Raises:
        OrdbenchError: If something is missing or unusable; the message says what to do.
        TrainingError: If the run failed.
    """
    manifest = Resources(settings).manifest
    if manifest:
        spec = spec.model_copy(update=of_given(manifest, given=spec.model_fields_set))
    policy = Policy(retry_failed=True, strict=True)
    (result,) = sweep([resolved(spec)], results=results, settings=settings, policy=policy)
    record = result.record
    if record.error:
        where = trace_path(Path(results), record.run_id)
        (cell,) = cells([spec])
        raise TrainingError(f"{cell.title}: {record.error} (traceback: {where})")
    return record


def _writable(results: Path) -> Path:
    if (results / ARCHIVE).is_file():
        raise StoreError(
            f"{results} holds published records ({ARCHIVE}), beside which new ones would not be "
            "read; use another --results"
        )
    return results


def _checked(
    found: list[PreparedCell | RefusedCell], store: Store, policy: Policy
) -> list[PreparedCell | RefusedCell]:
    """Refuse, before the first training, what the policy does not allow."""
    if policy.strict:
        for cell in found:
            if isinstance(cell, RefusedCell):
                raise cell.error
    runs = [run for cell in found if isinstance(cell, PreparedCell) for run in cell.runs]
    done = sum(store.find(run.identity.run_id) is not None for run in runs)
    if policy.overwrite == "never" and done:
        raise SpecError(
            f"{done} of {len(runs)} runs exist in {store.root} and --overwrite is never; "
            "use --overwrite only-missing, or another --results"
        )
    return found


def _usable(
    found: Iterable[PreparedCell | RefusedCell], store: Store, callbacks: Sequence[Callback]
) -> Generator[PreparedCell]:
    """The cells that can run; the others are reported, and stored once any cell can run.

    Raises:
        OrdbenchError: If no cell can run: the reason of the first.
    """
    refused: list[RefusedCell] = []
    usable = False
    for cell in found:
        if isinstance(cell, RefusedCell):
            refused.append(cell)
        else:
            usable = True
        while usable and refused:
            skipped = refused.pop(0)
            store.write_skip(skipped.cell.specs[0], str(skipped.error))
            for callback in callbacks:
                callback.on_skip(skipped)
        if isinstance(cell, PreparedCell):
            yield cell
    if refused:
        raise refused[0].error
