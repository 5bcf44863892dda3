"""`ordbench reproduce`: run a published table, and print both results side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ordbench.cli.run import DataRoot, Results, execution, output, what, where
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
        str | None, what(help="Test folds: 0 or 0-4.", show_default="the plan's")
    ] = None,
    device: Annotated[str, where(help="auto, cpu, cuda or cuda:N.")] = "auto",
    data_root: DataRoot = None,
    cache: Annotated[
        Path | None,
        where(help="Folder of cached features.", show_default="ORDBENCH_CACHE, else the user's"),
    ] = None,
    results: Results = Path("results"),
    download: Annotated[
        bool, where("--download", help="Download a missing dataset, where that is allowed.")
    ] = False,
    allow_leak: Annotated[
        bool, where("--allow-leak", help="Accept given parts that share people or pictures.")
    ] = False,
    engine: Annotated[str, execution(help="As for ordbench run.")] = "local",
    jobs: Annotated[
        int | None,
        execution("--jobs", "-j", min=1, help="Worker processes.", show_default="1; ray: all CPUs"),
    ] = None,
    limit: Annotated[int | None, execution(min=1, help="Train at most N runs.")] = None,
    retry_failed: Annotated[bool, execution("--retry-failed", help="Re-run failed runs.")] = False,
    dry_run: Annotated[
        bool, execution("--dry-run", help="Print what would run, and run nothing.")
    ] = False,
    quiet: Annotated[bool, output("--quiet", "-q", help="Print no line for each run.")] = False,
    as_json: Annotated[
        bool, output("--json", help="Print one JSON object a run, then the table.")
    ] = False,
) -> None:
    """Run a table of a paper, and print its numbers beside ours, with what differs."""
    from ordbench.cli.compared import Comparison, print_plans

    if list_ or name is None:
        if name is not None:
            raise SpecError(f"--list and {name} exclude each other; choose one")
        print_plans(data_root, as_json=as_json)
        return
    comparison = Comparison(name)
    with loading(quiet=quiet):
        # Imported here so that --list does not load torch, which takes seconds.
        from ordbench.engines.registry import check_engine
        from ordbench.runs.resources import Locations
        from ordbench.sweeps.scheduler import Policy
        from ordbench.sweeps.spec import SweepSpec

    given = {"dataset": dataset, "backbone": backbone, "seeds": seeds, "fold": fold}
    spec = SweepSpec.from_options(**comparison.plan.options(**given))
    if len({(dataset_label(run), run.backbone) for run in spec.expand()}) > 1:
        raise SpecError("a plan has one dataset and one backbone; run it once for each")
    settings = Locations(
        data_root=data_root, cache=cache, device=device, download=download, allow_leak=allow_leak
    )
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
            callbacks=[comparison],
        )
    finally:
        comparison.print_found(as_json=as_json)
