"""trackio: configuration and metrics in a local database, as `trackio show` shows them."""

from __future__ import annotations

from contextlib import suppress

from ordbench.trackers.tracker import TrackedRun, Tracker
from ordbench.utils.extras import extra


class Trackio(Tracker):
    """``trackio[:PROJECT]``, by default the project ``ordbench``."""

    def __init__(self, where: str) -> None:
        self._trackio = extra("trackio")
        self._project = where or "ordbench"

    def log(self, run: TrackedRun) -> None:
        """See `Tracker`."""
        with suppress(ValueError):  # there is no such project
            if run.run_id in {one.name for one in self._trackio.Api().runs(self._project)}:
                return
        files = {f"files.{kind}": str(path) for kind, path in run.files.items()}
        config = {**run.params, **files, "title": run.title, "error": run.error}
        made = self._trackio.init(
            self._project,
            name=run.run_id,
            config=config,
            embed=False,
            auto_log_gpu=False,
            auto_log_cpu=False,
        )
        made.log(dict(run.metrics), step=run.steps)
        made.finish()
