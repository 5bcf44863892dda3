"""`ordbench results ...`: look after folders of records. No logic lives here."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Annotated

import typer

results_app = typer.Typer(no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="Folder of records, or an archive (.jsonl.gz).")]


@results_app.command()
def verify(folder: Folder = Path("results")) -> None:
    """Check a results folder for corrupt, misplaced, edited, duplicate or incomplete records."""
    from ordbench.results.verify import Verification

    verification = Verification(folder)
    faults = 0
    for finding in verification.findings():
        faults += 1
        typer.echo(str(finding))
    if faults:
        raise typer.Exit(1)
    typer.echo(f"{verification.records} records, no fault")


@results_app.command()
def compact(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="File to write, NAME.jsonl.gz.")],
) -> None:
    """Write all records of a folder as one archive, without predictions."""
    from ordbench.results.archive import refuse_to_hide, write_archive
    from ordbench.results.loading import read_records

    refuse_to_hide(out)
    typer.echo(f"{out}: {write_archive(read_records(folder), out)} records")


@results_app.command()
def merge(
    into: Annotated[Path, typer.Argument(help="Destination folder.")],
    sources: Annotated[list[Path], typer.Argument(metavar="FROM...", help="Folders to copy from.")],
) -> None:
    """Copy the runs of other folders, with their predictions; existing runs stay."""
    from ordbench.results.merge import merge as merged

    counts: Counter[str] = Counter()
    for source in sources:
        for outcome in merged(into, source):
            counts[outcome.what] += 1
            if outcome.reason:
                typer.echo(str(outcome))
    said = [
        f"{counts[what]} {what}" for what in ("copied", "already present", "conflict", "left out")
    ]
    typer.echo(f"{into}: {', '.join(said)}")
    if counts["conflict"] or counts["left out"]:
        raise typer.Exit(1)


@results_app.command()
def diff(
    first: Folder,
    second: Folder,
    tolerance: Annotated[
        float, typer.Option(min=0, help="How far apart scores may be and still be the same.")
    ] = 1e-9,
) -> None:
    """Show runs that only one folder holds, and those whose scores differ; exit 1 if any."""
    from ordbench.results.diff import diff as compare
    from ordbench.results.diff import report
    from ordbench.results.loading import load_rows

    difference = compare(load_rows(first), load_rows(second), tolerance=tolerance)
    for line in report(difference, str(first), str(second)):
        typer.echo(line)
    if difference:
        raise typer.Exit(1)


@results_app.command()
def publish(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="Folder to write records and README.md to.")],
    title: Annotated[str, typer.Option(help="Heading of the README.md.")],
    command: Annotated[
        list[str] | None,
        typer.Option(help="Command that made the records, shown in the README.md; repeatable."),
    ] = None,
    readme: Annotated[
        Path | None, typer.Option(help="Document to write the first table to, between --mark.")
    ] = None,
    mark: Annotated[
        str, typer.Option(help="NAME in <!-- NAME --> and <!-- /NAME --> of --readme.")
    ] = "demo",
) -> None:
    """Export finished runs (records.jsonl.gz) and write a README.md with their leaderboard."""
    from ordbench.report.publish import PageSettings
    from ordbench.report.publish import publish as write
    from ordbench.results.loading import read_records

    settings = PageSettings(title=title, commands=tuple(command or ()))
    write(read_records(folder), out, settings, document=readme, mark=mark)
    typer.echo(f"{out}: README.md and its records")
