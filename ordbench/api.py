"""What `import ordbench` offers to Python: the command line's verbs as functions."""

from __future__ import annotations

from pathlib import Path

from ordbench.plan import resolved
from ordbench.record import Record
from ordbench.spec import RunSpec
from ordbench.store import Store
from ordbench.sweep import cells, run_cell
from ordbench.workspace import Settings, Workspace


def run(
    spec: RunSpec, *, results: str | Path = "results", settings: Settings | None = None
) -> Record:
    """Train and test one head, or return its record if that was done before.

    Args:
        spec: What to run.
        results: Folder of the records.
        settings: Where datasets and caches lie; the defaults of the command line if None.

    Raises:
        OrdbenchError: If something is missing or unusable; the message says what to do.
    """
    (cell,) = cells([resolved(spec)])
    (outcome,) = run_cell(cell, Workspace(settings), Store(Path(results)))
    return outcome.record
