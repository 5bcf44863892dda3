"""What the commands that run a sweep share: the wait for PyTorch, the dry run, the run itself."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console

from ordbench.errors import TrainingError

if TYPE_CHECKING:
    from ordbench.cli.progress import Output
    from ordbench.runs.resources import Locations
    from ordbench.sweeps.callback import Callback
    from ordbench.sweeps.scheduler import Policy
    from ordbench.sweeps.spec import SweepSpec


@contextmanager
def loading(*, quiet: bool) -> Generator[None]:
    """Say on a terminal what is waited for."""
    console = Console(stderr=True)
    if quiet or not console.is_terminal:
        yield
        return
    with console.status("loading PyTorch"):
        yield


def print_dry_run(
    spec: SweepSpec, results: Path, settings: Locations, policy: Policy, *, as_json: bool
) -> None:
    """Print what a sweep would run."""
    from ordbench.cli.dry_run import print_objects, print_plan
    from ordbench.cli.run_names import RunNames
    from ordbench.sweeps.dry_run import find_missing
    from ordbench.sweeps.folds import all_runs

    specs = all_runs(spec, settings)
    found = find_missing(specs, results, settings, policy)
    if as_json:
        print_objects(found)
    else:
        print_plan(found, RunNames(specs))


def run_sweep(
    spec: SweepSpec,
    *,
    results: Path,
    settings: Locations,
    engine: str,
    jobs: int | None,
    policy: Policy,
    output: Output,
    callbacks: Sequence[Callback] = (),
) -> None:
    """Run a sweep to its end and print each result.

    Raises:
        TrainingError: If runs failed.
        KeyboardInterrupt: If Ctrl-C stopped it.
        OrdbenchError: If it cannot run.
    """
    from ordbench.cli.progress import Report, stop_on_interrupt
    from ordbench.sweeps.api import sweep
    from ordbench.sweeps.folds import all_runs

    report = Report(all_runs(spec, settings), output)
    with report, stop_on_interrupt(report.warn) as stopped:
        for _ in sweep(
            spec,
            results=results,
            settings=settings,
            engine=engine,
            jobs=jobs,
            policy=policy,
            callbacks=[report, *callbacks],
            stopped=stopped,
        ):
            pass
    if report.failed:
        again = "--overwrite always" if policy.overwrite == "always" else "--retry-failed"
        raise TrainingError(report.failures(results, again=again))
    if stopped():
        raise KeyboardInterrupt
