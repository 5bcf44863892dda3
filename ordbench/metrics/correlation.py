"""How well estimates follow the truth, wherever they lie and however they are spread.

NaN where estimates or true ranks are all the same: to 1e-6 of the distance from the first value to
the last, so that rounding is not taken for an order.
"""

from __future__ import annotations

import numpy as np
from scipy import stats

from ordbench.metrics.decoding import ROUNDING
from ordbench.metrics.evaluation import Evaluation


def kendall(evaluation: Evaluation) -> float:
    """Kendall's tau-b of estimates and true ranks; ties are neither in order nor out of it.

    >>> seen = {"rank_values": (0, 1, 5), "ranks": np.array([0, 1, 2])}
    >>> round(kendall(Evaluation(estimates=np.array([0, 4, 3]), **seen)), 6)  # (2 - 1) / 3
    0.333333
    """
    if _constant(evaluation):
        return float("nan")
    tau, _ = np.asarray(stats.kendalltau(evaluation.estimates, evaluation.ranks))
    return float(tau)


def spearman(evaluation: Evaluation) -> float:
    """Spearman's rho of estimates and true ranks (SRCC)."""
    if _constant(evaluation):
        return float("nan")
    rho, _ = np.asarray(stats.spearmanr(evaluation.estimates, evaluation.ranks))
    return float(rho)


def pearson(evaluation: Evaluation) -> float:
    """Pearson's r of estimates and true values (PLCC)."""
    if _constant(evaluation):
        return float("nan")
    true = np.asarray(evaluation.rank_values, np.float64)[evaluation.ranks]
    return float(np.corrcoef(evaluation.estimates, true)[0, 1])


def _constant(evaluation: Evaluation) -> bool:
    extent = evaluation.rank_values[-1] - evaluation.rank_values[0]
    same = np.ptp(evaluation.estimates) <= ROUNDING * extent
    return bool(same or np.ptp(evaluation.ranks) == 0)
