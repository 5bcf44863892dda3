"""MLflow: parameters, metrics and tags, a run of MLflow for each run."""

from __future__ import annotations

import re
from typing import Any

from ordbench.trackers.tracker import TrackedRun, Tracker
from ordbench.utils.extras import extra

EXPERIMENT = "ordbench"
_RUN_ID = "ordbench.run_id"
_MOST = 100  # parameters that a server takes at once


class MLflow(Tracker):
    """``mlflow[:URI]``, by default where ``MLFLOW_TRACKING_URI`` points."""

    def __init__(self, where: str) -> None:
        self._mlflow = extra("mlflow")
        self._where = where or None
        self._client: Any = None

    def log(self, run: TrackedRun) -> None:
        """See `Tracker`."""
        if self._client is None:
            self._client = self._mlflow.MlflowClient(tracking_uri=self._where)
        client = self._client
        found = client.get_experiment_by_name(EXPERIMENT)
        experiment = found.experiment_id if found else client.create_experiment(EXPERIMENT)
        if client.search_runs([experiment], f"tags.`{_RUN_ID}` = '{run.run_id}'", max_results=1):
            return
        tags = {f"ordbench.{kind}": str(path) for kind, path in run.files.items()}
        tags |= {"ordbench.error": run.error} if run.error else {}
        made = client.create_run(experiment, run_name=run.title, tags=tags).info.run_id
        entities = extra("mlflow.entities", "mlflow")
        params = [entities.Param(_allowed(name), str(value)) for name, value in run.params.items()]
        metrics = [
            entities.Metric(_allowed(name), value, timestamp=0, step=run.steps)
            for name, value in run.metrics.items()
        ]
        for start in range(0, len(params), _MOST):
            client.log_batch(made, params=params[start : start + _MOST])
        client.log_batch(made, metrics=metrics)
        client.set_terminated(made, "FAILED" if run.error else "FINISHED")
        client.set_tag(made, _RUN_ID, run.run_id)  # last: what lacks it is logged again


def _allowed(name: str) -> str:
    """A name of such characters only as MLflow takes.

    >>> _allowed("cs@5_median"), _allowed("baseline/mae")
    ('cs-5_median', 'baseline/mae')
    """
    return re.sub(r"[^\w\-. :/]", "-", name, flags=re.ASCII)
