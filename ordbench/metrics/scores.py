"""Scores of predictions: what each number means, stated as a formula, with its decoding.

Posteriors ``(N, K)`` become estimates ``(N,)`` in the dataset's unit by an explicit decoding;
everything but `nll` and `rps` is a function of these estimates. Ranks are int64 in 0..K-1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.decoding import (
    ROUNDING,
    Floats,
    Ranks,
    check_posterior,
    estimates,
    nearest_ranks,
)
from ordbench.metrics.registry import CS_UNITS, DECODES, Column

NLL_FLOOR = 1e-12


def absolute_errors(
    estimated: Floats, ranks: Ranks, rank_values: Sequence[float]
) -> NDArray[np.float64]:
    """Distances ``(N,)`` of estimates from the true ranks' values, in the dataset's unit.

    Raises:
        ValueError: If there are no images, shapes differ, an estimate is not finite, or a rank
            is out of range.

    >>> absolute_errors(np.array([12.5, 40.0]), np.array([0, 1]), (10, 20)).tolist()
    [2.5, 20.0]
    """
    _check_ranks(ranks, len(estimated), len(rank_values))
    if not np.isfinite(estimated).all():
        raise ValueError("estimates must be finite, got nan or infinity")
    errors: NDArray[np.float64] = np.abs(
        np.asarray(estimated, np.float64) - np.asarray(rank_values, np.float64)[ranks]
    )
    return errors


def cumulative_score(errors: Floats, k: float) -> float:
    """CS@k: share of absolute errors of at most ``k`` units (1e-6 more is still at most).

    >>> cumulative_score(np.array([0.0, 1.0, 1.1, 9.0]), 1)
    0.5
    """
    return float((errors <= k + ROUNDING).mean())


def qwk(predicted: Ranks, ranks: Ranks) -> float:
    """Cohen's kappa with weights (i - j)^2 between ranks i and j; nan if it is 0/0.

    1 - E(p - r)^2 / E(p - r')^2, where r' belongs to an image drawn independently of p's. Ranks
    that nobody shows or predicts do not matter, as the weights are those of all K ranks. A
    constant prediction scores 0; it is 0/0 if the truth is that constant as well. Agrees with
    ``sklearn.metrics.cohen_kappa_score(weights="quadratic", labels=range(K))``.

    >>> qwk(np.array([0, 2]), np.array([0, 1]))  # 1 - (0 + 1) / 2 / ((0 + 1 + 4 + 1) / 4)
    0.6666666666666667
    """
    observed = float(np.square(predicted - ranks, dtype=np.float64).mean())
    chance = float(predicted.var() + ranks.var() + (predicted.mean() - ranks.mean()) ** 2)
    return 1 - observed / chance if chance else float("nan")


def nll(posterior: Floats, ranks: Ranks) -> float:
    """Mean of -ln of the true rank's probability, in nats per image.

    Probabilities below 1e-12 count as 1e-12, so one image costs at most 27.6 nats.

    >>> round(nll(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0])), 4)  # ln(2) / 2
    0.3466
    """
    probs = check_posterior(posterior, posterior.shape[-1])
    _check_ranks(ranks, *probs.shape)
    return float(-np.log(np.maximum(probs[np.arange(len(ranks)), ranks], NLL_FLOOR)).mean())


def rps(posterior: Floats, ranks: Ranks) -> float:
    """Ranked probability score, in rank steps, not divided by K - 1.

    Sum over k of (P(rank <= k) - [true rank <= k])^2, averaged over images. A certain
    prediction scores its distance in rank steps.

    >>> rps(np.array([[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]), np.array([0, 0]))  # (1/2 + 2) / 2
    1.25
    """
    probs = check_posterior(posterior, posterior.shape[-1])
    _check_ranks(ranks, *probs.shape)
    steps = np.arange(probs.shape[1], dtype=np.int64)
    return float(np.square(probs.cumsum(1) - (steps >= ranks[:, None])).sum(1).mean())


def point_scores(estimated: Floats, ranks: Ranks, rank_values: Sequence[float]) -> dict[str, float]:
    """MAE, accuracy, CS@k and QWK of estimates ``(N,)`` in the dataset's unit.

    Accuracy and QWK are those of the nearest ranks.

    Raises:
        ValueError: As `absolute_errors`.

    >>> got = point_scores(np.array([1.5, 5.0]), np.array([0, 1]), (1, 3, 5))
    >>> got["mae"], got["accuracy"], got["cs@1"]  # errors of 0.5 and 2
    (1.25, 0.5, 0.5)
    """
    errors = absolute_errors(estimated, ranks, rank_values)
    predicted = nearest_ranks(estimated, rank_values)
    return {
        "mae": float(errors.mean()),
        "accuracy": float((predicted == ranks).mean()),
        **{f"cs@{k}": cumulative_score(errors, k) for k in CS_UNITS},
        "qwk": qwk(predicted, ranks),
    }


def scores(
    posterior: Floats, ranks: Ranks, rank_values: Sequence[float]
) -> dict[Column, dict[str, float]]:
    """`point_scores` of each decoding, and under ``posterior`` what needs none: NLL and RPS.

    Raises:
        ValueError: As `estimates` and `absolute_errors`.

    >>> got = scores(np.array([[0.0, 1.0]]), np.array([0]), (20, 23))
    >>> got["median"]["mae"], got["posterior"]["rps"]
    (3.0, 1.0)
    """
    table: dict[Column, dict[str, float]] = {
        how: point_scores(estimates(posterior, rank_values, how), ranks, rank_values)
        for how in DECODES
    }
    table["posterior"] = {"nll": nll(posterior, ranks), "rps": rps(posterior, ranks)}
    return table


def _check_ranks(ranks: Ranks, num_images: int, num_ranks: int) -> None:
    if ranks.shape != (num_images,) or not num_images:
        raise ValueError(f"ranks must be ({num_images},) and not empty, got {ranks.shape}")
    if ranks.min() < 0 or ranks.max() >= num_ranks:
        raise ValueError(
            f"ranks must lie in 0..{num_ranks - 1} (num_ranks={num_ranks}), "
            f"got {ranks.min()}..{ranks.max()}"
        )
