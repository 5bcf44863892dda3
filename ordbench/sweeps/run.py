"""`ordbench run` from what was typed to the last record: survey, dry run, engine, stop."""

from __future__ import annotations

import logging
import signal
from collections import defaultdict
from collections.abc import Callable, Container, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from ordbench.cli.progress import Report, dry, encoding_bar
from ordbench.engines.base import Pool, run_cells
from ordbench.errors import SpecError, StoreError, TrainingError
from ordbench.results.layout import COMPACT
from ordbench.results.store import Store
from ordbench.runs.preparation import prepare
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.runner import build_head
from ordbench.runs.titles import dataset_label, head_label
from ordbench.splits.manifest import read_manifest
from ordbench.sweeps.cells import Cell, cells, longest_first
from ordbench.sweeps.spec import SweepSpec
from ordbench.sweeps.survey import Policy, survey
from ordbench.training.search import Search

logger = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Who trains, as typed.

    Attributes:
        name: ``local`` or ``ray``.
        jobs: Worker processes; None for this process alone, or for all CPUs of a Ray of its own.
        address: Of a Ray cluster; see `ordbench.engines.ray.ray_pool`.
        gpus_per_cell: Part of a GPU that a cell takes on a Ray cluster.
    """

    name: Literal["local", "ray"] = "local"
    jobs: int | None = None
    address: str | None = None
    gpus_per_cell: float | None = None

    def pool(self, resources: Resources) -> AbstractContextManager[Pool]:
        """Its workers, which begin with the context and end with it.

        Raises:
            SpecError: If an option is not one of this engine's, or Ray is not installed.
        """
        if self.name == "ray":
            from ordbench.engines.ray import ray_pool

            return ray_pool(
                resources,
                address=self.address,
                jobs=self.jobs,
                gpus_per_cell=self.gpus_per_cell,
            )
        from ordbench.engines.local import local_pool

        for flag, value in (("address", self.address), ("gpus-per-cell", self.gpus_per_cell)):
            if value is not None:
                raise SpecError(f"--{flag} {value}: only Ray has that; add --engine ray")
        return local_pool(resources, self.jobs or 1)


def launch(
    values: Mapping[str, Sequence[str]],
    settings: Locations,
    results: Path,
    policy: Policy,
    *,
    engine: Engine,
    limit: int | None,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Run a grid and report each record as it comes.

    Args:
        values: The grid, as `ordbench.sweeps.spec.typed` gives it.
        settings: Where datasets and caches lie.
        results: Folder of the records.
        policy: What to do about records that are there, and about failures.
        engine: Who trains.
        limit: Most runs to train.
        dry_run: Say what would be run, and run nothing.
        as_json: One JSON object a run on standard output, and nothing else.

    Raises:
        OrdbenchError: If something is missing or unusable.
        TrainingError: If runs failed; their records and traces are kept.
    """
    if (results / COMPACT).is_file():
        raise StoreError(
            f"{results} holds published records, and new ones beside them would not be seen; take "
            "another --results"
        )
    values, settings = _with_manifest(values, settings)
    grid = SweepSpec.of(values)
    planned = cells(grid.specs())
    with encoding_bar() as progress:
        resources, store = Resources(settings, progress), Store(results)
        pool = engine.pool(resources)
        planned = _possible(planned, grid.named_heads(), resources)
        found = survey(planned, resources, store, policy)
    if policy.overwrite == "never" and found.done:
        raise SpecError(
            f"{len(found.done)} of {found.total} runs stand in {results} and --overwrite is never; "
            "take --overwrite only-missing, or another --results"
        )
    todo = found.first(limit)
    if dry_run:
        dry(found, todo, as_json=as_json)
        return
    total = len(found.done) + sum(len(cell.specs) for cell in todo)
    report = Report(total=total, as_json=as_json, left=found.total - total)
    with report, _stop_on_interrupt(report.warn) as stopped:
        report.add(found.done)
        if todo:
            with pool as workers:
                queue = longest_first(todo) if workers.size > 1 else todo
                for outcomes in run_cells(
                    queue, resources, store, policy, workers, stopped=stopped, begun=report.begin
                ):
                    report.add(outcomes)
    if report.failed:
        again = "--overwrite always" if policy.overwrite == "always" else "--retry-failed"
        raise TrainingError(report.failures(results, again=again))
    if stopped():
        raise KeyboardInterrupt


def _possible(planned: Sequence[Cell], named: Container[str], resources: Resources) -> list[Cell]:
    """The cells whose heads can be built: what cannot be is refused, not recorded as a failure.

    A head that was not named, but came with ``all`` or a glob, is left out with a line instead.

    Raises:
        OrdbenchError: If a head that was named cannot be built, or none can.
    """
    alike: defaultdict[tuple[str, ...], list[Cell]] = defaultdict(list)
    for cell in planned:
        spec = cell.specs[0]
        alike[head_label(spec), dataset_label(spec), spec.backbone].append(cell)
    refused: list[SpecError] = []
    possible: set[str] = set()
    for group in alike.values():
        spec = group[0].specs[0]
        if spec.head not in named:
            resources.split(spec, resources.listing(spec))  # too many shots are no head's fault
        try:
            Search(spec)
            build_head(prepare(spec, resources), resources)
        except SpecError as problem:
            if spec.head in named:
                raise
            refused.append(problem)
        else:
            possible.update(cell.key for cell in group)
    if not possible and refused:
        raise refused[0]
    for reason in dict.fromkeys(map(str, refused)):
        logger.warning("left out: %s", reason)
    return [cell for cell in planned if cell.key in possible]


def _with_manifest(
    values: Mapping[str, Sequence[str]], settings: Locations
) -> tuple[Mapping[str, Sequence[str]], Locations]:
    """What ``--split FILE`` says in place of what was not typed."""
    split = values.get("split")
    if not split:
        return values, settings
    path = Path(split[0])
    manifest = read_manifest(path)
    said = {
        "shots": ["all" if manifest.shots is None else str(manifest.shots)],
        "fold": [str(manifest.fold)],
        "data_seed": [str(manifest.data_seed)],
    }
    return {**said, **values, "split": [manifest.hash]}, replace(settings, manifest=path)


@contextmanager
def _stop_on_interrupt(say: Callable[[str], None]) -> Generator[Callable[[], bool]]:
    """The first Ctrl-C asks to stop after the cells that run, the second one stops at once."""
    asked = False

    def ask(number: int, frame: object) -> None:
        nonlocal asked
        if asked:
            raise KeyboardInterrupt
        asked = True
        say("stopping after the cells that run now; Ctrl-C again stops at once")

    before = signal.signal(signal.SIGINT, ask)
    try:
        yield lambda: asked
    finally:
        signal.signal(signal.SIGINT, before)
