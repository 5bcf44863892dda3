"""`ordbench latency`: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordbench.cli_run import Texts


def latency(
    head: Annotated[
        Texts,
        typer.Option(
            "--head",
            "-h",
            help="NAME[:KEY=VALUE], several by comma; linear is added.",
            show_default="all",
        ),
    ] = None,
    stage: Annotated[
        Texts,
        typer.Option(
            help="deployed, with-text (prompts encoded at each call), train.",
            show_default="deployed",
        ),
    ] = None,
    runtime: Annotated[
        Texts, typer.Option(help="eager, compile, onnx.", show_default="eager")
    ] = None,
    batch: Annotated[
        Texts, typer.Option(help="Images a call, N.", show_default="1,32,1024")
    ] = None,
    ranks: Annotated[Texts, typer.Option(help="Ranks, K.", show_default="101")] = None,
    features: Annotated[
        Texts, typer.Option(help="Width of the features, D.", show_default="512,1024")
    ] = None,
    dtype: Annotated[
        Texts,
        typer.Option(help="float32, bfloat16, float16, float64.", show_default="float32"),
    ] = None,
    device: Annotated[
        Texts, typer.Option(help="auto, cpu, cuda, cuda:N.", show_default="auto")
    ] = None,
    text: Annotated[
        str,
        typer.Option(
            help="Backbone whose text tower is prompted.",
            show_default="random weights: a CLIP as wide as the features, else ViT-B-32",
        ),
    ] = "",
    seconds: Annotated[float, typer.Option(min=0, help="Time for each comparison.")] = 2.0,
    threads: Annotated[int, typer.Option(min=1, help="Threads on the CPU.")] = 1,
    json: Annotated[
        Path | None, typer.Option(help="File to write, for pytest-benchmark compare.")
    ] = None,
) -> None:
    """Time heads against the linear probe: deployed, with their text tower, or in training."""
    from ordbench.latency_run import run  # torch stays out of --help
    from ordbench.latency_setting import settings

    grid = settings(
        stages=stage or ["deployed"],
        runtimes=runtime or ["eager"],
        batches=batch or ["1,32,1024"],
        ranks=ranks or ["101"],
        widths=features or ["512,1024"],
        dtypes=dtype or ["float32"],
        devices=device or ["auto"],
        text=text,
    )
    run(grid, head or ["all"], seconds=seconds, threads=threads, json=json)
