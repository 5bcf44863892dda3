"""TensorBoard: scalars and hyper-parameters, a folder a run."""

from __future__ import annotations

from pathlib import Path

from ordbench.trackers.tracker import TrackedRun, Tracker
from ordbench.utils.extras import extra


class TensorBoard(Tracker):
    """``tensorboard[:FOLDER]``, by default ``tensorboard``; ``tensorboard --logdir`` shows it."""

    def __init__(self, where: str) -> None:
        extra("tensorboard")
        self._folder = Path(where or "tensorboard")

    def log(self, run: TrackedRun) -> None:
        """See `Tracker`."""
        from torch.utils.tensorboard.writer import SummaryWriter

        folder = self._folder / run.run_id
        if folder.exists():
            return
        params = {name: "none" if value is None else value for name, value in run.params.items()}
        with SummaryWriter(str(folder)) as writer:
            writer.add_text("run", run.title)
            for kind, path in run.files.items():
                writer.add_text(kind, str(path))
            if run.error:
                writer.add_text("error", run.error)
            # Its scores are scalars; the folder is the run's own.
            writer.add_hparams(params, dict(run.metrics), run_name=".", global_step=run.steps)
