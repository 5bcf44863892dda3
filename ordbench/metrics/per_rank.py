"""Scores in which every rank counts the same, however few images show it.

A rank that no image shows has neither an error nor a sensitivity, and is left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.evaluation import Evaluation


def amae(evaluation: Evaluation) -> float:
    """Average MAE: the mean over ranks of the MAE of each, in the dataset's unit.

    Source: Baccianella, Esuli and Sebastiani (2009). Evaluation measures for ordinal regression.
    https://doi.org/10.1109/ISDA.2009.230

    >>> seen = {"rank_values": (0, 10, 30), "ranks": np.array([0, 0, 0, 2])}
    >>> amae(Evaluation(estimates=np.array([0, 0, 3, 10]), **seen))  # (1 + 20) / 2
    10.5
    """
    return float(_means(evaluation, evaluation.errors).mean())


def mmae(evaluation: Evaluation) -> float:
    """Maximum MAE: the MAE of the rank that is estimated worst, in the dataset's unit.

    Source: Cruz-Ramírez et al. (2014). Metrics to guide a multi-objective evolutionary algorithm
    for ordinal classification. https://doi.org/10.1016/j.neucom.2013.05.058
    """
    return float(_means(evaluation, evaluation.errors).max())


def minimum_sensitivity(evaluation: Evaluation) -> float:
    """The least sensitivity: the share of a rank's images whose nearest rank is that one."""
    return float(_sensitivities(evaluation).min())


def geometric_mean_sensitivity(evaluation: Evaluation) -> float:
    """The geometric mean of the sensitivities of all ranks; 0 if one is 0."""
    sensitivities = _sensitivities(evaluation)
    if not sensitivities.all():
        return 0.0
    return float(np.exp(np.log(sensitivities).mean()))


def _sensitivities(evaluation: Evaluation) -> NDArray[np.float64]:
    return _means(evaluation, evaluation.predicted_ranks == evaluation.ranks)


def _means(
    evaluation: Evaluation, values: NDArray[np.float64] | NDArray[np.bool_]
) -> NDArray[np.float64]:
    """The mean of ``(N,)`` values over the images of each rank that is shown."""
    counts = np.bincount(evaluation.ranks)
    sums = np.bincount(evaluation.ranks, weights=values)
    means: NDArray[np.float64] = sums[counts > 0] / counts[counts > 0]
    return means
