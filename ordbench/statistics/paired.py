"""Are two heads different? Paired differences over the same test images and seeds."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import NamedTuple

import numpy as np

from ordbench.statistics.holm import holm
from ordbench.statistics.intervals import LEVEL, Interval, draws_of
from ordbench.statistics.resampling import Floats, Images, seed_deviations

RESAMPLES = 10_000
_PER_TEST = 80  # resamples, so that the least p value can be significant after Holm's factor
_ROUNDING = 1e-9  # of the largest score; smaller differences are none
Pair = tuple[int, int]
Seeds = tuple[int, int]


class SeedScores(NamedTuple):
    """What the runs of one head score on each of N test images.

    Attributes:
        seeds: Data seed and train seed of the S runs, each pair once.
        scores: ``(S, N)``.
    """

    seeds: Sequence[Seeds]
    scores: Floats


class Paired(NamedTuple):
    """Two heads on the same images, over the seeds that both have.

    Attributes:
        first: Mean of the first.
        second: Mean of the second.
        difference: ``first - second``.
        interval: 95 % bootstrap interval of the difference over images and seeds; over images
            alone for one seed; None for fewer than two units.
        over_images: The same over images alone, for these very runs.
        p: Two-sided p value of no difference, that of ``interval``; None as there.
        p_holm: The same by `holm` over all pairs that were compared together; None where ``p`` is,
            and for parts of the images, of which there are many.
        effect: Difference over the standard deviation of the images' differences; Cohen's d_z.
            None where that is zero.
        images: N.
        units: How many images or people were resampled.
        draws: How many seeds, of which those that share a few-shot sample count once.
    """

    first: float
    second: float
    difference: float
    interval: Interval | None
    over_images: Interval | None
    p: float | None
    p_holm: float | None
    effect: float | None
    images: int
    units: int
    draws: int


def compare(first: SeedScores, second: SeedScores, units: Sequence[str]) -> Paired | None:
    """Compare two heads; None if they have no seeds in common. See `compare_all`."""
    return compare_all([first, second], units).get((0, 1))


def compare_all(
    heads: Sequence[SeedScores], units: Sequence[str], against: Collection[int] | None = None
) -> dict[Pair, Paired]:
    """Compare every pair of heads by a bootstrap over test images and seeds.

    A resample draws units of images with replacement, and independently of that lets the mean over
    seeds deviate by a t distribution (see `seed_deviations`); both deviations are added. What
    differs by seed and image at once is in both, so the interval is rather too long than too
    short. The interval ends at the 2.5 and 97.5 percentiles, and p is twice the smaller share of
    resamples on one side of zero, counting the data as one of them.

    Args:
        heads: Scores of the same images in the same order.
        units: See `Images`. Order, of images as of heads, changes nothing.
        against: Heads of which one stands in each pair, to save time; None for all pairs. Only
            ``p_holm`` depends on it.

    Returns:
        By the indices of a pair; pairs without a common seed are left out.

    Sources: Efron and Tibshirani (1993). An introduction to the bootstrap. Owen (2007). The
    pigeonhole bootstrap. https://doi.org/10.1214/07-AOAS122. Effect size: Lakens (2013),
    https://doi.org/10.3389/fpsyg.2013.00863.
    """
    images = Images(units)
    pairs: dict[Pair, tuple[Seeds, ...]] = {}
    for first, second in combinations(range(len(heads)), 2):
        if common := common_seeds(heads[first], heads[second]):
            pairs[first, second] = common
    if not pairs:
        return {}
    wanted = sorted({(head, seeds) for pair, seeds in pairs.items() for head in pair})
    scores = {(head, seeds): by_draw(heads[head], seeds) for head, seeds in wanted}
    resamples = max(RESAMPLES, _PER_TEST * len(pairs))
    means = np.stack([one.mean(0) for one in scores.values()], 1)
    resampled = dict(zip(wanted, images.means(means, resamples).T, strict=True))
    return _with_holm(
        {
            (first, second): _paired(
                scores[first, seeds],
                scores[second, seeds],
                resampled[first, seeds] - resampled[second, seeds],
                sorted(set(draws_of(seeds))),
                images.number,
            )
            for (first, second), seeds in pairs.items()
            if against is None or {first, second} & {*against}
        }
    )


def common_seeds(first: SeedScores, second: SeedScores) -> tuple[Seeds, ...]:
    """The seeds that both heads have."""
    return tuple(sorted(set(first.seeds) & set(second.seeds)))


def by_draw(head: SeedScores, seeds: Sequence[Seeds]) -> Floats:
    """Mean scores ``(D, N)`` over the runs of each draw: see `draws_of`."""
    draws = np.asarray(draws_of(seeds))
    scores = head.scores[[head.seeds.index(pair) for pair in seeds]]
    return np.stack([scores[draws == draw].mean(0) for draw in np.unique(draws)])


def _paired(
    first: Floats, second: Floats, over_images: Floats, draws: Sequence[int], units: int
) -> Paired:
    """Compare scores ``(D, N)``; ``over_images`` are their resampled differences ``(B,)``."""
    differences = first - second
    of_images = differences.mean(0)
    deviations = seed_deviations(differences.mean(1), draws, len(over_images))
    tiny = _ROUNDING * max(np.abs(first).max(), np.abs(second).max())
    resampled = over_images + deviations
    resampled[np.abs(resampled) <= tiny] = 0.0  # equal heads differ by nothing but rounding
    tested, deviation = units > 1, of_images.std(ddof=1) if of_images.size > 1 else 0.0
    return Paired(
        first=float(first.mean()),
        second=float(second.mean()),
        difference=float(of_images.mean()),
        interval=_interval(resampled) if tested else None,
        over_images=_interval(over_images) if tested else None,
        p=_p_value(resampled) if tested else None,
        p_holm=None,
        effect=float(of_images.mean() / deviation) if deviation > tiny else None,
        images=of_images.size,
        units=units,
        draws=len(draws),
    )


def _interval(resampled: Floats) -> Interval:
    low, high = np.quantile(resampled, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    # Sums of another number of threads end in other digits.
    return Interval(float(f"{low:.12g}"), float(f"{high:.12g}"))


def _p_value(resampled: Floats) -> float:
    smaller = min(np.count_nonzero(resampled <= 0), np.count_nonzero(resampled >= 0))
    return float(min(1.0, 2 * (1 + smaller) / (1 + len(resampled))))


def _with_holm(found: dict[Pair, Paired]) -> dict[Pair, Paired]:
    tested = {pair: one.p for pair, one in found.items() if one.p is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return {pair: one._replace(p_holm=adjusted.get(pair)) for pair, one in found.items()}
