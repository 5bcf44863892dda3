"""Estimates of images as a table on the screen, and as files."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from ordbench.cli.grids import print_grid
from ordbench.utils.files import write_atomic

if TYPE_CHECKING:
    from ordbench.runs.estimates import Estimates

Format = Literal["rich", "csv", "json", "parquet"]


def show(found: Estimates, run_id: str, how: Format) -> None:
    """Print estimates.

    Args:
        found: The estimates.
        run_id: Of the run that trained the head.
        how: All but ``parquet``.
    """
    if how == "rich":
        columns = found.columns()
        estimate = f"estimate ({found.unit}, {found.decode})"
        titles = {"image": "image", "estimate": estimate}
        print_grid(
            [titles.get(name, name) for name in columns],
            [[_cell(value) for value in row] for row in zip(*columns.values(), strict=True)],
        )
    else:
        typer.echo(_bytes(found, run_id, how), nl=False)


def write(found: Estimates, run_id: str, how: Format, path: Path) -> None:
    """Write estimates to a file, whole or not at all; as `show` otherwise.

    Raises:
        StoreError: If it cannot be written.
    """
    write_atomic(path, _bytes(found, run_id, how))


def _bytes(found: Estimates, run_id: str, how: Format) -> bytes:
    if how == "json":
        return _json(found, run_id).encode()
    file = io.BytesIO()
    if how == "parquet":
        found.to_frame().to_parquet(file, index=False)
        return file.getvalue()
    text = io.StringIO(newline="")
    columns = found.columns()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows(zip(*columns.values(), strict=True))
    return text.getvalue().encode(errors="surrogateescape")


def _json(found: Estimates, run_id: str) -> str:
    """One object: what holds for all images, and an object for each."""
    columns = found.columns()
    if found.posterior is not None:
        columns["posterior"] = found.posterior.tolist()
    about = {
        "run": run_id,
        "unit": found.unit,
        "decode": found.decode,
        **({"coverage": found.coverage} if found.coverage else {}),
        "rank_names": list(found.rank_names),
        "rank_values": list(found.rank_values),
        "images": [
            dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
        ],
        "skipped": [skipped._asdict() for skipped in found.skipped],
    }
    return f"{json.dumps(about)}\n"


def _cell(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
