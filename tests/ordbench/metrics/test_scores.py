"""Each formula stands here a second time, as loops, or agrees with scikit-learn or scipy."""

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.stats import rv_discrete
from sklearn.metrics import cohen_kappa_score

from ordbench.metrics.decoding import estimates, nearest_ranks, to_unit
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.registry import (
    BUILTIN_DECODES,
    BUILTIN_METRICS,
    metrics_for,
    parse_cumulative_score,
)
from ordbench.metrics.scores import (
    cumulative_score,
    epsilon_error,
    nll,
    off1,
    point_scores,
    qwk,
    rps,
    scores,
    unimodal,
)

METRICS = metrics_for(None, "years")

NUM_RANKS = [2, 3, 5, 101]
Drawn = tuple[NDArray[np.float64], NDArray[np.int64], tuple[float, ...]]


def drawn(num_ranks: int, num_images: int = 40) -> Drawn:
    """Posteriors, ranks of which the lowest is absent, and uneven values."""
    rng = np.random.default_rng(num_ranks)
    posterior = rng.dirichlet(np.full(num_ranks, 0.3), num_images)
    values = np.cumsum(rng.uniform(0.5, 3, num_ranks))
    ranks = rng.integers(1, num_ranks, num_images)
    return posterior, ranks, tuple(values.tolist())


def of_posterior(posterior: NDArray[np.float64], ranks: NDArray[np.int64]) -> Evaluation:
    """An evaluation whose estimates do not matter."""
    values = tuple(range(posterior.shape[1]))
    none = np.zeros(len(ranks))
    return Evaluation(ranks=ranks, rank_values=values, estimates=none, posterior=posterior)


def of_ranks(predicted: NDArray[np.int64], ranks: NDArray[np.int64], num_ranks: int) -> Evaluation:
    """An evaluation of a head that estimates ranks."""
    return Evaluation(ranks=ranks, rank_values=tuple(range(num_ranks)), estimates=predicted / 1)


def decode_by_hand(row: Sequence[float], values: Sequence[float], how: str) -> float:
    if how == "argmax":
        return values[list(row).index(max(row))]
    if how == "mean":
        return sum(p * v for p, v in zip(row, values, strict=True))
    return float(rv_discrete(values=(values, row)).median())


@pytest.mark.parametrize("how", BUILTIN_DECODES)
@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_an_estimate_is_its_definition(how: str, num_ranks: int) -> None:
    posterior, _, values = drawn(num_ranks)
    by_hand = [decode_by_hand(row, values, how) for row in posterior.tolist()]
    np.testing.assert_allclose(estimates(posterior, values, how), by_hand, rtol=1e-12)


@pytest.mark.parametrize(
    ("row", "how", "expected"),
    [
        ([0.3, 0.4, 0.3], "argmax", 20),
        ([0.4, 0.2, 0.4], "argmax", 10),
        ([0.5, 0.0, 0.5], "median", 10),
        ([0.49, 0.02, 0.49], "median", 20),
        ([0.1] * 5 + [0.25] * 2, "median", 50),  # five times 0.1 is 0.5, if rounding allows
    ],
    ids=["one mode", "a tie of modes stays low", "exactly half", "just below half", "rounding"],
)
def test_a_tie_stays_low(row: list[float], how: str, expected: float) -> None:
    values = [10.0 * (k + 1) for k in range(len(row))]
    assert estimates(np.array([row]), values, how).tolist() == [expected]


def test_rounding_in_float32_does_not_move_the_median() -> None:
    half = np.nextafter(np.float32(0.5), np.float32(0))
    posterior = np.array([[half, 1 - half]], dtype=np.float32)
    assert posterior[0, 0] < 0.5
    assert estimates(posterior, (1, 2), "median").tolist() == [1]


def test_rows_of_half_precision_are_brought_to_sum_one() -> None:
    posterior = np.full((1, 90), 1 / 90, dtype=np.float16)
    ages = tuple(range(1, 91))
    assert estimates(posterior, ages, "mean")[0] == pytest.approx(45.5, abs=1e-9)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=12))
