"""The command line: parse, call one function, print. No logic lives here."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from ordbench.cli_latency import latency
from ordbench.cli_results import results_app
from ordbench.errors import OrdbenchError

app = typer.Typer(no_args_is_help=True, pretty_exceptions_enable=False)
split_app = typer.Typer(no_args_is_help=True)
app.add_typer(split_app, name="split", help="Show or write which images train, validate and test.")
app.add_typer(results_app, name="results", help="Verify, merge, compare or publish results.")

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
        help="clip:MODEL/PRETRAINED or timm:NAME, @PATH for local weights. [default: clip:tiny]",
    ),
]
DataRoot = Annotated[
    Path | None,
    typer.Option(help="Folder of the datasets. [default: ORDBENCH_DATA, else the user's data]"),
]
Dataset = Annotated[str, typer.Option("--dataset", "-d", help="NAME[:ARGUMENT][:KEY=VALUE].")]
OneShots = Annotated[str, typer.Option("--shots", help="Training images a rank, or 'all'.")]
Fold = Annotated[int, typer.Option(help="Test fold.")]
DataSeed = Annotated[int, typer.Option(help="Seed of the few-shot draw.")]
Protocol = Annotated[str, typer.Option(help="'standard', or 'paper': validation is test.")]
Results = Annotated[Path, typer.Option(help="Folder of the records.")]


class Kind(StrEnum):
    """What `ordbench ls` lists."""

    heads = "heads"
    datasets = "datasets"
    backbones = "backbones"


class Format(StrEnum):
    """How `ordbench table` prints."""

    rich = "rich"
    markdown = "markdown"
    latex = "latex"
    csv = "csv"
    json = "json"


class Overwrite(StrEnum):
    """What `ordbench run` does about records that are there."""

    only_missing = "only-missing"
    always = "always"
    never = "never"


class EngineName(StrEnum):
    """Where `ordbench run` trains."""

    local = "local"
    ray = "ray"


class Columns(StrEnum):
    """What stands in the columns of `ordbench table`."""

    shots = "shots"
    dataset = "dataset"


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"ordbench {version('ordbench')}")
        raise typer.Exit


@app.callback()
def ordbench(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Compare ordinal-regression heads on one backbone interface."""


@app.command()
def run(
    plan: Annotated[
        Path | None, typer.Argument(help="YAML file of these options, by their long names.")
    ] = None,
    head: Heads = None,
    dataset: Datasets = None,
    backbone: Backbones = None,
    shots: Annotated[
        Texts, typer.Option(help="Training images a rank (1,2,4) or 'all'. [default: all]")
    ] = None,
    seeds: Annotated[Texts, typer.Option(help="Seeds: 0,1 or 0-4. [default: 0]")] = None,
    fold: Annotated[
        Texts, typer.Option("--fold", help="Test folds: 0 or 0-4. [default: 0]")
    ] = None,
    text: Annotated[
        str | None,
        typer.Option(help="Backbone whose text tower is prompted. [default: --backbone's own]"),
    ] = None,
    layer: Annotated[
        str | None,
        typer.Option(help="Features 'post' or 'pre' the projection into CLIP's space."),
    ] = None,
    normalize: Annotated[
        bool | None, typer.Option("--normalize/--no-normalize", help="Bring features to length 1.")
    ] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Arithmetic of the image tower: auto, float32, bfloat16.")
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
        int | None, typer.Option(help="One few-shot draw for all seeds. [default: the seed]")
    ] = None,
    train_seed: Annotated[
        int | None, typer.Option(help="One train seed for all draws. [default: the seed]")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu or cuda.")] = "auto",
    data_root: DataRoot = None,
    cache: Annotated[
        Path | None,
        typer.Option(help="Folder of cached features. [default: ORDBENCH_CACHE, else the user's]"),
    ] = None,
    results: Results = Path("results"),
    jobs: Annotated[
        int | None,
        typer.Option("--jobs", "-j", min=1, help="Worker processes. [default: 1; ray: all CPUs]"),
    ] = None,
    engine: Annotated[
        EngineName, typer.Option(help="This machine, or a Ray cluster (ordbench[ray]).")
    ] = EngineName.local,
    address: Annotated[
        str | None,
        typer.Option(help="Ray cluster: HOST:PORT or 'auto'. [default: one of its own, here]"),
    ] = None,
    gpus_per_cell: Annotated[
        float | None,
        typer.Option(help="Part of a GPU that Ray gives a cell; 0: CPU. [default: 1 with CUDA]"),
    ] = None,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch a missing dataset, where that is allowed.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print what would be run, and run nothing.")
    ] = False,
    limit: Annotated[int | None, typer.Option(min=1, help="Most runs to train.")] = None,
    overwrite: Annotated[
        Overwrite, typer.Option(help="Skip what is done, run all again, or refuse to.")
    ] = Overwrite.only_missing,
    retry_failed: Annotated[
        bool, typer.Option("--retry-failed", help="Run again what failed before.")
    ] = False,
    fail_fast: Annotated[
        bool, typer.Option("--fail-fast", help="Stop at the first failure.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a run.")] = False,
) -> None:
    """Train and test heads: one run, or a grid of them; what is done already is skipped."""
    from ordbench.launch import Engine, launch  # torch stays out of --help
    from ordbench.plan import typed
    from ordbench.sweep import Policy
    from ordbench.workspace import Settings

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
        Settings(data_root=data_root, cache=cache, device=device, download=download),
        results,
        Policy(overwrite.value, retry_failed=retry_failed, fail_fast=fail_fast),
        engine=Engine(name=engine.value, jobs=jobs, address=address, gpus_per_cell=gpus_per_cell),
        limit=limit,
        dry_run=dry_run,
        as_json=as_json,
    )


