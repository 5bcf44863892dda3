"""`ordbench run` from what was typed to the last record: survey, dry run, engine, stop."""

from __future__ import annotations

import signal
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ordbench.engine import Pool, run_cells
from ordbench.errors import SpecError, TrainingError
from ordbench.plan import Grid
from ordbench.prepared import prepare
from ordbench.progress import Report, dry, encoding_bar
from ordbench.protocol import read_manifest
from ordbench.runner import build_head
from ordbench.store import Store
from ordbench.sweep import Policy, cells, longest_first, survey
from ordbench.workspace import Settings, Workspace


@dataclass(frozen=True, kw_only=True)
class Engine:
    """Who trains, as typed.

    Attributes:
        name: ``local`` or ``ray``.
        jobs: Worker processes; None for this process alone, or for all CPUs of a Ray of its own.
        address: Of a Ray cluster; see `ordbench.engine_ray.ray_pool`.
        gpus_per_cell: Part of a GPU that a cell takes on a Ray cluster.
    """

    name: Literal["local", "ray"] = "local"
    jobs: int | None = None
    address: str | None = None
    gpus_per_cell: float | None = None

    def pool(self, workspace: Workspace) -> AbstractContextManager[Pool]:
        """Its workers, which begin with the context and end with it.

        Raises:
            SpecError: If an option is not one of this engine's, or Ray is not installed.
        """
        if self.name == "ray":
            from ordbench.engine_ray import ray_pool

            return ray_pool(
                workspace,
                address=self.address,
                jobs=self.jobs,
                gpus_per_cell=self.gpus_per_cell,
            )
        from ordbench.engine_local import local_pool

        for flag, value in (("address", self.address), ("gpus-per-cell", self.gpus_per_cell)):
            if value is not None:
                raise SpecError(f"--{flag} {value}: only Ray has that; add --engine ray")
        return local_pool(workspace, self.jobs or 1)


LOCAL = Engine()


def launch(
    values: Mapping[str, Sequence[str]],
    settings: Settings,
    results: Path,
    policy: Policy,
    *,
    engine: Engine = LOCAL,
    limit: int | None = None,
    dry_run: bool = False,
    as_json: bool = False,
) -> None:
    """Run a grid and report each record as it comes.

    Args:
        values: The grid, as `ordbench.plan.typed` gives it.
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
    values, settings = _with_manifest(values, settings)
    planned = cells(Grid.of(values).specs())
    with encoding_bar() as progress:
        workspace, store = Workspace(settings, progress), Store(results)
        pool = engine.pool(workspace)
        found = survey(planned, workspace, store, policy)
    if policy.overwrite == "never" and found.done:
        raise SpecError(
            f"{len(found.done)} of {found.total} runs stand in {results} and --overwrite is never; "
            "take --overwrite only-missing, or another --results"
        )
    todo = found.first(limit)
    if dry_run:
        dry(found, todo)
        return
    heads = {(cell.specs[0].head, str(cell.specs[0].head_options)): cell.specs[0] for cell in todo}
    for spec in heads.values():  # options that cannot be are refused, not recorded as failures
        build_head(prepare(spec, workspace), workspace)
    report = Report(total=len(found.done) + sum(len(cell.specs) for cell in todo), as_json=as_json)
    with report, _stop_on_interrupt(report.warn) as stopped:
        report.add(found.done)
        if todo:
            with pool as workers:
                queue = longest_first(todo) if workers.size > 1 else todo
                outcomes_of = run_cells(queue, workspace, store, policy, workers, stopped=stopped)
                for outcomes in outcomes_of:
                    report.add(outcomes)
    if report.failed:
        raise TrainingError(report.failures(results))
    if stopped():
        raise KeyboardInterrupt


def _with_manifest(
    values: Mapping[str, Sequence[str]], settings: Settings
) -> tuple[Mapping[str, Sequence[str]], Settings]:
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
    return {**said, **values, "split": [manifest.hash]}, settings.with_manifest(path)


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