def test_the_median_has_the_least_expected_absolute_error(weights: list[float]) -> None:
    posterior = np.array([weights]) / np.sum(weights)
    values = np.cumsum(np.arange(1, len(weights) + 1))

    def risk(estimate: float) -> float:
        return float(posterior[0] @ np.abs(values - estimate))

    chosen = estimates(posterior, values.tolist(), "median")[0]
    assert risk(chosen) <= min(risk(v) for v in values.tolist()) + 1e-4


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=12), st.sampled_from([*BUILTIN_DECODES]))
def test_an_estimate_lies_within_the_values(weights: list[float], how: str) -> None:
    posterior = np.array([weights]) / np.sum(weights)
    values = [3.0 * k - 7 for k in range(len(weights))]
    assert values[0] <= estimates(posterior, values, how)[0] <= values[-1]


@given(st.lists(st.integers(-50, 50), min_size=2, max_size=9, unique=True), st.floats(-60, 60))
def test_the_nearest_rank_is_the_one_nearest(values: list[int], estimate: float) -> None:
    rising = sorted(values)
    exact = Fraction(estimate)  # floats would round a tiny estimate away
    by_hand = min(range(len(rising)), key=lambda k: (abs(rising[k] - exact), k))
    got = nearest_ranks(np.array([estimate]), rising)
    assert got.dtype == np.int64
    assert got.tolist() == [by_hand]


def test_positions_between_ranks_are_interpolated() -> None:
    got = to_unit(np.array([-1, 0.25, 1, 1.5]), (10.0, 14.0, 34.0))
    assert got.tolist() == [10, 11, 14, 24]


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_point_scores_are_their_definitions(num_ranks: int) -> None:
    posterior, ranks, values = drawn(num_ranks)
    estimated = estimates(posterior, values, "mean")
    got = point_scores(estimated, ranks, values, METRICS)
    errors = [abs(e - values[r]) for e, r in zip(estimated.tolist(), ranks.tolist(), strict=True)]
    predicted = [min(range(num_ranks), key=lambda k: abs(values[k] - e)) for e in estimated]
    assert got["mae"] == pytest.approx(sum(errors) / len(errors))
    hits = sum(p == r for p, r in zip(predicted, ranks.tolist(), strict=True))
    assert got["accuracy"] == pytest.approx(hits / len(errors))
    for k in (1, 3, 5):
        assert got[f"cs@{k}"] == pytest.approx(sum(e <= k for e in errors) / len(errors))
    kappa = cohen_kappa_score(ranks, predicted, weights="quadratic", labels=list(range(num_ranks)))
    assert got["qwk"] == pytest.approx(kappa, nan_ok=True)


def test_the_error_is_measured_in_the_datasets_unit() -> None:
    seen = Evaluation(ranks=np.array([0]), rank_values=(1930, 1940), estimates=np.array([1943.0]))
    assert seen.errors.tolist() == [13]


@pytest.mark.parametrize(
    ("error", "within"), [(2.999, True), (3.0, True), (0.1 + 2.9 + 1e-9, True), (3.001, False)]
)
def test_an_error_at_the_boundary_counts_as_within(error: float, within: bool) -> None:
    seen = Evaluation(ranks=np.array([0]), rank_values=(0, 9), estimates=np.array([error]))
    assert cumulative_score(seen, 3) == within


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
@pytest.mark.parametrize("low", [True, False], ids=["low ranks only", "two ranks far apart"])
def test_qwk_agrees_with_scikit_learn_where_ranks_are_absent(num_ranks: int, low: bool) -> None:
    rng = np.random.default_rng(num_ranks)
    seen = np.array([0, 1]) if low else np.array([0, num_ranks - 1])
    predicted, ranks = rng.choice(seen, (2, 30))
    kappa = cohen_kappa_score(ranks, predicted, weights="quadratic", labels=list(range(num_ranks)))
    assert qwk(of_ranks(predicted, ranks, num_ranks)) == pytest.approx(kappa)


@pytest.mark.parametrize(
    ("predicted", "expected"),
    [([0, 1, 2, 4], 1.0), ([2, 2, 2, 2], 0.0), ([4, 2, 1, 0], -0.9)],
    ids=["perfect", "constant", "reversed"],
)
def test_qwk_of_known_cases(predicted: list[int], expected: float) -> None:
    # Reversed: E(p - r)^2 = (16 + 1 + 1 + 16) / 4 = 8.5, by chance 2 * 35 / 16 = 4.375.
    expected = 1 - 8.5 / 4.375 if expected < 0 else expected
    assert qwk(of_ranks(np.array(predicted), np.array([0, 1, 2, 4]), 5)) == pytest.approx(expected)


