"""`ordbench report`: parse, call, print."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Annotated

import typer

from ordbench.cli.table import (
    DecodeName,
    MetricName,
    OnlyBackbones,
    OnlyDatasets,
    OnlyFolds,
    OnlyHeads,
    OnlyProtocols,
    OnlyShots,
)
from ordbench.leaderboard.query import ask
from ordbench.utils.files import write_atomic


def report(
    results: Annotated[
        list[Path] | None,
        typer.Argument(help="Folders of records, or archives (.jsonl.gz).", show_default="results"),
    ] = None,
    output: Annotated[Path, typer.Option("--output", "-o", help="File to write.")] = Path(
        "report.html"
    ),
    title: Annotated[str, typer.Option(help="Heading of the page.")] = "Heads compared",
    metric: MetricName = "mae",
    decode: DecodeName = "median",
    head: OnlyHeads = None,
    dataset: OnlyDatasets = None,
    backbone: OnlyBackbones = None,
    shots: OnlyShots = None,
    fold: OnlyFolds = None,
    protocol: OnlyProtocols = None,
    reference: Annotated[
        str,
        typer.Option(help="Head to compare with all others, where heads are too many for pairs."),
    ] = "",
    serve: Annotated[
        bool,
        typer.Option(
            "--serve",
            help="Write no file, but show the page on 127.0.0.1, anew whenever results change.",
        ),
    ] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65535, help="Of --serve: its port; 0 for any that is free.")
    ] = 8000,
    images: Annotated[
        bool, typer.Option("--images", help="Show the worst images, small. Mind their licence.")
    ] = False,
    data_root: Annotated[
        Path | None,
        typer.Option(
            help="Of --images: folder of the datasets.",
            show_default="ORDBENCH_DATA, else the user's data",
        ),
    ] = None,
    cache: Annotated[
        Path | None,
        typer.Option(
            help="Of --images: folder of drawn images.",
            show_default="ORDBENCH_CACHE, else the user's",
        ),
    ] = None,
) -> None:
    """Write the results as one HTML file: leaderboards, curves, comparisons, heads, datasets."""
    from ordbench.report.html.content import ReportQuery, gather
    from ordbench.report.html.page import render_page
    from ordbench.report.html.server import HOST, LivePage, make_server
    from ordbench.report.html.thumbnails import ImagePlaces

    asked = ReportQuery(
        table=ask(metric, decode),
        selection={
            "head": head,
            "dataset": dataset,
            "backbone": backbone,
            "shots": shots,
            "fold": fold,
            "protocol": protocol,
        },
        reference=reference,
        images=ImagePlaces(data_root, cache) if images else None,
    )
    folders = results or [Path("results")]
    if serve:
        server = make_server(LivePage(folders, asked, title), port)
        typer.echo(f"http://{HOST}:{server.server_port}/ shows the results; Ctrl-C stops it")
        with server, suppress(KeyboardInterrupt):
            server.serve_forever()
        return
    page = render_page(gather(folders, asked, title)).encode()
    write_atomic(output, page)
    typer.echo(f"wrote {output} ({len(page) / 1e6:.1f} MB)")
