"""`ordbench split show|write`: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordbench.cli.run import AllowLeak, DataRoot

split_app = typer.Typer(no_args_is_help=True)
Dataset = Annotated[str, typer.Option("--dataset", "-d", help="NAME[:ARGUMENT][:KEY=VALUE].")]
OneShots = Annotated[str, typer.Option("--shots", help="Training images per rank, or 'all'.")]
Fold = Annotated[int, typer.Option(help="Test fold.")]
DataSeed = Annotated[int, typer.Option(help="Seed of the drawn training images.")]
TestDataset = Annotated[
    str, typer.Option(help="Dataset to test on instead: NAME[:ARGUMENT][:KEY=VALUE].")
]
Protocol = Annotated[str, typer.Option(help="NAME[:KEY=VALUE], see ordbench ls protocols.")]
Given = Annotated[
    Path | None,
    typer.Option("--split", help="A manifest, or lists of another repository (file or folder)."),
]


@split_app.command(name="show")
def show_split(
    dataset: Dataset,
    shots: OneShots = "all",
    fold: Fold = 0,
    data_seed: DataSeed = 0,
    protocol: Protocol = "standard",
    test_dataset: TestDataset = "",
    split: Given = None,
    allow_leak: AllowLeak = False,
    data_root: DataRoot = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, as ordbench split write writes it.")
    ] = False,
) -> None:
    """Print how many images train, validate and test, the hash of the split, and what to know."""
    from ordbench.cli.run_lines import rejections
    from ordbench.cli.typed_split import draw_one
    from ordbench.splits.manifest import to_json
    from ordbench.splits.split import summary

    drawn = draw_one(
        dataset,
        shots,
        fold,
        data_seed,
        protocol,
        data_root,
        test_dataset,
        split,
        allow_leak=allow_leak,
    )
    if as_json:
        typer.echo(to_json(drawn.split), nl=False)
        return
    typer.echo(summary(drawn.split))
    typer.echo(drawn.validation())
    for note in drawn.samples.notes:
        typer.echo(note)
    if not split and (note := drawn.published()):
        typer.echo(note)
    if drawn.samples.rejected:
        typer.echo(rejections(drawn.split.dataset, drawn.samples.rejected))


@split_app.command(name="write")
def write_split(
    file: Annotated[
        Path,
        typer.Argument(help="What to write: .json (a manifest), .csv, or a folder of .txt lists."),
    ],
    dataset: Dataset,
    shots: OneShots = "all",
    fold: Fold = 0,
    data_seed: DataSeed = 0,
    protocol: Protocol = "standard",
    test_dataset: TestDataset = "",
    split: Given = None,
    allow_leak: AllowLeak = False,
    data_root: DataRoot = None,
) -> None:
    """Write the split to a file that `ordbench run --split` reads."""
    from ordbench.cli.typed_split import draw_one
    from ordbench.splits.formats import write_split
    from ordbench.splits.split import summary

    drawn = draw_one(
        dataset,
        shots,
        fold,
        data_seed,
        protocol,
        data_root,
        test_dataset,
        split,
        allow_leak=allow_leak,
    )
    write_split(drawn.split, drawn.samples, file)
    typer.echo(f"{file}: {summary(drawn.split)}")
