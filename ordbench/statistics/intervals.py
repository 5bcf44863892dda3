"""Confidence intervals over seeds."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from math import fsum, isfinite, sqrt
from typing import NamedTuple

LEVEL = 0.95


class Interval(NamedTuple):
    """The ends of a 95 % confidence interval, in the unit of what it is about."""

    low: float
    high: float


def draws_of(seeds: Sequence[tuple[int, int]]) -> list[int]:
    """What makes runs independent: the few-shot sample, or the train seed where all share one.

    Args:
        seeds: Data seed and train seed of each run.

    >>> draws_of([(0, 5), (0, 6)]), draws_of([(0, 5), (1, 5), (1, 6)])
    ([5, 6], [0, 1, 1])
    """
    several = len({data for data, _ in seeds}) > 1
    return [data if several else train for data, train in seeds]


def t_interval(values: Iterable[float], draws: Sequence[Hashable] = ()) -> Interval | None:
    """Student's t interval of a mean, for values that scatter normally.

    Args:
        values: One a run; those that are not finite are left out.
        draws: What each run was drawn by. Runs of one draw are not independent, so each draw
            counts once, with its mean; by default each run is a draw of its own.

    Returns:
        None for fewer than two draws, and where some draws have more runs than others, as the
        mean over runs is then not the mean over draws.

    Source: Student (1908). The probable error of a mean. https://doi.org/10.1093/biomet/6.1.1

    >>> low, high = t_interval([63.4, 15.2, 12.0])  # 30.2 ± 4.303 * 28.8 / sqrt(3)
    >>> round(low, 1), round(high, 1)
    (-41.3, 101.7)
    >>> t_interval([1.0]) is None
    True
    """
    groups: dict[Hashable, list[float]] = {}
    for index, value in enumerate(values):
        if isfinite(value):
            groups.setdefault(draws[index] if draws else index, []).append(value)
    if len(groups) < 2 or len(set(map(len, groups.values()))) > 1:
        return None
    means = [fsum(group) / len(group) for group in groups.values()]
    mean, number = fsum(means) / len(means), len(means)
    variance = fsum((one - mean) ** 2 for one in means) / (number - 1)
    half = _quantile(number - 1) * sqrt(variance / number)
    return Interval(mean - half, mean + half)


def _quantile(freedom: int) -> float:
    from scipy.special import stdtrit  # NumPy, which a table without intervals does not load

    return float(stdtrit(freedom, (1 + LEVEL) / 2))
