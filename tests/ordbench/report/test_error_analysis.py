import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from ordbench.metrics.calibration import ece
from ordbench.metrics.evaluation import Evaluation
from ordbench.report.error_analysis import (
    confusion,
    errors_by_rank,
    rank_groups,
    reliability,
    risk_coverage,
    signed_distances,
    worst_images,
)

VALUES = tuple(float(age) for age in range(20, 43))  # 23 ranks: no multiple of 10


@pytest.fixture
def evaluation() -> Evaluation:
    """300 images of 22 of 23 ranks; no image shows the last rank."""
    generator = np.random.default_rng(3)
    ranks = generator.integers(0, 22, 300)
    posterior = generator.dirichlet(np.full(23, 0.2), 300)
    return Evaluation(
        ranks=ranks,
        rank_values=VALUES,
        estimates=np.asarray(VALUES)[ranks] + generator.normal(0, 6, 300).round(1),
        posterior=posterior,
        samples=[f"{number:03}.png" for number in range(300)],
    )


@pytest.mark.parametrize(("num_ranks", "at_most"), [(1, 10), (10, 10), (11, 10), (90, 10), (5, 1)])
def test_groups_hold_each_rank_once_in_order_and_are_of_one_size(
    num_ranks: int, at_most: int
) -> None:
    groups = rank_groups(num_ranks, at_most)
    assert [rank for group in groups for rank in group] == [*range(num_ranks)]
    assert len(groups) == min(num_ranks, at_most)
    sizes = {len(group) for group in groups}
    assert max(sizes) - min(sizes) <= 1


def test_confusion_is_that_of_scikit_learn_and_groups_are_sums_of_its_blocks(
    evaluation: Evaluation,
) -> None:
    whole = confusion(evaluation, rank_groups(23, 23))
    peer = confusion_matrix(evaluation.ranks, evaluation.predicted_ranks, labels=range(23))
    assert whole.tolist() == peer.tolist()
    groups = rank_groups(23, 10)
    blocks = [[int(peer[a.start : a.stop, b.start : b.stop].sum()) for b in groups] for a in groups]
    assert confusion(evaluation, groups).tolist() == blocks


@pytest.mark.parametrize("at_most", [23, 10])
def test_errors_by_rank_are_those_of_a_loop_over_images(
    evaluation: Evaluation, at_most: int
) -> None:
    groups = rank_groups(23, at_most)
    for group, found in zip(groups, errors_by_rank(evaluation, groups), strict=True):
        errors = [
            float(estimate) - VALUES[rank]
            for rank, estimate in zip(evaluation.ranks, evaluation.estimates, strict=True)
            if rank in group
        ]
        assert (found.low, found.high) == (VALUES[group[0]], VALUES[group[-1]])
        assert found.images == len(errors)
        if errors:
            assert found.bias == pytest.approx(sum(errors) / len(errors))
            assert found.mae == pytest.approx(sum(map(abs, errors)) / len(errors))
        else:
            assert (found.bias, found.mae) == (None, None)


def test_a_rank_that_no_image_shows_has_no_error(evaluation: Evaluation) -> None:
    last = errors_by_rank(evaluation, rank_groups(23, 23))[-1]
    assert (last.images, last.bias, last.mae) == (0, None, None)


def test_the_bins_of_reliability_give_the_expected_calibration_error(
    evaluation: Evaluation,
) -> None:
    bins = reliability(evaluation)
    assert sum(one.images for one in bins) == 300
    assert all(one.low < one.confidence <= one.high for one in bins)
    assert [one.low for one in bins] == sorted(one.low for one in bins)
    distance = sum(one.images * abs(one.confidence - one.accuracy) for one in bins) / 300
    assert distance == pytest.approx(ece(evaluation))


def test_a_bin_holds_its_upper_end() -> None:
    posterior = np.array([[0.6, 0.4], [1.0, 0.0]])
    seen = Evaluation(
        ranks=np.array([0, 1]), rank_values=(0, 1), estimates=np.zeros(2), posterior=posterior
    )
    assert [(one.high, one.accuracy) for one in reliability(seen)] == [(0.6, 1.0), (1.0, 0.0)]


def test_the_worst_images_come_by_absolute_error_and_equal_ones_in_their_order() -> None:
    seen = Evaluation(
        ranks=np.array([0, 1, 1, 0]),
        rank_values=(10.0, 20.0),
        estimates=np.array([13.0, 15.0, 25.0, 10.0]),
        samples=["a", "b", "c", "d"],
    )
    assert [tuple(one) for one in worst_images(seen, 3)] == [
        ("b", 20.0, 15.0, -5.0),
        ("c", 20.0, 25.0, 5.0),
        ("a", 10.0, 13.0, 3.0),
    ]
    assert worst_images(seen, 0) == []
    assert len(worst_images(seen, 99)) == 4


def test_risk_ends_at_the_mae_and_does_not_depend_on_the_order_of_equal_images() -> None:
    posterior = np.array([[1.0, 0, 0], [0.5, 0.5, 0], [0.5, 0.5, 0], [0.2, 0.2, 0.6]])
    ranks, estimates = np.array([0, 0, 2, 1]), np.array([0.0, 0.0, 0.0, 2.0])
    found = [
        risk_coverage(
            Evaluation(
                ranks=ranks[order],
                rank_values=(0, 1, 2),
                estimates=estimates[order],
                posterior=posterior[order],
            )
        )
        for order in (np.array([0, 1, 2, 3]), np.array([3, 2, 1, 0]))
    ]
    # Expected errors are 0, 1/2, 1/2 and 3/5; errors are 0, 0 and 2 (1 each, as equals), 1.
    for one in found:
        assert one.coverage.tolist() == [0.25, 0.5, 0.75, 1.0]
        assert one.risk == pytest.approx([0, 1 / 2, 2 / 3, 3 / 4])
        assert one.area == pytest.approx((1 / 2 + 2 / 3 + 3 / 4) / 4)


def test_distances_are_diagonals_of_the_confusion(evaluation: Evaluation) -> None:
    whole = confusion(evaluation, rank_groups(23, 23))
    diagonals = [int(np.trace(whole, offset=distance)) for distance in range(-22, 23)]
    assert signed_distances(evaluation).tolist() == diagonals
