"""Which cells of a sweep can run: each run is prepared once and handed on."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from ordbench.errors import BrokenPluginError, OrdbenchError
from ordbench.runs.preparation import PreparedRun, prepare
from ordbench.runs.resources import Resources
from ordbench.runs.runner import build_head, search_of
from ordbench.runs.titles import dataset_label, head_label
from ordbench.sweeps.cells import Cell


class PreparedCell(NamedTuple):
    """A cell whose runs have their datasets, splits, features and ids."""

    cell: Cell
    runs: list[PreparedRun]


class RefusedCell(NamedTuple):
    """A cell that cannot run, and why."""

    cell: Cell
    error: OrdbenchError


def prepare_cells(
    planned: Iterable[Cell], resources: Resources
) -> Iterator[PreparedCell | RefusedCell]:
    """Prepare cell after cell; a run that was planned twice is prepared for its first cell only.

    Args:
        planned: What to run.
        resources: Where datasets, features and text towers come from.
    """
    known: set[str] = set()
    built: set[tuple[str, ...]] = set()
    for cell in planned:
        spec = cell.specs[0]
        kind = (head_label(spec), dataset_label(spec), spec.backbone, spec.text, spec.layer)
        try:
            runs = [prepare(spec, resources) for spec in cell.specs]
            if kind not in built:
                _build(runs[0], resources)
                built.add(kind)
        except OrdbenchError as error:
            yield RefusedCell(cell, error)
            continue
        fresh = {run.identity.run_id: run for run in runs if run.identity.run_id not in known}
        known.update(fresh)
        if fresh:
            yield PreparedCell(cell, list(fresh.values()))


def _build(run: PreparedRun, resources: Resources) -> None:
    """Refuse a head that cannot be built here, so that it is no failure of a training."""
    search_of(run.spec)
    or_refuse(run.spec.head, lambda: build_head(run, resources))


def or_refuse(head: str, build: Callable[[], object]) -> None:
    """Build a head, and make one line of whatever it raises.

    Raises:
        OrdbenchError: If it cannot be built.
    """
    try:
        build()
    except OrdbenchError:
        raise
    except Exception as error:  # a plug-in may raise anything
        said = " ".join(str(error).split())
        raise BrokenPluginError(
            f"head {head!r} cannot be built: {type(error).__name__}: {said}"
        ) from error
