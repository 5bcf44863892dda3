"""What `import ordbench` offers to Python: the command line's verbs as functions."""

from __future__ import annotations

from pathlib import Path

from ordbench.plan import resolved
from ordbench.record import Record
from ordbench.spec import RunSpec
from ordbench.store import Store
from ordbench.sweep import sweep
from ordbench.workspace import Workspace


def run(
    spec: RunSpec, *, results: str | Path = "results", workspace: Workspace | None = None
) -> Record:
    """Train and test one head, or return its record if that was done before.

    Args:
        spec: What to run.
        results: Folder of the records.
        workspace: Where datasets and caches lie; the defaults of the command line if None.

    Raises:
        OrdbenchError: If something is missing or unusable; the message says what to do.
    """
    (outcome,) = sweep([resolved(spec)], workspace or Workspace(), Store(Path(results)))
    return outcome.record
