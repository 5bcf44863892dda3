"""`ordbench results ...`: look after folders of records. No logic lives here."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Annotated, get_args

import typer

from ordbench.cli.results_folder import FolderArgument, FolderOption, one_folder

results_app = typer.Typer(no_args_is_help=True)
Folder = Annotated[Path, typer.Argument(help="Folder of records, or an archive (.jsonl.gz).")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@results_app.command()
def verify(
    folder: FolderArgument = None, results: FolderOption = None, as_json: AsJson = False
) -> None:
    """Check a results folder for corrupt, misplaced, edited, duplicate or incomplete records."""
    from ordbench.results.verify import Verification

    verification = Verification(one_folder(folder, results))
    faults: list[dict[str, object]] = []
    for finding in verification.findings():
        faults.append(finding._asdict())
        if not as_json:
            typer.echo(str(finding))
    if as_json:
        typer.echo(json.dumps({"records": verification.records, "findings": faults}, indent=2))
    elif not faults:
        typer.echo(f"{verification.records} records, no fault")
    if faults:
        raise typer.Exit(1)


@results_app.command()
def compact(
    folder: Folder,
    out: Annotated[Path, typer.Argument(help="File to write, NAME.jsonl.gz.")],
) -> None:
    """Write all records of a folder as one archive, without predictions and trained heads."""
    from ordbench.results.archive import refuse_to_hide, write_archive
    from ordbench.results.loading import read_records

    refuse_to_hide(out)
    typer.echo(f"{out}: {write_archive(read_records(folder), out)} records")


@results_app.command()
def merge(
    into: Annotated[Path, typer.Argument(help="Destination folder.")],
    sources: Annotated[list[Path], typer.Argument(metavar="FROM...", help="Folders to copy from.")],
    as_json: AsJson = False,
) -> None:
    """Copy the runs of other folders, with predictions and trained heads; existing runs stay."""
    from ordbench.results.merge import Outcome
    from ordbench.results.merge import merge as merged

    counts: Counter[str] = Counter(dict.fromkeys(get_args(Outcome), 0))
    problems: list[dict[str, str]] = []
    for source in sources:
        for outcome in merged(into, source):
            counts[outcome.what] += 1
            if outcome.reason:
                problems.append({key: str(value) for key, value in outcome._asdict().items()})
                if not as_json:
                    typer.echo(str(outcome))
    if as_json:
        typer.echo(json.dumps({"counts": counts, "problems": problems}, indent=2))
    else:
        typer.echo(f"{into}: {', '.join(f'{number} {what}' for what, number in counts.items())}")
    if counts["conflict"] or counts["left out"]:
        raise typer.Exit(1)


@results_app.command()
def diff(
    first: Folder,
    second: Folder,
    tolerance: Annotated[
        float, typer.Option(min=0, help="How far apart scores may be and still be the same.")
    ] = 1e-9,
    as_json: AsJson = False,
) -> None:
    """Show runs that only one folder holds, and those whose scores differ; exit 1 if any."""
    from ordbench.results.diff import diff as compare
    from ordbench.results.diff import report, to_json
    from ordbench.results.loading import load_rows

    difference = compare(load_rows(first), load_rows(second), tolerance=tolerance)
    if as_json:
        typer.echo(to_json(difference))
    else:
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
