"""Scores of predictions: what each number means, stated as a formula.

`nll`, `rps` and `unimodal` are functions of the posterior, all others of the estimates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.decoding import ROUNDING, Floats, Ranks, estimates
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.registry import BUILTIN_DECODES, Metric

NLL_FLOOR = 1e-12

# Columns of ChaLearn LAP's files: a raters' mean and standard deviation, in the dataset's unit.
RATERS_MEAN = "mean"
RATERS_DEVIATION = "stdv"


def mae(evaluation: Evaluation) -> float:
    """Mean absolute error, in the dataset's unit."""
    return float(evaluation.errors.mean())


def accuracy(evaluation: Evaluation) -> float:
    """Share of images whose nearest rank is the true one."""
    return float((evaluation.predicted_ranks == evaluation.ranks).mean())


def cumulative_score(evaluation: Evaluation, k: float) -> float:
    """CS@k: share of absolute errors of at most ``k`` units (1e-6 more is still at most)."""
    return float((evaluation.errors <= k + ROUNDING).mean())


def off1(evaluation: Evaluation) -> float:
    """1-off accuracy: share of images whose nearest rank is the true one or a neighbour of it."""
    return float((np.abs(evaluation.predicted_ranks - evaluation.ranks) <= 1).mean())


def epsilon_error(evaluation: Evaluation) -> float:
    """Mean of 1 - exp(-(x - m)^2 / (2 s^2)), for raters' mean m and standard deviation s.

    They are the extra values ``mean`` (the true rank's value, where it is not given) and ``stdv``
    of a sample. Images without ``stdv`` are left out; NaN if none has it. Where raters agree
    (s = 0), an exact estimate scores 0 and any other 1.

    Source: Escalera et al. (2015). ChaLearn Looking at People 2015: apparent age and cultural
    event recognition datasets and results. ICCV workshops.
    """
    values = np.asarray(evaluation.rank_values, np.float64)[evaluation.ranks]
    mean, deviation = (_extra(evaluation, name) for name in (RATERS_MEAN, RATERS_DEVIATION))
    known = ~np.isnan(deviation)
    if not known.any():
        return float("nan")
    distance = np.abs(evaluation.estimates - np.where(np.isnan(mean), values, mean))[known]
    spread = deviation[known]
    ratio = np.where(distance > ROUNDING, np.inf, 0.0)
    np.divide(distance, spread, out=ratio, where=spread > 0)
    return float(-np.expm1(-np.square(ratio) / 2).mean())


def _extra(evaluation: Evaluation, name: str) -> NDArray[np.float64]:
    """An extra value of each image ``(N,)``, NaN where it is not known."""
    known = evaluation.extra.get(name, [None] * len(evaluation.ranks))
    return np.array([np.nan if value is None else float(value) for value in known])


def qwk(evaluation: Evaluation) -> float:
    """Cohen's kappa of the nearest ranks, with weights (i - j)^2; NaN if it is 0/0.

    1 - E(p - r)^2 / E(p - r')^2, where r' belongs to an image drawn independently of p's. Ranks
    that nobody shows or predicts do not matter, as the weights are those of all K ranks. A
    constant prediction scores 0; it is 0/0 if the truth is that constant as well. Agrees with
    ``sklearn.metrics.cohen_kappa_score(weights="quadratic", labels=range(K))``.

    >>> seen = {"rank_values": (0, 1, 2), "ranks": np.array([0, 1])}
    >>> qwk(Evaluation(estimates=np.array([0, 2]), **seen))  # 1 - (0 + 1) / 2 / ((0+1+4+1) / 4)
    0.6666666666666667
    """
    predicted, ranks = evaluation.predicted_ranks, evaluation.ranks
    observed = float(np.square(predicted - ranks, dtype=np.float64).mean())
    chance = float(predicted.var() + ranks.var() + (predicted.mean() - ranks.mean()) ** 2)
    return 1 - observed / chance if chance else float("nan")


def nll(evaluation: Evaluation) -> float:
    """Mean of -ln of the true rank's probability, in nats per image.

    Probabilities below 1e-12 count as 1e-12, so one image costs at most 27.6 nats.
    """
    ranks, probs = evaluation.ranks, evaluation.probs
    return float(-np.log(np.maximum(probs[np.arange(len(ranks)), ranks], NLL_FLOOR)).mean())


def rps(evaluation: Evaluation) -> float:
    """Ranked probability score, in rank steps, not divided by K - 1.

    Sum over k of (P(rank <= k) - [true rank <= k])^2, averaged over images. A certain
    prediction scores its distance in rank steps.
    """
    probs = evaluation.probs
    steps = np.arange(probs.shape[1], dtype=np.int64)
    true = steps >= evaluation.ranks[:, None]
    return float(np.square(probs.cumsum(1) - true).sum(1).mean())


def unimodal(evaluation: Evaluation) -> float:
    """Share of posteriors that rise to one mode, or stay level, and then fall.

    Steps of at most 1e-6 count as level, as they may be rounding.

    >>> seen = {"rank_values": (0, 1, 2), "ranks": np.zeros(2, int), "estimates": np.zeros(2)}
    >>> unimodal(Evaluation(posterior=np.array([[0.1, 0.5, 0.4], [0.4, 0.2, 0.4]]), **seen))
    0.5
    """
    steps = np.diff(evaluation.probs)
    fallen = np.logical_or.accumulate(steps < -ROUNDING, axis=1)
    return float((~(fallen & (steps > ROUNDING)).any(1)).mean())


def point_scores(
    estimated: Floats, ranks: Ranks, rank_values: Sequence[float], metrics: Iterable[Metric]
) -> dict[str, float]:
    """The scores of estimates ``(N,)`` in the dataset's unit that need no posterior, by name.

    Raises:
        ValueError: As `Evaluation`.
    """
    evaluation = Evaluation(ranks=ranks, rank_values=rank_values, estimates=estimated)
    return {m.name: m.function(evaluation) for m in metrics if not m.of_posterior}


def scores(
    posterior: Floats, ranks: Ranks, rank_values: Sequence[float], metrics: Sequence[Metric]
) -> dict[str, dict[str, float]]:
    """`point_scores` of each decoding, and under ``posterior`` the scores that need none.

    Raises:
        ValueError: As `Evaluation`.
    """
    decoded = {how: estimates(posterior, rank_values, how) for how in BUILTIN_DECODES}
    table = {
        how: point_scores(values, ranks, rank_values, metrics) for how, values in decoded.items()
    }
    evaluation = Evaluation(
        ranks=ranks, rank_values=rank_values, estimates=decoded["median"], posterior=posterior
    )
    table["posterior"] = {m.name: m.function(evaluation) for m in metrics if m.of_posterior}
    return table
