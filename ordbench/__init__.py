"""ordbench: ordinal-regression heads, compared fairly on one backbone interface."""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ordbench.api import run as run
    from ordbench.spec import RunSpec as RunSpec
    from ordbench.store import load_records as load_records

_HOME = {
    "RunSpec": "ordbench.spec",
    "load_records": "ordbench.store",
    "run": "ordbench.api",
}
__all__ = ["RunSpec", "load_records", "run"]


def __getattr__(name: str) -> object:
    """Import a public name when it is first asked for: `import ordbench` does not load torch."""
    if name not in _HOME:
        raise AttributeError(f"module 'ordbench' has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)
