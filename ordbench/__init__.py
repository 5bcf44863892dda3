"""ordbench: ordinal-regression heads, compared fairly on one backbone interface."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ordbench.results.loading import load_records as load_records
    from ordbench.runs.spec import RunSpec as RunSpec
    from ordbench.sweep.api import run as run

_HOME = {
    "RunSpec": "ordbench.runs.spec",
    "load_records": "ordbench.results.store",
    "run": "ordbench.sweep.api",
}
__all__ = ["RunSpec", "load_records", "run"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `import ordbench` does not load torch."""
    if name not in _HOME:
        raise AttributeError(f"module 'ordbench' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
