import math
from collections.abc import Sequence
from itertools import combinations
from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from ordbench.statistics.paired import Paired, SeedScores, compare, compare_all

SEEDS = [(seed, seed) for seed in range(3)]


def heads(
    number: int, generator: np.random.Generator, *, images: int = 100, spread: float = 0.3
) -> list[SeedScores]:
    """Heads that are equal but for chance: in images, in seeds, and in both."""
    hard = generator.exponential(2, images)
    return [
        SeedScores(
            SEEDS,
            hard
            + generator.normal(0, 1, images)
            + generator.normal(0, spread, (3, 1))
            + generator.normal(0, 1, (3, images)),
        )
        for _ in range(number)
    ]


def names(images: int, trial: int = 0) -> list[str]:
    return [f"{trial}/{index}.jpg" for index in range(images)]


def worse(head: SeedScores, by: float) -> SeedScores:
    return SeedScores(head.seeds, head.scores + by)


@pytest.mark.parametrize("spread", [0.0, 0.3])
def test_ten_equal_heads_are_told_apart_in_at_most_5_percent(spread: float) -> None:
    trials, errors = 25, 0
    for trial in range(trials):
        equal = heads(10, np.random.default_rng(trial), spread=spread)
        found = compare_all(equal, names(100, trial)).values()
        errors += any(one.p_holm is not None and one.p_holm < 0.05 for one in found)
    assert errors <= trials * 0.05 + 3 * math.sqrt(trials * 0.05 * 0.95)


def test_intervals_cover_the_true_difference() -> None:
    covered: list[bool] = []
    for trial in range(200):
        first, second = heads(2, np.random.default_rng(trial))
        found = compare(worse(first, 0.5), second, names(100, trial))
        assert found
        assert found.interval
        covered.append(found.interval.low <= 0.5 <= found.interval.high)
    assert fmean(covered) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 200)


def test_a_clear_difference_is_found() -> None:
    first, second = heads(2, np.random.default_rng(0), images=2000, spread=0.02)
    found = compare(worse(first, 1.0), second, names(2000))
    assert found
    assert found.p is not None
    assert found.interval
    assert found.p < 0.01
    assert found.interval.low > 0.8
    back = compare(second, worse(first, 1.0), names(2000))
    assert back
    assert back.difference == -found.difference
    assert back.p == found.p
    assert back.interval == pytest.approx((-found.interval.high, -found.interval.low))


def test_one_seed_is_compared_as_scipy_does() -> None:
    generator = np.random.default_rng(3)
    first, second = (
        SeedScores([(0, 0)], head.scores[:1]) for head in heads(2, generator, images=300)
    )
    found = compare(worse(first, 0.2), second, names(300))
    assert found
    differences = (first.scores + 0.2 - second.scores)[0]
    peer = stats.bootstrap(
        (differences,), np.mean, n_resamples=10_000, method="percentile", rng=generator
    ).confidence_interval
    assert found.interval == found.over_images == pytest.approx(tuple(peer), abs=0.02)
    _, p_of_t = np.asarray(stats.ttest_1samp(differences, 0))
    assert found.p == pytest.approx(p_of_t, abs=0.01)
    assert found.effect == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert found.draws == 1


def test_equal_scores_are_indistinguishable() -> None:
    (head,) = heads(1, np.random.default_rng(0))
    found = compare_all([head] * 4, names(100))
    for one in found.values():
        assert (one.difference, one.interval, one.effect) == (0.0, (0.0, 0.0), None)
        assert (one.p, one.p_holm) == (1.0, 1.0)


def test_the_order_of_heads_images_and_seeds_does_not_matter() -> None:
    equal = heads(4, np.random.default_rng(5))
    order = np.random.default_rng(6).permutation(100)
    units = names(100)
    turned = [SeedScores(head.seeds[::-1], head.scores[::-1][:, order]) for head in reversed(equal)]
    found = compare_all(equal, units)
    again = compare_all(turned, [units[index] for index in order])
    for first, second in combinations(range(4), 2):
        one, other = found[first, second], again[3 - second, 3 - first]
        assert (other.p, other.p_holm) == (one.p, one.p_holm)
        assert numbers(other) == pytest.approx([-number for number in numbers(one)[::-1]])


def numbers(one: Paired) -> Sequence[float]:
    assert one.interval
    return [one.interval.low, one.difference, one.interval.high]


def test_only_seeds_of_both_are_compared_and_a_few_shot_sample_counts_once() -> None:
    scores = np.arange(12, dtype=float).reshape(4, 3)
    first = SeedScores([(0, 0), (0, 1), (1, 0), (9, 9)], scores)
    second = SeedScores([(1, 0), (0, 1), (0, 0)], np.zeros((3, 3)))
    found = compare(first, second, names(3))
    assert found
    # Samples 0 and 1: the mean of 1 and 4, and 7.
    assert (found.first, found.second, found.draws) == ((2.5 + 7.0) / 2, 0.0, 2)
    assert compare(first, SeedScores([(8, 8)], np.zeros((1, 3))), names(3)) is None


def test_one_person_shows_no_spread() -> None:
    first, second = heads(2, np.random.default_rng(0))
    found = compare(first, second, ["one person"] * 100)
    assert found
    assert (found.interval, found.p, found.p_holm, found.units) == (None, None, None, 1)
