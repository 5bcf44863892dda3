"""`ordbench reproduce`: run a published table, and print both results side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordbench.cli.run import (
    AllowLeak,
    Cache,
    DataRoot,
    Device,
    Download,
    DryRun,
    Jobs,
    Limit,
    Results,
    RetryFailed,
    execution,
    output,
    what,
)
from ordbench.cli.sweeping import loading, print_dry_run, run_sweep
from ordbench.errors import SpecError
from ordbench.runs.titles import dataset_label

if TYPE_CHECKING:
    from ordbench.cli.progress import Output


def reproduce(
    name: Annotated[
        str | None, typer.Argument(help="Plan, as ordbench reproduce --list prints it.")
    ] = None,
    list_: Annotated[
        bool, typer.Option("--list", help="List the plans, their datasets and licences.")
    ] = False,
    dataset: Annotated[
        str | None,
        what("--dataset", "-d", help="Dataset with its options.", show_default="the plan's"),
    ] = None,
    backbone: Annotated[
        str | None,
        what("--backbone", "-b", help="Backbone, @PATH for weights.", show_default="the plan's"),
    ] = None,
    seeds: Annotated[str | None, what(help="Seeds: 0,1 or 0-4.", show_default="the plan's")] = None,
    fold: Annotated[
        str | None, what(help="Test folds: 0, 0-4 or all.", show_default="the plan's")
    ] = None,
    device: Device = "auto",
    data_root: DataRoot = None,
    cache: Cache = None,
    results: Results = Path("results"),
    download: Download = False,
    allow_leak: AllowLeak = False,
    engine: Annotated[str, execution(help="As for ordbench run.")] = "local",
    jobs: Jobs = None,
    limit: Limit = None,
    retry_failed: RetryFailed = False,
    dry_run: DryRun = False,
    quiet: Annotated[bool, output("--quiet", "-q", help="Print no line for each run.")] = False,
    as_json: Annotated[
        bool, output("--json", help="Print one JSON object a run, then the table.")
    ] = False,
) -> None:
    """Run a table of a paper, and print its numbers beside ours, with what differs."""
    from ordbench.cli.reproduction_grids import Reproduction, print_plans

    if list_ or name is None:
        if name is not None:
            raise SpecError(f"--list and {name} exclude each other; choose one")
        print_plans(data_root, as_json=as_json)
        return
    reproduction = Reproduction(name)
    with loading(quiet=quiet):
        # Imported here so that --list does not load torch, which takes seconds.
        from ordbench.engines.registry import check_engine
        from ordbench.runs.resources import Locations
        from ordbench.sweeps.folds import all_runs
        from ordbench.sweeps.scheduler import Policy
        from ordbench.sweeps.spec import SweepSpec

    given = {"dataset": dataset, "backbone": backbone, "seeds": seeds, "fold": fold}
    spec = SweepSpec.from_options(**reproduction.plan.options(**given))
    settings = Locations(
        data_root=data_root, cache=cache, device=device, download=download, allow_leak=allow_leak
    )
    if len({(dataset_label(run), run.backbone) for run in all_runs(spec, settings)}) > 1:
        raise SpecError("a plan has one dataset and one backbone; run it once for each")
    policy = Policy(retry_failed=retry_failed, limit=limit)
    if dry_run:
        check_engine(engine)
        print_dry_run(spec, results, settings, policy, as_json=as_json)
        return
    said: Output = "json" if as_json else "quiet" if quiet else "lines"
    try:
        run_sweep(
            spec,
            results=results,
            settings=settings,
            engine=engine,
            jobs=jobs,
            policy=policy,
            output=said,
            callbacks=[reproduction],
        )
    finally:
        reproduction.print_found(as_json=as_json)
