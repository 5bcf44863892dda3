"""`ordbench run`: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

Texts = list[str] | None
Heads = Annotated[
    Texts, typer.Option("--head", "-h", help="NAME[:KEY=VALUE], several by comma; 'all'; globs.")
]

Datasets = Annotated[
    Texts, typer.Option("--dataset", "-d", help="NAME[:ARGUMENT][:KEY=VALUE], several by comma.")
]

Backbones = Annotated[
    Texts,
    typer.Option(
        "--backbone",
        "-b",
        help="clip:MODEL/PRETRAINED or timm:NAME, @PATH for local weights.",
        show_default="clip:tiny",
    ),
]

DataRoot = Annotated[
    Path | None,
    typer.Option(
        help="Folder of the datasets.", show_default="ORDBENCH_DATA, else the user's data"
    ),
]

Results = Annotated[Path, typer.Option(help="Folder of the records.")]


def run(
    plan: Annotated[
        Path | None,
        typer.Argument(help="YAML file of the options from --head to --train-seed, by long name."),
    ] = None,
    head: Heads = None,
    dataset: Datasets = None,
    backbone: Backbones = None,
    shots: Annotated[
        Texts,
        typer.Option(
            help="Training images a rank (1,2,4) or 'all'.",
            show_default="all",
        ),
    ] = None,
    seeds: Annotated[Texts, typer.Option(help="Seeds: 0,1 or 0-4.", show_default="0")] = None,
    fold: Annotated[
        Texts,
        typer.Option(
            "--fold",
            help="Test folds: 0 or 0-4.",
            show_default="0",
        ),
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(
            help="Backbone whose text tower is prompted.", show_default="--backbone's own"
        ),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(help="Features 'post' or 'pre' the projection into CLIP's space."),
    ] = None,
    normalize: Annotated[
        bool | None, typer.Option("--normalize/--no-normalize", help="Bring features to length 1.")
    ] = None,
    dtype: Annotated[
        str | None,
        typer.Option(help="Arithmetic of the image tower: auto, float32, bfloat16, float16."),
    ] = None,
    protocol: Annotated[
        str | None,
        typer.Option(help="'standard', or 'paper': selection on test, never ranked with others."),
    ] = None,
    split: Annotated[
        Path | None, typer.Option(help="Split manifest to use instead of drawing one.")
    ] = None,
    recipe: Annotated[
        Texts, typer.Option(help="KEY=VALUE over the head's own recipe; repeatable.")
    ] = None,
    tune: Annotated[
        int | None, typer.Option(help="Settings tried on validation for each run.")
    ] = None,
    sampler: Annotated[
        str | None, typer.Option(help="How they are chosen: random, grid or optuna.")
    ] = None,
    data_seed: Annotated[
        int | None,
        typer.Option(
            help="One few-shot draw for all seeds.",
            show_default="the seed",
        ),
    ] = None,
    train_seed: Annotated[
        int | None,
        typer.Option(
            help="One train seed for all draws.",
            show_default="the seed",
        ),
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    data_root: DataRoot = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Folder of cached features.", show_default="ORDBENCH_CACHE, else the user's"
        ),
    ] = None,
    results: Results = Path("results"),
    jobs: Annotated[
        int | None,
        typer.Option(
            "--jobs", "-j", min=1, help="Worker processes.", show_default="1; ray: all CPUs"
        ),
    ] = None,
    engine: Annotated[
        Literal["local", "ray"],
        typer.Option(help="This machine, or a Ray cluster (ordbench[ray])."),
    ] = "local",
    address: Annotated[
        str | None,
        typer.Option(
            help="Ray cluster: HOST:PORT or 'auto'.",
            show_default="one of its own, here",
        ),
    ] = None,
    gpus_per_cell: Annotated[
        float | None,
        typer.Option(
            help="Part of a GPU that Ray gives a cell; 0: CPU.", show_default="1 with CUDA"
        ),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch a missing dataset, where that is allowed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be run, and run nothing.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Most runs to train.")] = None,
    overwrite: Annotated[
        Literal["only-missing", "always", "never"],
        typer.Option(help="Skip what is done, run all again, or refuse to."),
    ] = "only-missing",
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run again what failed before.")
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failure.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a run.")] = False,
) -> None:
    """Train and test heads: one run, or a grid of them; what is done already is skipped."""
    from ordbench.runs.resources import Locations
    from ordbench.sweeps.run import Engine, launch  # torch stays out of --help
    from ordbench.sweeps.spec import typed
    from ordbench.sweeps.survey import Policy

    values = typed(
        plan,
        head=head,
        dataset=dataset,
        backbone=backbone,
        shots=shots,
        seeds=seeds,
        fold=fold,
        recipe=recipe,
        text=text,
        layer=layer,
        normalize=normalize,
        dtype=dtype,
        protocol=protocol,
        split=split,
        data_seed=data_seed,
        train_seed=train_seed,
        tune=tune,
        sampler=sampler,
    )
    launch(
        values,
        Locations(data_root=data_root, cache=cache, device=device, download=download),
        results,
        Policy(overwrite, retry_failed=retry_failed, fail_fast=fail_fast),
        engine=Engine(name=engine, jobs=jobs, address=address, gpus_per_cell=gpus_per_cell),
        limit=limit,
        dry_run=dry_run,
        as_json=as_json,
    )
