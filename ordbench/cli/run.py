"""`ordbench run`: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Texts = list[str] | None
WHAT, TRAINING, WHERE, EXECUTION = "What to run", "Training", "Where", "Execution"

Heads = Annotated[
    Texts,
    typer.Option(
        "--head",
        "-h",
        help="Heads, comma-separated: NAME[:KEY=VALUE]. 'all' and globs such as '*clip' work.",
        rich_help_panel=WHAT,
    ),
]

Datasets = Annotated[
    Texts,
    typer.Option(
        "--dataset",
        "-d",
        help="Datasets, comma-separated: NAME[:ARGUMENT][:KEY=VALUE], 'all' and globs too.",
        rich_help_panel=WHAT,
    ),
]

Backbones = Annotated[
    Texts,
    typer.Option(
        "--backbone",
        "-b",
        help="clip:MODEL/PRETRAINED or timm:NAME, @PATH for local weights.",
        show_default="clip:tiny",
        rich_help_panel=WHAT,
    ),
]

DataRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the datasets.",
        show_default="ORDBENCH_DATA, else the user's data",
        rich_help_panel=WHERE,
    ),
]

Results = Annotated[Path, typer.Option(help="Folder of the records.", rich_help_panel=WHERE)]


def run(
    context: typer.Context,
    plan: Annotated[
        Path | None,
        typer.Argument(
            help="YAML sweep file; its keys are the option names from --head to --train-seed."
        ),
    ] = None,
    head: Heads = None,
    dataset: Datasets = None,
    backbone: Backbones = None,
    shots: Annotated[
        Texts,
        typer.Option(
            help="Training images per rank (1,2,4) or 'all'.",
            show_default="all",
            rich_help_panel=WHAT,
        ),
    ] = None,
    seeds: Annotated[
        Texts,
        typer.Option(help="Seeds: 0,1 or 0-4.", show_default="0", rich_help_panel=WHAT),
    ] = None,
    fold: Annotated[
        Texts,
        typer.Option(
            "--fold", help="Test folds: 0 or 0-4.", show_default="0", rich_help_panel=WHAT
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="Backbone whose text encoder the prompt heads use.",
            show_default="--backbone's own",
            rich_help_panel=WHAT,
        ),
    ] = None,
    layer: Annotated[
        Literal["post", "pre"] | None,
        typer.Option(
            help="Use image features after ('post') or before ('pre') CLIP's projection.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    normalize: Annotated[
        bool | None,
        typer.Option(
            "--normalize/--no-normalize", help="L2-normalise the features.", rich_help_panel=WHAT
        ),
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(
            help="Precision of the image encoder: auto, float32, bfloat16 or float16.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(
            help="'standard', or 'paper': selection on test, never ranked with others.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(help="Split manifest to use instead of drawing one.", rich_help_panel=WHAT),
    ] = None,
    recipe: Annotated[
        Texts,
        typer.Option(
            help="KEY=VALUE over the head's own recipe; repeatable.", rich_help_panel=TRAINING
        ),
    ] = None,
    tune: Annotated[
        int | None,
        typer.Option(
            help="Hyper-parameter trials per run, selected on validation.",
            rich_help_panel=TRAINING,
        ),
    ] = None,
    sampler: Annotated[
        str | None,
        typer.Option(
            help="Search method for --tune: random, grid or optuna.", rich_help_panel=TRAINING
        ),
    ] = None,
    data_seed: Annotated[
        int | None,
        typer.Option(
            help="Seed of the few-shot sample.", show_default="--seeds", rich_help_panel=TRAINING
        ),
    ] = None,
    train_seed: Annotated[
        int | None,
        typer.Option(help="Seed of training.", show_default="--seeds", rich_help_panel=TRAINING),
    ] = None,
    device: Annotated[
        str, typer.Option(help="auto, cpu, cuda or cuda:N.", rich_help_panel=WHERE)
    ] = "auto",
    data_root: DataRoot = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder of cached features.",
            show_default="ORDBENCH_CACHE, else the user's",
            rich_help_panel=WHERE,
        ),
    ] = None,
    results: Results = Path("results"),
    download: Annotated[
        bool,
        typer.Option(
            "--download",
            help="Download a missing dataset, where that is allowed.",
            rich_help_panel=WHERE,
        ),
    ] = False,
    engine: Annotated[
        str,
        typer.Option(
            help="local, or ray[:address=auto][:gpus=0.5] (a cluster; gpus: per cell, 0 = CPU).",
            rich_help_panel=EXECUTION,
        ),
    ] = "local",
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs",
            "-j",
            min=1,
            help="Worker processes.",
            show_default="1; ray: all CPUs",
            rich_help_panel=EXECUTION,
        ),
    ] = None,
    limit: Annotated[
        int | None,
        typer.Option(min=1, help="Train at most N runs.", rich_help_panel=EXECUTION),
    ] = None,
    overwrite: Annotated[
        Literal["only-missing", "always", "never"],
        typer.Option(
            help="only-missing: skip finished runs; always: re-run; never: stop if any exist.",
            rich_help_panel=EXECUTION,
        ),
    ] = "only-missing",
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Re-run failed runs.", rich_help_panel=EXECUTION),
    ] = False,
    fail_fast: Annotated[
        bool,
        typer.Option("--fail-fast", help="Stop at the first failure.", rich_help_panel=EXECUTION),
    ] = False,
    strict: Annotated[
        bool,
        typer.Option(
            "--strict",
            help="Stop if a cell cannot run, instead of skipping it.",
            rich_help_panel=EXECUTION,
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option(
            "--dry-run", help="Print what would run, and run nothing.", rich_help_panel=EXECUTION
        ),
    ] = False,
    as_json: Annotated[
        bool,
        typer.Option("--json", help="Print one JSON object a run.", rich_help_panel=EXECUTION),
    ] = False,
) -> None:
    """Train and evaluate heads. Lists of values form a grid; finished runs are skipped."""
    # Imported here so that --help does not load torch.
    from ordbench.cli.progress import Report, print_plan, stop_on_interrupt
    from ordbench.errors import TrainingError
    from ordbench.runs.resources import Locations
    from ordbench.sweeps.api import sweep
    from ordbench.sweeps.dry_run import find_missing
    from ordbench.sweeps.scheduler import Policy
    from ordbench.sweeps.spec import SweepSpec

    fields = context.params.keys() & SweepSpec.model_fields.keys()
    given = {name: context.params[name] for name in fields if context.params[name] != ()}
    spec = SweepSpec.from_options(plan, **given)
    settings = Locations(data_root=data_root, cache=cache, device=device, download=download)
    policy = Policy(overwrite, retry_failed, fail_fast, strict, limit)
    specs = spec.expand()
    if dry_run:
        print_plan(find_missing(specs, results, settings, policy), as_json=as_json)
        return
    report = Report(total=len(specs), as_json=as_json)
    with report, stop_on_interrupt(report.warn) as stopped:
        for _ in sweep(
            spec,
            results=results,
            settings=settings,
            engine=engine,
            jobs=jobs,
            policy=policy,
            callbacks=[report],
            stopped=stopped,
        ):
            pass
    if report.failed:
        again = "--overwrite always" if overwrite == "always" else "--retry-failed"
        raise TrainingError(report.failures(results, again=again))
    if stopped():
        raise KeyboardInterrupt
