"""Scores of predictions: what each number means, stated as a formula, with its decoding.

Posteriors ``(N, K)`` become estimates ``(N,)`` in the dataset's unit by an explicit decoding;
everything but `nll` and `rps` is a function of these estimates. Ranks are int64 in 0..K-1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ordbench.metric_names import CS_UNITS, DECODES, Column, Decode

Floats = NDArray[np.floating]
Ranks = NDArray[np.integer]

NLL_FLOOR = 1e-12
# Posteriors arrive in float32 (a row sums to 1 within 1e-6) or bfloat16 (within 1e-2).
ROUNDING = 1e-6
_NOT_A_PMF = 1e-2


def estimates(posterior: Floats, rank_values: Sequence[float], how: Decode) -> NDArray[np.float64]:
    """Decode posteriors ``(N, K)`` into estimates ``(N,)`` in the dataset's unit.

    Args:
        posterior: Probabilities; rows are brought to sum 1 in float64.
        rank_values: K rising numbers in the dataset's unit.
        how: ``argmax`` is the value of the likeliest rank, the lowest at a tie. ``mean`` is the
            expected value. ``median`` is the value of the lowest rank at which the distribution
            function reaches 1/2, less 1e-6 so that rounding in float32 cannot move a tie; it
            has the least expected absolute error.

    Raises:
        ValueError: If a row is not a probability mass function, or the shapes do not fit.

    >>> posterior, ages = np.array([[0.4, 0.2, 0.3, 0.1]]), (10, 20, 30, 40)
    >>> [float(estimates(posterior, ages, how)[0].round(9)) for how in DECODES]
    [10.0, 21.0, 20.0]
    """
    probs = _proper(posterior, len(rank_values))
    values = np.asarray(rank_values, dtype=np.float64)
    decoded: NDArray[np.float64]
    if how == "mean":
        decoded = probs @ values
    elif how == "argmax":
        decoded = values[probs.argmax(1)]
    else:
        decoded = values[(probs.cumsum(1) >= 0.5 - ROUNDING).argmax(1)]
    return decoded


def to_unit(positions: Floats, rank_values: Sequence[float]) -> NDArray[np.float64]:
    """Map positions ``(N,)`` in rank steps to the dataset's unit, linearly between ranks.

    Positions below 0 or above K - 1 become the first or the last value.

    >>> to_unit(np.array([0.0, 1.5, 9.0]), (1930, 1940, 1960)).tolist()
    [1930.0, 1950.0, 1960.0]
    """
    return np.interp(positions, np.arange(len(rank_values)), np.asarray(rank_values, np.float64))


def nearest_ranks(estimated: Floats, rank_values: Sequence[float]) -> NDArray[np.int64]:
    """Ranks ``(N,)`` whose values lie nearest to the estimates; the lower one at a tie.

    >>> nearest_ranks(np.array([-3.0, 14.9, 15.0, 15.1]), (10, 20)).tolist()
    [0, 0, 0, 1]
    """
    values = np.asarray(rank_values, dtype=np.float64)
    return np.searchsorted((values[1:] + values[:-1]) / 2, estimated, side="left").astype(np.int64)


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
    probs = _proper(posterior, posterior.shape[-1])
    _check_ranks(ranks, *probs.shape)
    return float(-np.log(np.maximum(probs[np.arange(len(ranks)), ranks], NLL_FLOOR)).mean())


def rps(posterior: Floats, ranks: Ranks) -> float:
    """Ranked probability score, in rank steps, not divided by K - 1.

    Sum over k of (P(rank <= k) - [true rank <= k])^2, averaged over images. A certain
    prediction scores its distance in rank steps.

    >>> rps(np.array([[0.5, 0.0, 0.5], [0.0, 0.0, 1.0]]), np.array([0, 0]))  # (1/2 + 2) / 2
    1.25
    """
    probs = _proper(posterior, posterior.shape[-1])
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


def _proper(posterior: Floats, num_ranks: int) -> NDArray[np.float64]:
    """The posterior in float64 with rows of sum 1, if it is one to rounding."""
    if posterior.ndim != 2 or posterior.shape[1] != num_ranks:
        raise ValueError(f"posterior must be (N, {num_ranks}), got {posterior.shape}")
    probs = np.asarray(posterior, dtype=np.float64)
    sums = probs.sum(1, keepdims=True)
    proper = (np.abs(sums - 1) <= _NOT_A_PMF).all(1) & (probs >= 0).all(1)
    if not proper.all():
        row = int(proper.argmin())
        raise ValueError(
            f"posterior row {row} must hold probabilities of sum 1, got a least entry of "
            f"{probs[row].min():.4g} and a sum of {sums[row, 0]:.6g}"
        )
    normalised: NDArray[np.float64] = probs / sums
    return normalised


def _check_ranks(ranks: Ranks, num_images: int, num_ranks: int) -> None:
    if ranks.shape != (num_images,) or not num_images:
        raise ValueError(f"ranks must be ({num_images},) and not empty, got {ranks.shape}")
    if ranks.min() < 0 or ranks.max() >= num_ranks:
        raise ValueError(
            f"ranks must lie in 0..{num_ranks - 1} (num_ranks={num_ranks}), "
            f"got {ranks.min()}..{ranks.max()}"
        )
