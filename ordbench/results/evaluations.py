"""Stored predictions as metrics take them: the truth, decoded estimates and the posterior."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from ordbench.errors import StoreError
from ordbench.metrics.decoding import estimates
from ordbench.metrics.evaluation import Calibration, Evaluation
from ordbench.plugins.registry import DECODES
from ordbench.results.layout import archive_path
from ordbench.results.store import Store

if TYPE_CHECKING:
    from ordbench.runs.predictions import Predictions
    from ordbench.runs.record import Record


class Decoded(NamedTuple):
    """Predictions, and how their posteriors became estimates: ``point`` where there are none."""

    decode: str
    evaluation: Evaluation


def decoded(
    predictions: Predictions,
    rank_values: Sequence[float],
    decode: str,
    calibration: Calibration | None = None,
) -> Decoded:
    """Decode predictions; a head without a posterior answers with its point estimates.

    Args:
        predictions: Of the test images.
        rank_values: K rising numbers in the dataset's unit.
        decode: Name of a decoding.
        calibration: Of the validation images, for metrics that need them.

    Raises:
        UnknownPluginError: If there is no such decoding.
        ValueError: If the predictions are not of these ranks.
    """
    posterior = predictions.posterior
    evaluation = Evaluation(
        ranks=predictions.ranks,
        rank_values=rank_values,
        estimates=predictions.estimates["point"]
        if posterior is None
        else estimates(posterior, rank_values, DECODES[decode]),
        posterior=posterior,
        samples=predictions.samples,
        extra=predictions.extra,
        calibration=calibration,
    )
    return Decoded("point" if posterior is None else decode, evaluation)


def read_decoded(results: Path, record: Record, decode: str = "median") -> Decoded:
    """The stored predictions of a run.

    Raises:
        StoreError: If there are none, or they are not those of the record.
    """
    if archive := archive_path(results):
        raise StoreError(f"{archive} is an archive, which holds no predictions")
    predictions = Store(results).read_predictions(record.run_id)
    values = (record.task.rank_values if record.task else ()) or predictions.rank_values
    try:
        return decoded(predictions, values, decode)
    except ValueError as error:
        raise StoreError(
            f"the predictions of run {record.run_id} cannot be used: {error}; run it again"
        ) from error
