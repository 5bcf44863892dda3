import math

import numpy as np
import pytest
from scipy import optimize, stats

from ordbench.statistics.across import ELO, MIN_DATASETS, friedman, standings

ERRORS = np.random.default_rng(0).normal(0, 1, (8, 4)) + np.arange(4) / 2
HEADS = ["linear", "coral", "coop", "emd"]


def test_ranks_are_those_of_scipy_and_borda_is_their_mirror() -> None:
    errors = ERRORS.round(0)
    ranks = stats.rankdata(errors, axis=1).mean(0)
    found = standings(errors.tolist(), HEADS)
    assert [one.mean_rank for one in found] == pytest.approx(ranks)
    assert [one.borda for one in found] == pytest.approx((4 - ranks) / 3)


def test_strengths_maximise_the_likelihood() -> None:
    wins = (ERRORS[:, :, None] < ERRORS[:, None, :]).sum(0) + 0.5

    def loss(free: np.ndarray) -> float:
        strength = np.append(free, -free.sum())
        odds = strength[:, None] - strength[None]
        return float((wins * np.log1p(np.exp(-odds)) * (1 - np.eye(4))).sum())

    best = optimize.minimize(loss, np.zeros(3), tol=1e-10).x
    found = [one.elo for one in standings(ERRORS.tolist(), HEADS)]
    assert found == pytest.approx(1000 + ELO * np.append(best, -best.sum()), abs=0.1)


def test_the_order_of_heads_and_datasets_does_not_matter() -> None:
    found = standings(ERRORS.tolist(), HEADS)
    turned = standings(ERRORS[::-1, ::-1].tolist(), HEADS[::-1])[::-1]
    for one, other in zip(found, turned, strict=True):
        assert other.mean_rank == one.mean_rank
        assert (other.elo, other.elo_interval) == (one.elo, one.elo_interval)


def test_a_head_that_always_wins_is_finite_and_its_interval_holds_the_estimate() -> None:
    errors = [[0.0, 1.0, 2.0]] * MIN_DATASETS
    best, middle, worst = standings(errors, HEADS[:3])
    assert best.elo > middle.elo > worst.elo
    assert middle.elo == pytest.approx(1000)
    assert best.elo_interval
    assert best.elo_interval.low <= best.elo <= best.elo_interval.high < math.inf
    assert standings(errors[:-1], HEADS[:3])[0].elo_interval is None
    (alone,) = standings([[1.0]] * 6, ["linear"])
    assert (alone.mean_rank, alone.borda, alone.elo) == (1.0, 0.0, 1000.0)


@pytest.mark.parametrize(
    ("heads", "quantile"),
    [
        (3, 2.343),
        (4, 2.569),
        (5, 2.728),
        (6, 2.850),
        (7, 2.949),
        (8, 3.031),
        (9, 3.102),
        (10, 3.164),
    ],
)
def test_critical_differences_are_those_of_demsar(heads: int, quantile: float) -> None:
    found = friedman(np.random.default_rng(heads).normal(size=(14, heads)).tolist())
    assert found
    wanted = quantile * math.sqrt(heads * (heads + 1) / (6 * 14))
    assert found.critical_difference == pytest.approx(wanted, rel=2e-3)


def test_friedman_is_that_of_its_definition_and_needs_six_datasets() -> None:
    ranks = stats.rankdata(ERRORS, axis=1).mean(0)
    statistic = 12 * 8 / (4 * 5) * (np.square(ranks).sum() - 4 * 25 / 4)
    found = friedman(ERRORS.tolist())
    assert found
    assert found.statistic == pytest.approx(statistic)
    assert found.p == pytest.approx(stats.chi2.sf(statistic, 3))
    assert friedman(ERRORS[:5].tolist()) is None
    assert friedman(ERRORS[:, :2].tolist()) is None
    assert friedman([[1.0] * 3] * 6) is None
