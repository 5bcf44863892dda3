"""How far a sweep is, in a small file that other processes read: ``sweeps/`` in the results folder.

A sweep writes it when it starts and as it goes, and removes it when it ends. A sweep that was
killed leaves it behind.
"""

from __future__ import annotations

import logging
import os
import platform
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ordbench.results.layout import entries
from ordbench.runs.titles import cell_title
from ordbench.sweeps.callback import Callback
from ordbench.utils.canonical_json import run_id
from ordbench.utils.files import read_regular, remove_stale
from ordbench.utils.live_processes import is_running, start_of

if TYPE_CHECKING:
    from ordbench.runs.runner import RunResult
    from ordbench.sweeps.cells import Cell
    from ordbench.sweeps.survey import RefusedCell

FOLDER = "sweeps"
SECONDS = 0.5  # between two writes that are soon followed by others
logger = logging.getLogger(__name__)


class SweepStatus(BaseModel):
    """How far one sweep is. Times are in seconds since 1970.

    Attributes:
        plan: The same for sweeps of the same runs.
        host: Machine of the process that runs the sweep.
        pid: Its number there.
        process_start: See `start_of`.
        started: When the sweep began.
        updated: When a run was trained for the last time.
        first_cell: When the first cell began to train.
        planned: How many runs there are.
        trained: Runs that were trained and did not fail.
        already_done: Runs that had a record before.
        failed_now: Runs that failed in this sweep.
        failed_before: Runs that failed before, and are not run again.
        skipped: Runs that could not be started.
        running: What trains now, by title.
        images: How many images are encoded, and of how many, while the first cell waits for them.
    """

    model_config = ConfigDict(extra="forbid")

    plan: str
    host: str
    pid: int = Field(gt=0)
    process_start: str
    started: float
    updated: float
    first_cell: float | None = None
    planned: int
    trained: int = 0
    already_done: int = 0
    failed_now: int = 0
    failed_before: int = 0
    skipped: int = 0
    running: list[str] = Field(default_factory=list[str])
    images: tuple[int, int] | None = None

    @property
    def done(self) -> int:
        """Runs that are done, now or before."""
        return self.trained + self.already_done

    @property
    def failed(self) -> int:
        """Runs that failed, now or before."""
        return self.failed_now + self.failed_before

    @property
    def left(self) -> int:
        """Runs that are still to come."""
        return max(0, self.planned - self.done - self.failed - self.skipped)

    @property
    def seconds_a_run(self) -> float | None:
        """Mean time of the runs that were trained; None if there is none yet."""
        fresh = self.trained + self.failed_now
        if not fresh or self.first_cell is None:
            return None
        return max(0.0, self.updated - self.first_cell) / fresh

    def seconds_left(self, now: float) -> float | None:
        """How long the runs to come may take; None if none was trained yet."""
        pace = self.seconds_a_run
        return None if pace is None else max(0.0, pace * self.left - (now - self.updated))

    def alive(self) -> bool | None:
        """Whether its process runs; None if that cannot be known from this machine."""
        if self.host != platform.node():
            return None
        return is_running(self.pid, self.process_start)


class StatusFile(Callback):
    """Keeps the `SweepStatus` of this process's sweep on the disk, as a context.

    A folder that cannot be written to is no error: then there is no status.

    Args:
        results: Folder of the records.
        planned: The cells of the sweep.
    """

    def __init__(self, results: Path, planned: Sequence[Cell]) -> None:
        now, pid = time.time(), os.getpid()
        keys = sorted(f"{cell.key}:{len(cell.specs)}" for cell in planned)
        self._status = SweepStatus(
            plan=run_id({"cells": [*keys]}),
            host=platform.node(),
            pid=pid,
            process_start=start_of(pid),
            started=now,
            updated=now,
            planned=sum(len(cell.specs) for cell in planned),
        )
        self._results = results
        self._made_results = False
        self._path = results / FOLDER / f"{self._status.plan}-{pid}-{time.time_ns():x}.json"
        self._written = 0.0
        self._running: dict[str, None] = {}

    def __enter__(self) -> Self:
        self._made_results = not os.path.exists(self._results)
        self._forget_killed()
        self._write()
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(OSError):
            self._path.unlink()
        with suppress(OSError):  # they hold something else
            self._path.parent.rmdir()
            if self._made_results:
                self._results.rmdir()

    def on_images(self, done: int, total: int) -> None:
        """See `Callback`."""
        self._status.images = (done, total)
        self._write(at_once=False)

    def on_cell(self, cell: Cell) -> None:
        """See `Callback`."""
        self._status.images = None
        self._status.first_cell = self._status.first_cell or time.time()
        self._running[cell.title] = None
        self._write()

    def on_skip(self, skipped: RefusedCell) -> None:
        """See `Callback`."""
        self._status.skipped += len(skipped.cell.specs)
        self._write(at_once=bool(self._running))

    def on_result(self, result: RunResult) -> None:
        """See `Callback`."""
        record, status = result.record, self._status
        if record.status == "failed":
            status.failed_before += result.done_before
            status.failed_now += not result.done_before
        else:
            status.already_done += result.done_before
            status.trained += not result.done_before
        if not result.done_before:
            status.updated = time.time()
            self._running.pop(cell_title(record.spec, record.label), None)
        # Where something trains, what comes next may be an hour away.
        self._write(at_once=bool(self._running) or not result.done_before)

    def _write(self, *, at_once: bool = True) -> None:
        """Put the file into place; it need not outlive a power cut, so nothing is flushed."""
        now = time.monotonic()
        if not at_once and now - self._written < SECONDS:
            return
        self._written = now
        self._status.running = [*self._running]
        ready = self._path.with_name(f".{self._path.name}.tmp")
        with suppress(OSError):
            self._path.parent.mkdir(parents=True, exist_ok=True)
            ready.write_text(self._status.model_dump_json(), encoding="utf-8", errors="replace")
            os.replace(ready, self._path)

    def _forget_killed(self) -> None:
        """Remove what killed sweeps of the same runs left: this one goes on where they stopped."""
        folder = self._path.parent
        with suppress(OSError):
            remove_stale(folder)
            for path in folder.glob(f"{self._status.plan}-*.json"):
                status = _read(path)
                if status and status.alive() is False:
                    path.unlink(missing_ok=True)


def read_statuses(results: Path) -> list[SweepStatus]:
    """The sweeps of a results folder that run, or were killed, in the order of their starts.

    Raises:
        StoreError: If the folder cannot be read.
    """
    folder = results / FOLDER
    files = [Path(entry.path) for entry in entries(folder)] if folder.is_dir() else []
    found = [_read(path) for path in files if path.suffix == ".json" and path.name[0] != "."]
    return sorted(filter(None, found), key=lambda status: (status.started, status.pid))


def _read(path: Path) -> SweepStatus | None:
    try:
        return SweepStatus.model_validate_json(read_regular(path))
    except FileNotFoundError:
        return None  # the sweep ended since the folder was listed
    except (OSError, ValidationError):
        logger.warning("%s does not describe a sweep and is left out", path)
        return None
