import math
from statistics import fmean

import numpy as np
import pytest
from scipy import stats

from ordbench.statistics.intervals import t_interval


def test_it_is_that_of_scipy() -> None:
    values = np.random.default_rng(0).normal(5, 2, 7)
    low, high = stats.t.interval(0.95, 6, loc=values.mean(), scale=stats.sem(values))
    assert t_interval(values.tolist()) == pytest.approx((low, high), rel=1e-12)


@pytest.mark.parametrize("values", [[], [1.0], [1.0, math.nan], [math.nan, math.inf]])
def test_less_than_two_numbers_have_none(values: list[float]) -> None:
    assert t_interval(values) is None


def test_runs_of_one_draw_count_once() -> None:
    values, draws = [1.0, 3.0, 5.0, 9.0], [0, 0, 1, 1]
    assert t_interval(values, draws) == t_interval([2.0, 7.0])
    assert t_interval(values[:2], draws[:2]) is None
    assert t_interval(values[:3], draws[:3]) is None, "2 is not the mean of 1, 3 and 5"


@pytest.mark.parametrize("seeds", [2, 3, 5])
def test_it_covers_at_95_percent(seeds: int) -> None:
    drawn = np.random.default_rng(seeds).normal(3, 2, (4000, seeds))
    found = [t_interval(values) for values in drawn.tolist()]
    covered = fmean(one is not None and one.low <= 3 <= one.high for one in found)
    assert covered == pytest.approx(0.95, abs=3 * math.sqrt(0.95 * 0.05 / 4000))
