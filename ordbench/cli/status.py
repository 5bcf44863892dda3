"""`ordbench status`: how far the sweeps of a results folder are."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from ordbench.cli.results_folder import FolderArgument, FolderOption, one_folder
from ordbench.errors import StoreError
from ordbench.results.loading import load_cells, load_skipped
from ordbench.utils.text import counted, printable

if TYPE_CHECKING:
    from ordbench.sweeps.status import SweepStatus

SHOWN = 5  # cells that train now
_STATES = {True: "running", False: "stopped", None: "unknown"}


def status(
    folder: FolderArgument = None,
    results: FolderOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Show how far the sweeps of a results folder are, from another terminal."""
    from ordbench.sweeps.status import read_statuses

    path = one_folder(folder, results)
    sweeps, stored = read_statuses(path), Counter[str]()
    try:
        for cell in load_cells(path, ()):
            stored[cell.first.status] += len(cell)
    except StoreError:  # a sweep may have no record yet
        if not sweeps:
            raise
    skipped = len(load_skipped(path))
    if as_json:
        found = {"sweeps": [*map(_as_json, sweeps)], "runs": stored, "skipped_cells": skipped}
        typer.echo(json.dumps(found, indent=2))
        return
    left_out = f", {counted(skipped, 'cell')} skipped" if skipped else ""
    for line in [line for one in sweeps for line in _lines(one)] or ["no sweep is running"]:
        typer.echo(printable(line))
    typer.echo(f"in {path}: {stored['done']} done, {stored['failed']} failed{left_out}")


def _lines(sweep: SweepStatus) -> Iterator[str]:
    state = sweep.alive()
    failed = f", {sweep.failed} failed" if sweep.failed else ""
    skipped = f", {sweep.skipped} skipped" if sweep.skipped else ""
    before = f" ({sweep.already_done} before)" if sweep.already_done else ""
    done = f"{sweep.done} of {counted(sweep.planned, 'run')} done{before}"
    far = f"{_STATES[state]}: {done}{failed}{skipped}"
    where = f"process {sweep.pid} on {sweep.host}"
    if state is False:
        yield f"{far}; the same command goes on"
        yield f"  {where} is gone; it started {_ago(sweep.started)} ago"
        return
    pace, left = sweep.seconds_a_run, sweep.seconds_left(time.time())
    rate = ""
    if pace is not None and left is not None:
        rate = f"; {pace:.3g} s a run, about {_span(left)} left"
    yield f"{far}{rate}"
    unknown = ", whose processes are not seen from here" if state is None else ""
    yield f"  {where}{unknown}, started {_ago(sweep.started)} ago"
    for title in sweep.running[:SHOWN]:
        yield f"  now: {title}"
    if len(sweep.running) > SHOWN:
        yield f"  and {counted(len(sweep.running) - SHOWN, 'more cell')}"
    if sweep.images:
        yield "  encoding images, {} of {}".format(*sweep.images)
    elif not sweep.running:
        yield "  reading data"


def _ago(moment: float) -> timedelta:
    return _span(time.time() - moment)


def _span(seconds: float) -> timedelta:
    """A time in whole seconds, printed as hours, minutes and seconds."""
    return timedelta(seconds=max(0, round(seconds)))


def _as_json(sweep: SweepStatus) -> dict[str, object]:
    return {
        "state": _STATES[sweep.alive()],
        **sweep.model_dump(mode="json"),
        "seconds_a_run": sweep.seconds_a_run,
        "seconds_left": sweep.seconds_left(time.time()),
    }
