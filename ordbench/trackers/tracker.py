"""What a tracker is, and what it is told of a run."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.results.layout import record_path
from ordbench.results.rows import flatten, without_paths
from ordbench.runs.titles import run_title

if TYPE_CHECKING:
    from ordbench.runs.record import Record

Value = bool | int | float | str | None


@dataclass(frozen=True)
class TrackedRun:
    """One run as trackers show it.

    Attributes:
        run_id: Of the record.
        title: Head, dataset, backbone and seeds in words.
        params: The spec, nested fields joined by a dot ("recipe.epochs"); no path of this machine.
        metrics: Finite numbers: scores ("mae_median"), those of the training median of ranks
            ("baseline/mae"), MAE on validation, seconds, parameters.
        steps: Updates done, to which the metrics belong.
        files: What lies beside the record, and the record itself, by kind.
        error: Why the run failed; empty if it did not.
    """

    run_id: str
    title: str
    params: Mapping[str, Value]
    metrics: Mapping[str, float]
    steps: int
    files: Mapping[str, Path]
    error: str = ""


class Tracker(ABC):
    """Logs runs somewhere. It is called in the process that started the sweep.

    Args:
        where: What was typed after the colon: a folder, an address, a project; may be empty.

    Raises:
        SpecError: If its package is not installed.
    """

    @abstractmethod
    def __init__(self, where: str) -> None: ...

    @abstractmethod
    def log(self, run: TrackedRun) -> None:
        """Log a run once: one that is there already stays as it is. It may raise anything."""


def tracked(record: Record, results: Path) -> TrackedRun:
    """What trackers are told of a record in the folder ``results``."""
    row = flatten(record)
    path = record_path(results, record.run_id)
    kept = {"predictions": record.predictions, "head": record.kept_head}
    files = {"record": path} | {kind: path.parent / one.file for kind, one in kept.items() if one}
    metrics = {
        **row.metrics,
        **{f"baseline/{name}": value for name, value in row.baseline.items()},
        **{f"seconds/{name}": value for name, value in record.seconds.items()},
        **({"val_mae": row.val_mae} if row.val_mae is not None else {}),
        **({"parameters": row.parameters} if row.parameters is not None else {}),
    }
    return TrackedRun(
        run_id=record.run_id,
        title=run_title(record.spec, record.label),
        params=flat(without_paths(record.spec).model_dump(mode="json")),
        metrics={name: float(value) for name, value in metrics.items() if isfinite(value)},
        steps=record.training.steps if record.training else 0,
        files=files,
        error=record.error or "",
    )


def flat(values: Mapping[str, object], prefix: str = "") -> dict[str, Value]:
    """Nested mappings as one.

    >>> flat({"head": "coral", "recipe": {"epochs": 50}})
    {'head': 'coral', 'recipe.epochs': 50}
    """
    found: dict[str, Value] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            found |= flat({str(key): one for key, one in value.items()}, f"{prefix}{name}.")
        else:
            found[prefix + name] = value if isinstance(value, Value) else str(value)
    return found
