"""`ordbench latency`: parse, call, print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.progress import track

from ordbench.cli.run import Texts
from ordbench.errors import SpecError
from ordbench.leaderboard.formats import NO_WRAP

if TYPE_CHECKING:  # torch stays out of --help
    from ordbench.latency.compare import Comparison
    from ordbench.latency.setting import LatencySetting


def latency(
    head: Annotated[
        Texts,
        typer.Option(
            "--head",
            help="Heads, comma-separated: NAME[:KEY=VALUE]; linear is added.",
            show_default="all",
        ),
    ] = None,
    stage: Annotated[
        Texts,
        typer.Option(
            help="deployed, with-text (including the text encoder) or train.",
            show_default="deployed",
        ),
    ] = None,
    runtime: Annotated[
        Texts, typer.Option(help="eager, compile or onnx.", show_default="eager")
    ] = None,
    batch: Annotated[
        Texts, typer.Option(help="Images per call, N.", show_default="1,32,1024")
    ] = None,
    ranks: Annotated[Texts, typer.Option(help="Number of ranks, K.", show_default="101")] = None,
    features: Annotated[
        Texts, typer.Option(help="Number of features, D.", show_default="512,1024")
    ] = None,
    dtype: Annotated[
        Texts,
        typer.Option(help="float32, bfloat16, float16 or float64.", show_default="float32"),
    ] = None,
    device: Annotated[
        Texts, typer.Option(help="auto, cpu, cuda, cuda:N.", show_default="auto")
    ] = None,
    text: Annotated[
        str,
        typer.Option(
            help="Backbone whose text encoder the prompt heads use.",
            show_default="random weights, of the CLIP with D features, else of ViT-B-32",
        ),
    ] = "",
    seconds: Annotated[float, typer.Option(min=0, help="Seconds per comparison.")] = 2.0,
    threads: Annotated[int, typer.Option(min=1, help="CPU threads.")] = 1,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print JSON, as pytest-benchmark writes it.")
    ] = False,
) -> None:
    """Time heads against the linear probe: deployed, with text encoder, or in training."""
    from ordbench.latency.setting import settings

    grid = settings(
        stage=stage or ["deployed"],
        runtime=runtime or ["eager"],
        batch=batch or ["1,32,1024"],
        ranks=ranks or ["101"],
        features=features or ["512,1024"],
        dtype=dtype or ["float32"],
        device=device or ["auto"],
        text=text,
    )
    run(grid, head or ["all"], seconds=seconds, threads=threads, as_json=as_json)


def run(
    grid: Sequence[LatencySetting],
    heads: Sequence[str],
    *,
    seconds: float = 2.0,
    threads: int = 1,
    as_json: bool = False,
) -> None:
    """Time heads in every setting of a grid, and print tables or JSON.

    What was timed before an interruption is printed as well.

    Args:
        grid: Where to compare the heads.
        heads: As in `HeadBuilder`.
        seconds: As in `compare`.
        threads: As in `compare`.
        as_json: Print what pytest-benchmark would write to a file.

    Raises:
        OrdbenchError: If a head or text tower cannot be had, or if none of the heads could be
            timed in any setting.
    """
    from ordbench.latency.builders import REFERENCE, HeadBuilder
    from ordbench.latency.compare import compare
    from ordbench.latency.record import require_pytest_benchmark, to_json

    if as_json:
        require_pytest_benchmark()
    bench = HeadBuilder(heads)
    timed = compare(grid, bench, seconds=seconds, threads=threads)
    done: list[Comparison] = []
    errors = Console(stderr=True)
    try:
        done.extend(
            track(
                timed,
                "timing",
                len(grid),
                console=errors,
                transient=True,
                disable=not errors.is_terminal,  # a file would get an empty line
            )
        )
    finally:  # who stops it sees what there is
        if done and as_json:
            typer.echo(to_json(done, threads=threads), nl=False)
        elif done:
            _show(done, threads)
    asked = set(bench.labels) - {REFERENCE} or {REFERENCE}
    if not asked.intersection(row.label for comparison in done for row in comparison.rows):
        reasons = (reason for comparison in done for reason in comparison.skipped.values())
        raise SpecError(next(reasons, "no head was timed: none of these heads uses a text encoder"))


def _show(comparisons: Sequence[Comparison], threads: int) -> None:
    from ordbench.latency.tables import conditions, tables

    console = Console(width=NO_WRAP, highlight=False)  # a terminal breaks lines, and cuts none
    console.print(tables(comparisons))
    console.print(conditions(comparisons, threads), markup=False)