@app.command()
def table(
    results: Annotated[Path, typer.Argument(help="Folder of the records.")] = Path("results"),
    metric: Annotated[
        str, typer.Option(help="mae, accuracy, cs@1, cs@3, cs@5, qwk, nll or rps.")
    ] = "mae",
    decode: Annotated[
        str, typer.Option(help="How a posterior becomes a number: argmax, mean or median.")
    ] = "median",
    columns: Annotated[Columns, typer.Option(help="What stands in the columns.")] = Columns.shots,
    format: Annotated[Format, typer.Option(help="How to print.")] = Format.rich,
    head: Annotated[list[str] | None, typer.Option(help="Only these heads.")] = None,
    dataset: Annotated[list[str] | None, typer.Option(help="Only these datasets.")] = None,
    backbone: Annotated[list[str] | None, typer.Option(help="Only these backbones.")] = None,
    shots: Annotated[list[str] | None, typer.Option(help="Only these shots.")] = None,
) -> None:
    """Print the leaderboards: heads by shots (or datasets), mean and spread over seeds."""
    from ordbench.tabling import table_text

    text = table_text(
        results,
        metric=metric,
        decode=decode,
        columns=columns.value,
        format=format.value,
        head=head,
        dataset=dataset,
        backbone=backbone,
        shots=shots,
    )
    typer.echo(text, nl=False)


app.command(name="latency")(latency)


@app.command(name="ls")
def list_plugins(
    kind: Annotated[Kind, typer.Argument(help="What to list.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """List the installed heads, datasets or backbones."""
    import json

    from rich.console import Console

    from ordbench.catalogue import as_table, entries

    rows = entries(kind.value)
    if as_json:
        typer.echo(json.dumps([row._asdict() for row in rows], indent=2))
    else:
        Console().print(as_table(rows))


@split_app.command(name="show")
def show_split(
    dataset: Dataset,
    shots: OneShots = "all",
    fold: Fold = 0,
    data_seed: DataSeed = 0,
    protocol: Protocol = "standard",
    data_root: DataRoot = None,
) -> None:
    """Print how many images train, validate and test, and the hash of the split."""
    from ordbench.plan import draw_one
    from ordbench.split import summary

    typer.echo(summary(draw_one(dataset, shots, fold, data_seed, protocol, data_root)))


@split_app.command(name="write")
def write_split(
    file: Annotated[Path, typer.Argument(help="Manifest to write (JSON).")],
    dataset: Dataset,
    shots: OneShots = "all",
    fold: Fold = 0,
    data_seed: DataSeed = 0,
    protocol: Protocol = "standard",
    data_root: DataRoot = None,
) -> None:
    """Write the split to a file that `ordbench run --split` reads."""
    from ordbench.plan import draw_one
    from ordbench.protocol import write_manifest
    from ordbench.split import summary

    drawn = draw_one(dataset, shots, fold, data_seed, protocol, data_root)
    write_manifest(drawn, file)
    typer.echo(f"{file}: {summary(drawn)}")


def main() -> None:
    """Run the app; what a user can mend becomes one line and exit code 2."""
    try:
        sys.exit(app(standalone_mode=False))
    except OrdbenchError as error:
        message = str(error)
    except typer.TyperException as error:
        # Typer would draw it in a box that breaks a long path over lines.
        message = f"{error.format_message().rstrip('.')}; see ordbench --help"
    except typer.Abort:
        message = "stopped; the same command goes on where it was"
    print(f"ordbench: {' '.join(message.split())}", file=sys.stderr)
    sys.exit(2)
