"""`ordbench export`: parse, call, print."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ordbench.cli.run import Texts
from ordbench.utils.text import items


def export(
    run: Annotated[str, typer.Option(help="Run id, or its first digits.")],
    results: Annotated[Path, typer.Option(help="Folder of the records.")] = Path("results"),
    format: Annotated[
        Texts,
        typer.Option(help="onnx, pt2 (of torch.export) or safetensors.", show_default="all"),
    ] = None,
    with_backbone: Annotated[
        bool, typer.Option("--with-backbone", help="Take images in place of features.")
    ] = False,
    backbone: Annotated[
        str | None,
        typer.Option("--backbone", "-b", help="The run's, where its weights lie elsewhere now."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder to write.", show_default="exported/RUN"),
    ] = None,
    push: Annotated[
        str | None,
        typer.Option(
            metavar="OWNER/NAME",
            help="Upload files, head and a model card to the Hugging Face Hub; private if new.",
        ),
    ] = None,
    data_root: Annotated[Path | None, typer.Option(help="Folder of the datasets.")] = None,
    cache: Annotated[Path | None, typer.Option(help="Folder of cached features.")] = None,
) -> None:
    """Write a trained head to files that run without ordbench, and compare them with PyTorch."""
    # Imported here so that --help does not load torch, which takes seconds.
    from ordbench.export import folder as exported
    from ordbench.results.lookup import find_run, run_title
    from ordbench.results.trained_heads import head_of, kept_file
    from ordbench.runs.head_hub import HEAD_FILE, check_repository, model_card
    from ordbench.runs.head_hub import push as push_files
    from ordbench.runs.resources import Locations

    if push:
        check_repository(push)
    record = find_run(results, run)
    kept = kept_file(record, results) if push else b""
    settings = Locations(data_root=data_root, cache=cache, device="cpu")
    trained = head_of(record, results, backbone or "", settings)
    ending = "-with-backbone" if with_backbone else ""
    folder = output or Path("exported", f"{record.run_id}{ending}")
    files, inputs = exported.export(
        trained.head,
        trained.facts,
        folder,
        formats=items(format or ["onnx,pt2,safetensors"]),
        with_backbone=with_backbone,
        spec=record.spec,
        backbone=backbone or "",
        settings=settings,
    )
    typer.echo(f"run {record.run_id}: {run_title(record)}")
    for path, one in files.items():
        typer.echo(f"{path}: {len(one.content):,} bytes, differs by {one.difference:.1e} at most")
    typer.echo(f"{folder / exported.README}")
    typer.echo(f"compared with PyTorch on {inputs}")
    if push:
        card = model_card(record, push, (folder / exported.README).read_text("utf-8"))
        content = {path.name: one.content for path, one in files.items()}
        content |= {exported.README: card.encode(), HEAD_FILE: kept}
        typer.echo(push_files(push, content))
