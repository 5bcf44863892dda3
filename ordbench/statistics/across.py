"""Heads compared over several datasets, whose scores are in different units: by ranks and wins."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from math import log, sqrt
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ordbench.statistics.intervals import LEVEL, Interval

MIN_DATASETS = 6  # with five, not even one order everywhere is significant by a sign test (2 / 2^5)
RESAMPLES = 1000
ELO = 400 / log(10)  # Elo points a unit of log-odds
MEAN_ELO = 1000.0
_ITERATIONS = 200
_CONVERGED = 1e-6
Floats = NDArray[np.float64]


class Standing(NamedTuple):
    """One head among k heads over N datasets.

    Attributes:
        mean_rank: Mean of its ranks in 1..k, 1 the best; equal scores share the mean of theirs.
        borda: Mean of the share of other heads that it beats; a tie counts half. 0..1.
        elo: Strength by the Bradley-Terry model, in Elo points; the mean over heads is 1000.
        elo_interval: 95 % bootstrap interval over datasets; None below `MIN_DATASETS`.
    """

    mean_rank: float
    borda: float
    elo: float
    elo_interval: Interval | None


class Friedman(NamedTuple):
    """The test that all heads are equal, and how far mean ranks must be apart if they are not.

    Attributes:
        statistic: Friedman's chi-squared.
        p: Its p value.
        critical_difference: Of mean ranks, by Nemenyi, at alpha 0.05.
    """

    statistic: float
    p: float
    critical_difference: float


def standings(errors: Sequence[Sequence[float]], heads: Sequence[str]) -> list[Standing]:
    """Order heads over datasets.

    Bradley-Terry: head i beats head j with the odds of their strengths, and every dataset is a
    game of each pair. Each pair has one draw besides, so that a head that always wins has a finite
    strength. The point estimate is that of the data, the interval that of resampled datasets.

    Args:
        errors: ``(N, k)``, a row a dataset; less is better; all of them known.
        heads: Names of the k heads, which start the generator with the errors.

    Sources: Hunter (2004). MM algorithms for generalized Bradley-Terry models.
    https://doi.org/10.1214/aos/1079120141. Demšar (2006), as `friedman`.

    >>> [(one.mean_rank, one.borda) for one in standings([[1, 2, 3], [1, 3, 3]], "abc")]
    [(1.0, 1.0), (2.25, 0.375), (2.75, 0.125)]
    """
    order = np.argsort(np.asarray(list(heads), np.str_), kind="stable")
    table = np.asarray(errors, np.float64)[:, order]
    table = table[np.lexsort(table.T)]  # the order of datasets must not matter
    wins = np.where(table[:, :, None] < table[:, None, :], 1.0, 0.0)
    wins += np.where(table[:, :, None] == table[:, None, :], 0.5, 0.0)
    number = table.shape[1]
    beaten = wins.sum(2) - 0.5  # its tie with itself
    elo = _elo(wins.sum(0)[None])[0]
    ends: list[Interval | None] = [None] * number
    if len(table) >= MIN_DATASETS:
        weights = _weights(len(table), [str(heads[at]) for at in order.tolist()])
        games = np.tensordot(weights, wins, 1)
        low, high = np.quantile(_elo(games), [(1 - LEVEL) / 2, (1 + LEVEL) / 2], axis=0)
        ends = [Interval(*pair) for pair in zip(low.tolist(), high.tolist(), strict=True)]
    found = {
        at: Standing(
            mean_rank=float((number - beaten[:, place]).mean()),
            borda=float(beaten[:, place].mean() / max(1, number - 1)),
            elo=float(elo[place]),
            elo_interval=ends[place],
        )
        for place, at in enumerate(order.tolist())
    }
    return [found[at] for at in range(number)]


def friedman(errors: Sequence[Sequence[float]]) -> Friedman | None:
    """Friedman's test with Nemenyi's critical difference.

    Args:
        errors: ``(N, k)`` as in `standings`.

    Returns:
        None for fewer than `MIN_DATASETS` datasets or three heads, and where all heads are equal
        everywhere.

    Source: Demšar (2006). Statistical comparisons of classifiers over multiple data sets.
    Journal of Machine Learning Research 7.
    """
    from scipy import stats

    table = np.asarray(errors, np.float64)
    datasets, heads = table.shape
    if datasets < MIN_DATASETS or heads < 3 or (table == table[:, :1]).all():
        return None
    statistic, p_value = np.asarray(stats.friedmanchisquare(*table.T))
    quantile = float(stats.studentized_range.ppf(LEVEL, heads, np.inf)) / sqrt(2)
    difference = quantile * sqrt(heads * (heads + 1) / (6 * datasets))
    return Friedman(float(statistic), float(p_value), difference)


def _weights(datasets: int, heads: Sequence[str]) -> Floats:
    """How often each dataset is drawn ``(B, N)``."""
    seed = hashlib.sha256(json.dumps([datasets, *heads]).encode()).digest()[:16]
    generator = np.random.default_rng(int.from_bytes(seed, "big"))
    return generator.multinomial(datasets, np.full(datasets, 1 / datasets), RESAMPLES).astype(
        np.float64
    )


def _elo(wins: Floats) -> Floats:
    """Strengths ``(B, k)`` by Hunter's MM algorithm, of wins ``(B, k, k)`` of row over column."""
    number = wins.shape[1]
    others = 1 - np.eye(number)
    won = (wins + 0.5) * others
    games = won + won.transpose(0, 2, 1)
    strength = np.ones(wins.shape[:2])
    if number < 2:
        return np.full_like(strength, MEAN_ELO)
    for _ in range(_ITERATIONS):
        pairs = games / (strength[:, :, None] + strength[:, None, :])
        new = won.sum(2) / pairs.sum(2)
        new /= np.exp(np.log(new).mean(1, keepdims=True))
        moved = np.abs(np.log(new / strength)).max()
        strength = new
        if moved < _CONVERGED:
            break
    return MEAN_ELO + ELO * np.log(strength)
