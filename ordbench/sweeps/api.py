"""What `import ordbench` offers to Python: the command line's verbs as functions."""

from __future__ import annotations

from pathlib import Path

from ordbench.engines.base import run_cells
from ordbench.engines.local import local_pool
from ordbench.errors import TrainingError
from ordbench.results.layout import trace_path
from ordbench.results.store import Store
from ordbench.runs.record import Record
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.spec import RunSpec
from ordbench.splits.split import Split
from ordbench.sweeps.cells import cells
from ordbench.sweeps.spec import resolved
from ordbench.sweeps.survey import Policy


def run(
    spec: RunSpec, *, results: str | Path = "results", settings: Locations | None = None
) -> Record:
    """Train and test one head, or return its record if that was done before.

    A failure is kept as a record too, and is tried again at the next call.

    Args:
        spec: What to run.
        results: Folder of the records.
        settings: Where datasets and caches lie; the defaults of the command line if None. A
            manifest among them says what ``spec`` leaves out: split, shots, fold and data seed.

    Raises:
        OrdbenchError: If something is missing or unusable; the message says what to do.
        TrainingError: If the run failed.
    """
    resources = Resources(settings)
    if resources.manifest:
        spec = _with_manifest(spec, resources.manifest)
    (cell,) = cells([resolved(spec)])
    store = Store(Path(results))
    with local_pool(resources, 1) as pool:
        ((outcome,),) = run_cells([cell], resources, store, Policy(retry_failed=True), pool)
    record = outcome.record
    if record.error:
        where = trace_path(store.root, record.run_id)
        raise TrainingError(f"{cell.title}: {record.error} (where: {where})")
    return record


def _with_manifest(spec: RunSpec, manifest: Split) -> RunSpec:
    """What the manifest says in place of what was left out of the run."""
    said = {"split": manifest.hash}
    said |= {name: getattr(manifest, name) for name in ("shots", "fold", "data_seed")}
    return spec.model_copy(
        update={name: said[name] for name in said.keys() - spec.model_fields_set}
    )
