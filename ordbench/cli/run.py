"""`ordbench run`: parse, call, print."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Literal

import typer

from ordbench.backbone import Dtype, Layer
from ordbench.cli.sweeping import loading, print_dry_run, run_sweep
from ordbench.errors import SpecError

Texts = list[str] | None
what, training, where, execution, output = (
    partial(typer.Option, rich_help_panel=panel)
    for panel in ("What to run", "Training", "Where", "Execution", "Output")
)

Heads = Annotated[
    Texts,
    what(
        "--head",
        help="Heads, comma-separated: NAME[:KEY=VALUE]. 'all' and globs such as '*clip' work.",
    ),
]

Datasets = Annotated[
    Texts,
    what(
        "--dataset",
        "-d",
        help="Datasets, comma-separated: NAME[:ARGUMENT][:KEY=VALUE], 'all' and globs too.",
    ),
]

Backbones = Annotated[
    Texts,
    what(
        "--backbone",
        "-b",
        help="clip:MODEL/PRETRAINED or timm:NAME, @PATH for local weights.",
        show_default="clip:tiny; none for a dataset that brings features",
    ),
]

DataRoot = Annotated[
    Path | None,
    where(help="Folder of the datasets.", show_default="ORDBENCH_DATA, else the user's data"),
]

Results = Annotated[Path, where(help="Folder of the records.")]

Device = Annotated[str, where(help="auto, cpu, cuda or cuda:N.")]

Cache = Annotated[
    Path | None,
    where(help="Folder of cached features.", show_default="ORDBENCH_CACHE, else the user's"),
]

Download = Annotated[
    bool, where("--download", help="Download a missing dataset, where that is allowed.")
]

AllowLeak = Annotated[
    bool,
    where("--allow-leak", help="Accept official or given parts that share people or pictures."),
]

Jobs = Annotated[
    int | None,
    execution("--jobs", "-j", min=1, help="Worker processes.", show_default="1; ray: all CPUs"),
]

Limit = Annotated[int | None, execution(min=1, help="Train at most N runs.")]

RetryFailed = Annotated[bool, execution("--retry-failed", help="Re-run failed runs.")]

DryRun = Annotated[bool, execution("--dry-run", help="Print what would run, and run nothing.")]


def run(
    context: typer.Context,
    plan: Annotated[
        Path | None,
        typer.Argument(
            help="YAML sweep file; its keys are the option names from --head to --save-heads."
        ),
    ] = None,
    head: Heads = None,
    dataset: Datasets = None,
    backbone: Backbones = None,
    shots: Annotated[
        Texts, what(help="Training images per rank (1,2,4) or 'all'.", show_default="all")
    ] = None,
    seeds: Annotated[Texts, what(help="Seeds: 0,1 or 0-4.", show_default="0")] = None,
    fold: Annotated[Texts, what(help="Test folds: 0, 0-4 or all.", show_default="0")] = None,
    text: Annotated[
        str | None,
        what(
            help="Backbone whose text encoder the prompt heads use.",
            show_default="--backbone's own",
        ),
    ] = None,
    layer: Annotated[
        Layer | None,
        what(help="Use image features after ('post') or before ('pre') CLIP's projection."),
    ] = None,
    normalize: Annotated[
        bool | None, what("--normalize/--no-normalize", help="L2-normalise the features.")
    ] = None,
    dtype: Annotated[
        Literal["auto", Dtype] | None, what(help="Precision of the image encoder.")
    ] = None,
    protocol: Annotated[
        str | None,
        what(help="NAME[:KEY=VALUE], see ordbench ls protocols."),
    ] = None,
    test_dataset: Annotated[
        str | None,
        what(
            help="Dataset to test on instead: NAME[:ARGUMENT][:KEY=VALUE].",
            show_default="part of --dataset",
        ),
    ] = None,
    split: Annotated[
        Path | None,
        what(help="Split to use instead of drawing one: a manifest, or lists (file or folder)."),
    ] = None,
    recipe: Annotated[
        Texts, training(help="KEY=VALUE over the head's own recipe; repeatable.")
    ] = None,
    tune: Annotated[
        int | None, training(help="Hyper-parameter trials per run, selected on validation.")
    ] = None,
    sampler: Annotated[
        Literal["random", "grid", "optuna"] | None, training(help="Search method for --tune.")
    ] = None,
    data_seed: Annotated[
        int | None, training(help="Seed of the drawn training images.", show_default="--seeds")
    ] = None,
    train_seed: Annotated[
        int | None, training(help="Seed of training.", show_default="--seeds")
    ] = None,
    save_heads: Annotated[
        bool | None,
        training(
            "--save-heads/--no-save-heads",
            help="Keep each trained head beside its record, for ordbench predict.",
            show_default="--save-heads",
        ),
    ] = None,
    device: Device = "auto",
    data_root: DataRoot = None,
    cache: Cache = None,
    results: Results = Path("results"),
    download: Download = False,
    allow_leak: AllowLeak = False,
    engine: Annotated[
        str,
        execution(
            help="local, or ray[:address=auto][:gpus=0.5] (a cluster; gpus: per cell, 0 = CPU)."
        ),
    ] = "local",
    jobs: Jobs = None,
    limit: Limit = None,
    overwrite: Annotated[
        Literal["only-missing", "always", "never"],
        execution(
            help="only-missing: skip finished runs; always: re-run; never: stop if any exist."
        ),
    ] = "only-missing",
    retry_failed: RetryFailed = False,
    fail_fast: Annotated[bool, execution("--fail-fast", help="Stop at the first failure.")] = False,
    strict: Annotated[
        bool, execution("--strict", help="Stop if a cell cannot run, instead of skipping it.")
    ] = False,
    track: Annotated[
        list[str] | None,
        output(
            metavar="NAME[:WHERE]",
            help="Log each run to tensorboard[:FOLDER], mlflow[:URI], wandb[:PROJECT] or "
            "trackio[:PROJECT] too; repeatable.",
        ),
    ] = None,
    dry_run: DryRun = False,
    quiet: Annotated[
        bool, output("--quiet", "-q", help="Print problems and the final line only.")
    ] = False,
    verbose: Annotated[
        bool, output("--verbose", "-v", help="Print steps, validation MAE and time of each run.")
    ] = False,
    as_json: Annotated[bool, output("--json", help="Print one JSON object a run.")] = False,
) -> None:
    """Train and evaluate heads. Lists of values form a grid; finished runs are skipped."""
    if sum((quiet, verbose, as_json)) > 1:
        raise SpecError("--quiet, --verbose and --json exclude each other; choose one")
    # Imported here so that --help does not load torch, which takes seconds.
    with loading(quiet=quiet):
        from ordbench.engines.registry import check_engine
        from ordbench.runs.resources import Locations
        from ordbench.sweeps.scheduler import Policy
        from ordbench.sweeps.spec import SweepSpec
        from ordbench.trackers.tracking import Tracking

    fields = context.params.keys() & SweepSpec.model_fields.keys()
    given = {name: context.params[name] for name in fields if context.params[name] != ()}
    spec = SweepSpec.from_options(plan, **given)
    settings = Locations(
        data_root=data_root,
        cache=cache,
        device=device,
        download=download,
        allow_leak=allow_leak,
    )
    tracking = Tracking(track or [], results)
    policy = Policy(overwrite, retry_failed, fail_fast, strict, limit)
    if dry_run:
        check_engine(engine)
        print_dry_run(spec, results, settings, policy, as_json=as_json)
        return
    run_sweep(
        spec,
        results=results,
        settings=settings,
        engine=engine,
        jobs=jobs,
        policy=policy,
        output="json" if as_json else "quiet" if quiet else "verbose" if verbose else "lines",
        callbacks=[tracking],
    )
