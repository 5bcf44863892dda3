"""Each formula stands here a second time, as loops, or agrees with scikit-learn."""

import math

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, recall_score

from ordbench.metrics.decoding import estimates
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.per_rank import (
    amae,
    geometric_mean_sensitivity,
    minimum_sensitivity,
    mmae,
)
from tests.ordbench.metrics.test_scores import NUM_RANKS, drawn


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_the_error_of_each_rank_counts_the_same_however_many_ranks_are_absent(
    num_ranks: int,
) -> None:
    posterior, ranks, values = drawn(num_ranks)
    estimated = estimates(posterior, values, "mean")
    seen = Evaluation(ranks=ranks, rank_values=values, estimates=estimated)
    of_rank = [
        mean_absolute_error(np.full((ranks == rank).sum(), values[rank]), estimated[ranks == rank])
        for rank in sorted(set(ranks.tolist()))
    ]
    assert amae(seen) == pytest.approx(sum(of_rank) / len(of_rank))
    assert mmae(seen) == pytest.approx(max(of_rank))


def test_the_distance_of_ranks_counts_those_between_that_are_absent() -> None:
    seen = Evaluation(
        ranks=np.array([0, 10, 20]), rank_values=range(101), estimates=np.array([0, 20, 20])
    )
    assert amae(seen) == pytest.approx(10 / 3)
    assert mmae(seen) == 10


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_sensitivities_are_the_recalls_of_scikit_learn(num_ranks: int) -> None:
    rng = np.random.default_rng(num_ranks)
    ranks = rng.choice(rng.permutation(num_ranks)[: max(2, num_ranks // 2)], 2000)
    predicted = np.where(rng.random(2000) < 0.6, ranks, rng.integers(0, num_ranks, 2000))
    seen = Evaluation(ranks=ranks, rank_values=range(num_ranks), estimates=predicted / 1)
    recalls = [
        float(recall_score(ranks, predicted, labels=[rank], average="macro"))
        for rank in set(ranks.tolist())
    ]
    assert minimum_sensitivity(seen) == pytest.approx(min(recalls))
    geometric = math.prod(recalls) ** (1 / len(recalls))
    assert geometric_mean_sensitivity(seen) == pytest.approx(geometric)
    assert geometric > 0


def test_a_rank_that_is_never_right_makes_both_zero() -> None:
    seen = Evaluation(ranks=np.array([0, 1]), rank_values=(0, 1), estimates=np.array([0.0, 0.0]))
    assert minimum_sensitivity(seen) == geometric_mean_sensitivity(seen) == 0
