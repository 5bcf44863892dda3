"""Tells trackers of the results of a sweep, and lets none of them end it."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.errors import SpecError
from ordbench.sweeps.callback import Callback
from ordbench.trackers.mlflow import MLflow
from ordbench.trackers.tensorboard import TensorBoard
from ordbench.trackers.tracker import Tracker, tracked
from ordbench.trackers.trackio import Trackio
from ordbench.trackers.wandb import WeightsAndBiases
from ordbench.utils.text import did_you_mean, one_line

if TYPE_CHECKING:
    from ordbench.runs.runner import RunResult

TRACKERS: dict[str, type[Tracker]] = {
    "tensorboard": TensorBoard,
    "mlflow": MLflow,
    "wandb": WeightsAndBiases,
    "trackio": Trackio,
}
logger = logging.getLogger(__name__)


class Tracking(Callback):
    """A callback that logs each result, one from before too, if the tracker lacks it.

    A tracker that fails is warned of and told of no other run: the same command logs the rest.

    Args:
        names: As typed: ``NAME[:WHERE]``.
        results: The folder of the records.

    Raises:
        SpecError: If there is no such tracker, or its package is not installed.
    """

    def __init__(self, names: Iterable[str], results: Path) -> None:
        self._trackers = {name: _opened(name) for name in names}
        self._results = results.absolute()

    def on_result(self, result: RunResult) -> None:
        """See `Callback`."""
        if not self._trackers:
            return
        run = tracked(result.record, self._results)
        for name, tracker in list(self._trackers.items()):
            try:
                with redirect_stdout(sys.stderr):  # standard output is for results
                    tracker.log(run)
            except Exception as error:  # whatever a tracker raises, the sweep goes on
                del self._trackers[name]
                logger.warning(
                    "--track %s failed at run %s: %s: %s; it logs nothing more, and the same "
                    "command logs the rest",
                    *(name, run.run_id, type(error).__name__, one_line(error)),
                )


def _opened(text: str) -> Tracker:
    name, _, where = text.partition(":")
    if name not in TRACKERS:
        raise SpecError(f"--track {text}: unknown tracker; {did_you_mean(name, TRACKERS)}")
    return TRACKERS[name](where)
