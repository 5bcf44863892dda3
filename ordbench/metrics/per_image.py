"""The scores of single images, for metrics that are means over images.

A second writing of their formulas, as those of a run's metrics are in the run id of every head.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.decoding import ROUNDING
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.registry import Metric, parse_cumulative_score
from ordbench.metrics.scores import NLL_FLOOR

PerImage = Callable[[Evaluation], NDArray[np.float64]]


def per_image(metric: Metric) -> PerImage | None:
    """The function of scores ``(N,)`` whose mean is the metric; None if it is no mean over images.

    Args:
        metric: Of those that other packages bring, none counts as a mean.

    >>> from ordbench.metrics.registry import BUILTIN_METRICS
    >>> scores = per_image(BUILTIN_METRICS["mae"])
    >>> seen = {"rank_values": (10, 20), "ranks": np.array([0, 1])}
    >>> scores(Evaluation(estimates=np.array([12, 40]), **seen)).tolist()
    [2.0, 20.0]
    """
    if parse_cumulative_score(metric.name):
        return _within(float(metric.name.partition("@")[2]))
    return _MEANS.get(metric.name)


def _within(k: float) -> PerImage:
    return lambda seen: (seen.errors <= k + ROUNDING).astype(np.float64)


def _steps_off(seen: Evaluation) -> NDArray[np.int64]:
    steps: NDArray[np.int64] = np.abs(seen.predicted_ranks - seen.ranks)
    return steps


def _nll(seen: Evaluation) -> NDArray[np.float64]:
    of_true = seen.probs[np.arange(len(seen.ranks)), seen.ranks]
    return -np.log(np.maximum(of_true, NLL_FLOOR))


def _rps(seen: Evaluation) -> NDArray[np.float64]:
    true = np.arange(seen.probs.shape[1]) >= seen.ranks[:, None]
    scores: NDArray[np.float64] = np.square(seen.probs.cumsum(1) - true).sum(1)
    return scores


def _brier(seen: Evaluation) -> NDArray[np.float64]:
    true = np.arange(seen.probs.shape[1]) == seen.ranks[:, None]
    scores: NDArray[np.float64] = np.square(seen.probs - true).sum(1)
    return scores


_MEANS: dict[str, PerImage] = {
    "mae": lambda seen: seen.errors,
    "accuracy": lambda seen: (_steps_off(seen) == 0).astype(np.float64),
    "off1": lambda seen: (_steps_off(seen) <= 1).astype(np.float64),
    "nll": _nll,
    "rps": _rps,
    "brier": _brier,
}
