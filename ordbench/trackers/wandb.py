"""Weights & Biases: configuration and summary; ``WANDB_MODE=offline`` needs no network."""

from __future__ import annotations

from ordbench.trackers.tracker import TrackedRun, Tracker
from ordbench.utils.extras import extra


class WeightsAndBiases(Tracker):
    """``wandb[:PROJECT]``, by default the project ``ordbench``."""

    def __init__(self, where: str) -> None:
        self._wandb = extra("wandb")
        self._project = where or "ordbench"

    def log(self, run: TrackedRun) -> None:
        """See `Tracker`. The id of the run is that of its record, so that none is there twice."""
        files = {f"files.{kind}": str(path) for kind, path in run.files.items()}
        with self._wandb.init(
            project=self._project,
            id=run.run_id,
            name=run.title,
            resume="allow",
            config={**run.params, **files, "error": run.error},
            settings=self._wandb.Settings(silent=True, console="off"),
        ) as made:
            made.summary.update({**run.metrics, "steps": run.steps})
