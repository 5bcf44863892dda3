"""`ordbench predict`: parse, call, print."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from ordbench.cli.estimates import Format, show, write
from ordbench.cli.table import DecodeName
from ordbench.errors import SpecError
from ordbench.utils.text import counted

if TYPE_CHECKING:
    from ordbench.features.extraction import Progress as Told
    from ordbench.runs.record import Record

FAILED = 1  # exit code where an image has no estimate


def predict(
    images: Annotated[
        list[str],
        typer.Argument(
            metavar="IMAGE",
            help="Images, folders, zip archives, CSV files with a column 'file'.",
        ),
    ],
    run: Annotated[
        str | None,
        typer.Option(help="Run id, its first digits, a .safetensors file, or hf:OWNER/NAME."),
    ] = None,
    best: Annotated[
        bool, typer.Option("--best", help="The run with the lowest validation error.")
    ] = False,
    dataset: Annotated[
        str | None, typer.Option("--dataset", "-d", help="Of which dataset, with --best.")
    ] = None,
    results: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("results"),
    backbone: Annotated[
        str | None,
        typer.Option("--backbone", "-b", help="The run's, where its weights lie elsewhere now."),
    ] = None,
    decode: DecodeName = "median",
    coverage: Annotated[
        float | None,
        typer.Option(
            help="Add intervals that hold the true rank of this share of images, such as 0.9.",
            show_default="no intervals",
        ),
    ] = None,
    method: Annotated[
        Literal["rps", "aps"], typer.Option(help="Score by which intervals are made.")
    ] = "rps",
    format: Annotated[
        Format | None,
        typer.Option(help="Output format.", show_default="by the ending of --output, else rich"),
    ] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="File to write instead of printing.")
    ] = None,
    device: Annotated[str, typer.Option(help="auto, cpu, cuda or cuda:N.")] = "auto",
    data_root: Annotated[
        Path | None,
        typer.Option(help="Folder of the datasets, if the head is to be trained again."),
    ] = None,
    split: Annotated[
        Path | None,
        typer.Option(help="Split (--split) of the run, if the head is to be trained again."),
    ] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of cached features.")] = None,
) -> None:
    """Estimate the ranks of images by the trained head of a run."""
    if (run is None) != best:
        raise SpecError("say which run: --run ID, or --best")
    if dataset and run is not None:
        raise SpecError("--dataset chooses among the runs of --best; leave it out with --run")
    how = _format(format, output)
    # Imported here so that --help does not load torch, which takes seconds.
    from ordbench.results.lookup import best_run, run_title
    from ordbench.results.trained_heads import head_of, load_head
    from ordbench.runs.resources import Locations

    settings = Locations(data_root=data_root, cache=cache, device=device, manifest=split)
    if run is not None:
        head = load_head(run, results=results, backbone=backbone or "", settings=settings)
    else:
        record = best_run(results, dataset or "")
        typer.echo(f"run {record.run_id}: {run_title(record)}, {_selection(record)}", err=True)
        head = head_of(record, results, backbone or "", settings)
    with _progress() as told:
        found = head.predict(images, decode=decode, coverage=coverage, method=method, progress=told)
    if output:
        write(found, head.facts.run_id, how, output)
    else:
        show(found, head.facts.run_id, how)
    for name, reason in found.skipped:
        typer.echo(f"ordbench: skipped {name}: {reason}", err=True)
    if found.skipped:
        typer.echo(f"ordbench: {counted(len(found.skipped), 'image')} skipped", err=True)
        raise typer.Exit(FAILED)


def _selection(record: Record) -> str:
    """By what the best run is the best."""
    assert record.training
    assert record.split
    images = counted(record.split.val, "validation image")
    return f"MAE {record.training.val_mae:.2f} on {images}"


def _format(format: Format | None, output: Path | None) -> Format:
    """How to print or write.

    Raises:
        SpecError: If a file would hold a table for the eye, or the screen a file's bytes.
    """
    if output is None:
        if format == "parquet":
            raise SpecError("--format parquet is not for the screen; add --output FILE.parquet")
        return format or "rich"
    by_ending: dict[str, Format] = {".csv": "csv", ".json": "json", ".parquet": "parquet"}
    how = format or by_ending.get(output.suffix.lower(), "rich")
    if how == "rich":
        raise SpecError(f"--output {output}: add --format csv, json or parquet")
    return how


@contextmanager
def _progress() -> Generator[Told]:
    """A bar on standard error, if that is a terminal."""
    console = Console(stderr=True)
    columns = (TextColumn("encoding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(
        *columns,
        console=console,
        transient=True,
        disable=not console.is_terminal,
        redirect_stdout=False,
    ) as bar:
        task = bar.add_task("", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
