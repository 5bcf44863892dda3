"""Each formula stands here a second time, as loops, or agrees with scikit-learn."""

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss

from ordbench.metrics.calibration import ace, brier, ece
from tests.ordbench.metrics.test_scores import NUM_RANKS, drawn, of_posterior


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_brier_agrees_with_scikit_learn_where_ranks_are_absent(num_ranks: int) -> None:
    posterior, ranks, _ = drawn(num_ranks)
    if num_ranks == 2:
        theirs = 2 * brier_score_loss(ranks, posterior[:, 1], pos_label=1)  # halved by default
    else:
        theirs = brier_score_loss(ranks, posterior, labels=list(range(num_ranks)))
    assert brier(of_posterior(posterior, ranks)) == pytest.approx(theirs)


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_the_expected_calibration_error_is_its_definition(num_ranks: int) -> None:
    posterior, ranks, _ = drawn(num_ranks, num_images=300)
    total = 0.0
    for low in range(15):
        inside = [
            (max(row), row.index(max(row)) == rank)
            for row, rank in zip(posterior.tolist(), ranks.tolist(), strict=True)
            if low / 15 < max(row) <= (low + 1) / 15
        ]
        if inside:
            confidence = sum(probability for probability, _ in inside) / len(inside)
            right = sum(hit for _, hit in inside) / len(inside)
            total += len(inside) / len(ranks) * abs(confidence - right)
    assert ece(of_posterior(posterior, ranks)) == pytest.approx(total)


def test_certain_predictions_are_in_the_last_bin() -> None:
    ranks = np.array([0, 0, 0, 1])
    posterior = np.array([[1.0, 0.0], [1.0, 0.0], [0.99, 0.01], [0.99, 0.01]])
    assert ece(of_posterior(posterior, ranks)) == pytest.approx(3.98 / 4 - 3 / 4)


@pytest.mark.parametrize("num_images", [4, 40, 300])
@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_the_adaptive_calibration_error_is_its_definition(num_ranks: int, num_images: int) -> None:
    posterior, ranks, _ = drawn(num_ranks, num_images)
    bins = min(15, num_images)
    size, longer = divmod(num_images, bins)
    total = 0.0
    for rank in range(num_ranks):
        order = sorted(range(num_images), key=lambda image: posterior[image, rank])
        for index in range(bins):
            taken = [order.pop(0) for _ in range(size + (index < longer))]
            confidence = sum(posterior[image, rank] for image in taken) / len(taken)
            share = sum(ranks[image] == rank for image in taken) / len(taken)
            total += abs(confidence - share) / (num_ranks * bins)
    assert ace(of_posterior(posterior, ranks)) == pytest.approx(total)


def test_a_constant_that_is_right_on_average_is_calibrated_in_any_order_of_images() -> None:
    ranks = np.repeat([0, 1], [30, 90])
    posterior = np.tile([0.25, 0.75, 0.0], (120, 1))
    assert ece(of_posterior(posterior, ranks)) == pytest.approx(0)
    assert ace(of_posterior(posterior, ranks)) == pytest.approx(0)
    assert ace(of_posterior(posterior[:, ::-1], ranks)) == pytest.approx((0.25 + 0 + 0.25) / 3)