def test_qwk_of_one_rank_only_is_not_a_number() -> None:
    assert math.isnan(qwk(of_ranks(np.full(7, 3), np.full(7, 3), 5)))


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_nll_and_rps_are_their_definitions(num_ranks: int) -> None:
    posterior, ranks, _ = drawn(num_ranks)
    nats = steps = 0.0
    for row, rank in zip(posterior.tolist(), ranks.tolist(), strict=True):
        nats -= math.log(max(row[rank], 1e-12)) / len(ranks)
        for k in range(num_ranks):
            steps += (sum(row[: k + 1]) - (rank <= k)) ** 2 / len(ranks)
    assert nll(of_posterior(posterior, ranks)) == pytest.approx(nats)
    assert rps(of_posterior(posterior, ranks)) == pytest.approx(steps)


def test_an_impossible_rank_costs_the_floor() -> None:
    assert nll(of_posterior(np.array([[1.0, 0.0]]), np.array([1]))) == pytest.approx(
        12 * math.log(10)
    )


@given(st.integers(0, 6), st.integers(0, 6))
def test_rps_of_a_certain_prediction_is_its_distance(predicted: int, rank: int) -> None:
    assert rps(of_posterior(np.eye(7)[[predicted]], np.array([rank]))) == abs(predicted - rank)


def test_scores_holds_every_decoding_and_what_needs_none() -> None:
    posterior, ranks, values = drawn(5)
    got = scores(posterior, ranks, values, METRICS)
    assert list(got) == [*BUILTIN_DECODES, "posterior"]
    for how in BUILTIN_DECODES:
        assert got[how] == point_scores(estimates(posterior, values, how), ranks, values, METRICS)
    assert got["posterior"] == {
        "nll": nll(of_posterior(posterior, ranks)),
        "rps": rps(of_posterior(posterior, ranks)),
    }


def test_the_leaderboard_knows_every_score_and_its_direction() -> None:
    got = scores(*drawn(3), METRICS)
    assert set(BUILTIN_METRICS) == set(got["mean"]) | set(got["posterior"])
    assert all(name == metric.name for name, metric in BUILTIN_METRICS.items())
    perfect, poor = (
        scores(np.eye(3)[[0, 1, predicted]], np.array([0, 1, 2]), (0, 10, 20), METRICS)
        for predicted in (2, 0)
    )
    for name, metric in BUILTIN_METRICS.items():
        column = "posterior" if name in got["posterior"] else "mean"
        assert (perfect[column][name] > poor[column][name]) == metric.higher_is_better


