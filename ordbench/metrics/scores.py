"""Scores of predictions: what each number means, stated as a formula.

`nll` and `rps` are functions of the posterior, all others of the estimates.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from ordbench.metrics.decoding import ROUNDING, Floats, Ranks, estimates
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.registry import BUILTIN_DECODES, Metric

NLL_FLOOR = 1e-12


def mae(evaluation: Evaluation) -> float:
    """Mean absolute error, in the dataset's unit."""
    return float(evaluation.errors.mean())


def accuracy(evaluation: Evaluation) -> float:
    """Share of images whose nearest rank is the true one."""
    return float((evaluation.predicted_ranks == evaluation.ranks).mean())


def cumulative_score(evaluation: Evaluation, k: float) -> float:
    """CS@k: share of absolute errors of at most ``k`` units (1e-6 more is still at most)."""
    return float((evaluation.errors <= k + ROUNDING).mean())


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
