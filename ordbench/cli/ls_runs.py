"""What `ordbench ls runs` prints: one run a line, with the beginning of its id."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from math import inf, isfinite
from pathlib import Path
from typing import NamedTuple

import typer

from ordbench.cli.grids import print_grid
from ordbench.leaderboard.grouping import titles
from ordbench.leaderboard.query import ask, select
from ordbench.plugins.reference import typed_value
from ordbench.results.loading import load_cells
from ordbench.results.rows import RunRow

SHORT = 8  # digits of an id at least; more where two runs begin alike


class Filters(NamedTuple):
    """Of which runs; see `ordbench.leaderboard.query.select`."""

    head: Iterable[str] | None = None
    dataset: Iterable[str] | None = None
    backbone: Iterable[str] | None = None
    shots: Iterable[str] | None = None
    fold: Iterable[str] | None = None


class ListedRun(NamedTuple):
    """A run, with its MAE by the median or of its point estimates, where it has one."""

    row: RunRow
    decode: str
    mae: float | None


def print_runs(results: Path, filters: Filters, *, as_json: bool) -> None:
    """Print the runs of a folder, those of one dataset and number of shots together.

    Raises:
        SpecError: If a filter names no run.
        StoreError: If there is not one record, or the records cannot be read.
    """
    query = ask()
    cells = load_cells(results, query.columns_needed())
    digits = _digits([run_id for cell in cells for run_id in cell.run_ids])
    runs: list[ListedRun] = []
    for cell in select(cells, **filters._asdict()):
        decode, maes = query.answer(cell)
        for number, row in enumerate(cell.rows()):
            runs.append(ListedRun(row, decode, maes[number] if maes else None))
    runs.sort(key=_order)
    if as_json:
        typer.echo(json.dumps([_as_json(run) for run in runs], indent=2, ensure_ascii=False))
    else:
        _print(runs, digits)


def _order(run: ListedRun) -> tuple[object, ...]:
    row = run.row
    shots = inf if row.shots is None else row.shots
    seeds = (row.data_seed, row.train_seed)
    where = (row.dataset_name, row.backbone, row.protocol, row.fold)
    return *where, shots, row.label, *seeds, row.created


def _digits(run_ids: Sequence[str]) -> int:
    """How many digits tell all runs apart."""
    digits = SHORT
    while len({run_id[:digits] for run_id in run_ids}) < len(set(run_ids)):
        digits += 1
    return digits


def _print(runs: Sequence[ListedRun], digits: int) -> None:
    """Backbone, protocol and fold have a column only where they differ."""
    rows = [
        _cells(run, digits) | {"dataset": dataset}
        for run, dataset in zip(runs, _datasets(runs), strict=True)
    ]
    often_alike = ("backbone", "protocol", "fold")
    hidden = {name for name in often_alike if len({row[name] for row in rows}) < 2}
    columns = [name for name in rows[0] if name not in hidden]
    left = sum(name in {"id", "head", "dataset", "backbone", "protocol"} for name in columns)
    print_grid(columns, ([row[name] for name in columns] for row in rows), left=left)


def _datasets(runs: Iterable[ListedRun]) -> list[str]:
    """The dataset of each run, with the options that tell it from others of that name."""
    return titles(
        [
            (
                ("dataset", run.row.dataset_name),
                *((name, typed_value(one)) for name, one in run.row.dataset_options.items()),
            )
            for run in runs
        ]
    )


def _cells(run: ListedRun, digits: int) -> dict[str, str]:
    """What is printed of a run, by column."""
    row = run.row
    same = row.data_seed == row.train_seed
    return {
        "id": row.run_id[:digits],
        "head": row.label,
        "dataset": row.dataset_name,
        "backbone": row.backbone,
        "protocol": row.protocol,
        "fold": str(row.fold),
        "shots": str(row.shots or "all"),
        "seed": str(row.train_seed) if same else f"{row.data_seed}/{row.train_seed}",
        "MAE": _number(run.mae),
        "val MAE": _number(row.val_mae),
        "status": row.status,
    }


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _as_json(run: ListedRun) -> dict[str, object]:
    row = run.row
    return {
        "run_id": row.run_id,
        "status": row.status,
        "head": row.label,
        "dataset": row.dataset_name,
        "backbone": row.backbone,
        "protocol": row.protocol,
        "fold": row.fold,
        "shots": row.shots,
        "data_seed": row.data_seed,
        "train_seed": row.train_seed,
        "mae": _finite(run.mae),
        "decode": run.decode or None,
        "val_mae": _finite(row.val_mae),
        "unit": row.unit,
        "created": row.created,
        "error": row.error,
    }


def _finite(value: float | None) -> float | None:
    """None for what JSON cannot hold."""
    return value if value is not None and isfinite(value) else None
