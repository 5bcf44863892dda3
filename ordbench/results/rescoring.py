"""Scores that records lack, computed from their stored predictions and kept in the index."""

from __future__ import annotations

import hashlib
import inspect
import logging
import sys
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.errors import BrokenPluginError, StoreError
from ordbench.metrics.on_demand import CalibratedMetric
from ordbench.plugins.registry import DECODES
from ordbench.results.index import INDEX, Index, Rescored
from ordbench.results.layout import archive_path
from ordbench.results.rows import CellRuns

if TYPE_CHECKING:
    from ordbench.metrics.evaluation import Calibration
    from ordbench.metrics.registry import Metric
    from ordbench.results.store import Store
    from ordbench.runs.predictions import Predictions
    from ordbench.runs.record import Record

NO_PREDICTIONS = "no predictions stored"
NOT_MEASURED = "not measured of this head"
NO_POSTERIOR = "no posterior"
NO_VALIDATION = "no validation posterior stored"
UNREADABLE = "a stored file cannot be read"
logger = logging.getLogger(__name__)


def score_names(metric: Metric, decode: str) -> list[str]:
    """The columns of `CellRuns.metrics` that answer for a metric, the first that exists first."""
    if metric.of_posterior:
        return [f"{metric.name}_posterior"]
    if metric.of_head:
        return [f"{metric.name}_head"]
    return [f"{metric.name}_{decode}", f"{metric.name}_point"]


def rescore(root: Path, cells: Sequence[CellRuns], metric: Metric, decode: str) -> list[CellRuns]:
    """Add a score to the runs that are done and lack it.

    A run without stored predictions, or without a posterior where the metric needs one, stays
    without the score; `CellRuns.unscored` says why.

    Args:
        root: The store of the runs, or an archive, which holds no predictions.
        cells: Runs of ``root``.
        metric: What to compute.
        decode: How posteriors become estimates.

    Raises:
        BrokenPluginError: If the metric or the decoding cannot be computed.
        StoreError: If a record cannot be read.
    """
    names = set(score_names(metric, decode))
    lacking: list[CellRuns] = []
    others: list[CellRuns] = []
    for cell in cells:
        lacks = cell.first.status == "done" and not names & cell.metrics.keys()
        (lacking if lacks else others).append(cell)
    if not lacking:
        return others
    run_ids = [run_id for cell in lacking for run_id in cell.run_ids]
    if metric.of_head:
        found = dict.fromkeys(run_ids, Rescored("", 0.0, NOT_MEASURED))
    elif archive_path(root):
        found = dict.fromkeys(run_ids, Rescored("", 0.0, NO_PREDICTIONS))
    else:
        found = _of_store(root, run_ids, metric, decode)
    return [*others, *(part for cell in lacking for part in _split(cell, found))]


def _split(cell: CellRuns, found: Mapping[str, Rescored]) -> list[CellRuns]:
    """The runs of a cell that have the score, and those that do not, by reason."""
    groups: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for run_id in cell.run_ids:
        column, _, reason = found[run_id]
        groups[column, reason].add(run_id)
    parts: list[CellRuns] = []
    for (column, reason), run_ids in groups.items():
        for part in cell.part(run_ids):
            scores = {column: [found[run_id].value for run_id in part.run_ids]} if column else {}
            parts.append(replace(part, metrics={**part.metrics, **scores}, unscored=reason))
    return parts


def _of_store(
    root: Path, run_ids: Iterable[str], metric: Metric, decode: str
) -> dict[str, Rescored]:
    index, name = Index(root / INDEX), "/".join([metric.name, decode])
    code = _code_of(metric, decode)
    known = index.rescored(name, code)
    fresh = {
        run_id: _rescored(root, run_id, metric, decode) for run_id in run_ids if run_id not in known
    }
    if fresh:
        # A file that is lost or damaged may come back, as by `ordbench results merge`.
        lasting = {run_id: one for run_id, one in fresh.items() if one.reason != UNREADABLE}
        index.keep_rescored(name, code, lasting)
    return known | fresh


def _rescored(root: Path, run_id: str, metric: Metric, decode: str) -> Rescored:
    from ordbench.results.store import Store  # pydantic and NumPy, which other tables need not

    store = Store(root)
    record = store.read(run_id)
    if record.predictions is None or record.task is None:
        return Rescored("", 0.0, NO_PREDICTIONS)
    try:
        predictions = store.read_predictions(run_id)
    except StoreError as error:
        logger.warning("%s", error)
        return Rescored("", 0.0, UNREADABLE)
    return score(store, record, predictions, metric, decode)


def score(
    store: Store, record: Record, predictions: Predictions, metric: Metric, decode: str
) -> Rescored:
    """The score of a run by its predictions of the test images, or of some of them.

    Raises:
        BrokenPluginError: If the metric or the decoding cannot be computed.
    """
    if metric.of_posterior and predictions.posterior is None:
        return Rescored("", 0.0, NO_POSTERIOR)
    calibration = None
    if isinstance(metric, CalibratedMetric):
        try:
            calibration = _calibration(store, record)
        except ValueError as error:
            logger.warning("the head of run %s cannot be read: %s", record.run_id, error)
            return Rescored("", 0.0, UNREADABLE)
        if calibration is None:
            return Rescored("", 0.0, NO_VALIDATION)
    try:
        values = (record.task.rank_values if record.task else ()) or predictions.rank_values
        found = _scored(predictions, values, metric, decode, calibration)
    except Exception as error:  # a plug-in may raise anything
        raise BrokenPluginError(
            f"metric {metric.name!r} with decode {decode!r} cannot score run {record.run_id}: "
            f"{type(error).__name__}: {error}"
        ) from error
    if calibration is not None and isinstance(metric, CalibratedMetric):
        from ordbench.metrics.conformal import too_few

        return found._replace(reason=too_few(len(calibration.ranks), metric.coverage))
    return found


def _calibration(store: Store, record: Record) -> Calibration | None:
    """What the head said of the validation images; None where the file of the head lacks it.

    Raises:
        ValueError: If that file is lost or damaged.
    """
    from ordbench.runs.kept_validation import read_calibration

    content = store.head_file(record)
    return None if content is None else read_calibration(content)


def _scored(
    predictions: Predictions,
    rank_values: Sequence[float],
    metric: Metric,
    decode: str,
    calibration: Calibration | None,
) -> Rescored:
    from ordbench.results.evaluations import decoded

    how, evaluation = decoded(predictions, rank_values, decode, calibration)
    column = score_names(metric, decode)[0] if how != "point" else f"{metric.name}_point"
    return Rescored(column, float(metric.function(evaluation)), "")


def _code_of(metric: Metric, decode: str) -> str:
    """A hash of the code that computes a score: an edited metric is computed again."""
    import ordbench.metrics

    own = Path(inspect.getfile(ordbench.metrics)).parent.glob("*.py")
    modules = (sys.modules.get(f.__module__) for f in (metric.function, DECODES[decode]))
    theirs = (Path(module.__file__) for module in modules if module and module.__file__)
    digest = hashlib.sha256()
    for path in sorted({*own, *theirs}):
        digest.update(path.read_bytes())
    return digest.hexdigest()
