"""Each formula stands here a second time, as loops."""

import math
from collections.abc import Callable
from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from ordbench.metrics.correlation import kendall, pearson, spearman
from ordbench.metrics.decoding import estimates
from ordbench.metrics.evaluation import Evaluation
from tests.ordbench.metrics.test_scores import NUM_RANKS, drawn

CORRELATIONS = [kendall, spearman, pearson]


def of_sums(first: list[float], second: list[float]) -> float:
    """Pearson's r, from sums."""
    mean = [sum(values) / len(values) for values in (first, second)]
    products = [
        ((x - mean[0]) * (y - mean[1]), (x - mean[0]) ** 2, (y - mean[1]) ** 2)
        for x, y in zip(first, second, strict=True)
    ]
    both, one, other = (sum(column) for column in zip(*products, strict=True))
    return both / math.sqrt(one * other)


def mid_ranks(values: list[float]) -> list[float]:
    """The place of each value when sorted; the mean of their places for those that are the same."""
    return [sum(x < y for x in values) + (sum(x == y for x in values) + 1) / 2 for y in values]


def tau_b(first: list[float], second: list[float]) -> float:
    pairs = list(combinations(zip(first, second, strict=True), 2))
    in_order = sum(
        math.copysign(1, (a - c) * (b - d)) * (a != c and b != d) for (a, b), (c, d) in pairs
    )
    distinct = [sum(one[axis] != other[axis] for one, other in pairs) for axis in (0, 1)]
    return in_order / math.sqrt(distinct[0] * distinct[1])


@pytest.mark.parametrize("how", ["median", "mean"])
@pytest.mark.parametrize("num_ranks", [3, 5, 101])
def test_correlations_are_their_definitions_with_and_without_ties(num_ranks: int, how: str) -> None:
    posterior, ranks, values = drawn(num_ranks)
    seen = Evaluation(ranks=ranks, rank_values=values, estimates=estimates(posterior, values, how))
    true = [values[rank] for rank in ranks.tolist()]
    estimated = seen.estimates.tolist()
    assert kendall(seen) == pytest.approx(tau_b(estimated, true))
    assert spearman(seen) == pytest.approx(of_sums(mid_ranks(estimated), mid_ranks(true)))
    assert pearson(seen) == pytest.approx(of_sums(estimated, true))


@pytest.mark.parametrize("correlation", CORRELATIONS)
@pytest.mark.parametrize(
    ("estimated", "ranks"),
    [
        (np.full(4, 3.0), np.arange(4)),
        (30 + np.array([1e-6, 0, 2e-6, 3e-6]), np.arange(4)),
        (np.arange(4.0), np.full(4, 2)),
        (np.array([3.0]), np.array([1])),
    ],
    ids=["one estimate", "rounding only", "one rank", "one image"],
)
def test_what_does_not_vary_has_no_correlation(
    correlation: Callable[[Evaluation], float],
    estimated: NDArray[np.float64],
    ranks: NDArray[np.int64],
) -> None:
    seen = Evaluation(ranks=ranks, rank_values=(0, 10, 30, 70), estimates=estimated)
    assert math.isnan(correlation(seen))


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_the_truth_and_its_reverse_have_correlations_of_one_and_minus_one(num_ranks: int) -> None:
    ranks = np.array([0, num_ranks - 1, 0, num_ranks - 1])
    for sign in (1, -1):
        seen = Evaluation(ranks=ranks, rank_values=range(num_ranks), estimates=sign * ranks / 1)
        for correlation in CORRELATIONS:
            assert correlation(seen) == pytest.approx(sign)
