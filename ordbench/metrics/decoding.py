"""From posteriors to estimates: how a distribution over ranks becomes one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.registry import BUILTIN_DECODES

if TYPE_CHECKING:
    from ordbench.metrics.registry import Decode

Floats = NDArray[np.floating]
Ranks = NDArray[np.integer]

# Posteriors arrive in float32 (a row sums to 1 within 1e-6) or bfloat16 (within 1e-2).
ROUNDING = 1e-6
_NOT_A_PMF = 1e-2


def argmax(probs: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The value of the likeliest rank, the lowest at a tie."""
    decoded: NDArray[np.float64] = values[probs.argmax(1)]
    return decoded


def mean(probs: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The expected value."""
    decoded: NDArray[np.float64] = probs @ values
    return decoded


def median(probs: NDArray[np.float64], values: NDArray[np.float64]) -> NDArray[np.float64]:
    """The value of the lowest rank at which the distribution function reaches 1/2.

    Less 1e-6, so that rounding in float32 cannot move a tie. It has the least expected absolute
    error.
    """
    decoded: NDArray[np.float64] = values[(probs.cumsum(1) >= 0.5 - ROUNDING).argmax(1)]
    return decoded


def estimates(
    posterior: Floats, rank_values: Sequence[float], how: str | Decode
) -> NDArray[np.float64]:
    """Decode posteriors ``(N, K)`` into estimates ``(N,)`` in the dataset's unit.

    Args:
        posterior: Probabilities; rows are scaled to sum 1 in float64.
        rank_values: K rising numbers in the dataset's unit.
        how: ``argmax``, ``mean``, ``median``, or a function of probabilities ``(N, K)`` and values
            ``(K,)``, both float64. Packages add one by an entry point of group
            ``ordbench.decodes``.

    Raises:
        ValueError: If a row is not a probability mass function, or the shapes do not fit.

    >>> posterior, ages = np.array([[0.4, 0.2, 0.3, 0.1]]), (10, 20, 30, 40)
    >>> [float(estimates(posterior, ages, how)[0].round(9)) for how in ("argmax", "mean", "median")]
    [10.0, 21.0, 20.0]
    """
    decode = BUILTIN_DECODES[how] if isinstance(how, str) else how
    probs = check_posterior(posterior, len(rank_values))
    return decode(probs, np.asarray(rank_values, dtype=np.float64))


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


def check_posterior(posterior: Floats, num_ranks: int) -> NDArray[np.float64]:
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