@pytest.mark.parametrize(
    ("posterior", "message"),
    [
        ([[0.5, 0.5], [0.7, 0.7]], r"row 1 must hold probabilities of sum 1.* sum of 1\.4"),
        ([[1.5, -0.5]], r"row 0 .* least entry of -0\.5"),
        ([[math.nan, 1.0]], "row 0 .* nan"),
        ([[1.0, 0.0, 0.0]], r"must be \(N, 2\), got \(1, 3\)"),
    ],
    ids=["sum", "negative", "nan", "shape"],
)
def test_what_is_no_posterior_is_refused(posterior: list[list[float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        estimates(np.array(posterior), (1, 2), "mean")


@pytest.mark.parametrize(
    ("estimated", "ranks", "message"),
    [
        ([1.0, 2.0], [0, 2], r"0\.\.1 \(num_ranks=2\), got 0\.\.2"),
        ([1.0], [-1], r"got -1\.\.-1"),
        ([1.0, 2.0], [0], r"ranks must be \(2,\) and not empty, got \(1,\)"),
        ([], [], "not empty"),
        ([math.nan], [0], "finite"),
    ],
    ids=["too high", "negative", "too few", "none", "nan"],
)
def test_what_cannot_be_scored_is_refused(
    estimated: list[float], ranks: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        point_scores(np.array(estimated), np.array(ranks, dtype=np.int64), (1, 2), METRICS)


@pytest.mark.parametrize(
    ("thresholds", "unit", "names"),
    [
        (None, "years", ["cs@1", "cs@3", "cs@5"]),
        (None, "ranks", []),
        (None, "decades", []),
        ((0.5, 10), "decades", ["cs@0.5", "cs@10"]),
    ],
)
def test_a_dataset_chooses_the_thresholds_of_its_cumulative_scores(
    thresholds: tuple[float, ...] | None, unit: str, names: list[str]
) -> None:
    metrics = metrics_for(thresholds, unit)
    assert [metric.name for metric in metrics if "@" in metric.name] == names
    assert {"mae", "accuracy", "qwk", "nll", "rps"} <= {metric.name for metric in metrics}


def test_a_cumulative_score_of_any_threshold_is_a_metric() -> None:
    metric = parse_cumulative_score("cs@0.5")
    assert metric is not None
    seen = Evaluation(ranks=np.array([0, 1]), rank_values=(0, 1), estimates=np.array([0.5, 0.25]))
    assert metric.function(seen) == 0.5
    assert parse_cumulative_score("cs@x") is None


@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_off_by_one_is_a_step_of_ranks_and_not_of_values(num_ranks: int) -> None:
    posterior, ranks, values = drawn(num_ranks)
    estimated = estimates(posterior, values, "mean")
    seen = Evaluation(ranks=ranks, rank_values=values, estimates=estimated)
    near = 0
    for estimate, rank in zip(estimated.tolist(), ranks.tolist(), strict=True):
        nearest = min(range(num_ranks), key=lambda k: abs(values[k] - estimate))
        near += nearest in (rank - 1, rank, rank + 1)
    assert off1(seen) == pytest.approx(near / len(ranks))


def with_raters(**extra: Sequence[float | str | None]) -> Evaluation:
    return Evaluation(
        ranks=np.array([0, 1, 1]),
        rank_values=(20, 30),
        estimates=np.array([24.0, 30.0, 33.0]),
        extra=extra,
    )


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"stdv": [2, 4, 3]}, [1 - math.exp(-2), 0, 1 - math.exp(-0.5)]),
        ({"stdv": [2, None, 3]}, [1 - math.exp(-2), 1 - math.exp(-0.5)]),
        ({"stdv": [0, 0, 3]}, [1, 0, 1 - math.exp(-0.5)]),
        (
            {"stdv": [2, 4, 3], "mean": [22.0, None, 33.0]},
            [1 - math.exp(-0.5), 0, 0],
        ),
    ],
    ids=["all known", "one unknown", "raters agree", "the raters' mean is known"],
)
def test_the_epsilon_error_is_its_definition(
    extra: dict[str, list[float | str | None]], expected: list[float]
) -> None:
    mean = sum(expected) / len(expected)
    assert epsilon_error(with_raters(**extra)) == pytest.approx(mean)


@pytest.mark.parametrize("extra", [{}, {"stdv": [None] * 3}, {"mean": [1.0] * 3}])
def test_without_a_deviation_there_is_no_epsilon_error(
    extra: dict[str, list[float | str | None]],
) -> None:
    assert math.isnan(epsilon_error(with_raters(**extra)))


def has_one_mode(row: list[float]) -> bool:
    return any(
        row[: mode + 1] == sorted(row[: mode + 1])
        and row[mode:] == sorted(row[mode:], reverse=True)
        for mode in range(len(row))
    )


@pytest.mark.parametrize("num_ranks", [2, 3, 5])
def test_the_share_of_one_mode_is_its_definition(num_ranks: int) -> None:
    posterior, ranks, _ = drawn(num_ranks, num_images=200)
    share = sum(map(has_one_mode, posterior.tolist())) / len(ranks)
    assert unimodal(of_posterior(posterior, ranks)) == share
    assert num_ranks == 2 or 0 < share < 1


@pytest.mark.parametrize(
    ("row", "expected"),
    [
        ([0.25, 0.25, 0.25, 0.25], 1),
        ([0.2, 0.4, 0.4, 0.0], 1),
        ([0.4, 0.2, 0.0, 0.4], 0),
        ([0.4, 0.1999999, 0.2000001, 0.2], 1),
        ([0.7, 0.1, 0.1, 0.1], 1),
    ],
    ids=["level", "plateau", "two modes", "rounding", "falling"],
)
def test_one_mode_may_be_level(row: list[float], expected: float) -> None:
    assert unimodal(of_posterior(np.array([row]), np.array([0]))) == expected
