"""Coverage on simulated images; scores and intervals stand here a second time, as loops."""

import math

import numpy as np
import pytest
from numpy.typing import NDArray

from ordbench.errors import SpecError
from ordbench.metrics.conformal import Method, aps_scores, coverage, intervals, rps_scores, width
from ordbench.metrics.evaluation import Calibration, Evaluation
from ordbench.metrics.on_demand import parse_interval_metric

METHODS: tuple[Method, ...] = ("rps", "aps")
NUM_RANKS = [3, 10, 90]
Floats = NDArray[np.float64]


def drawn(
    num_ranks: int, num_images: int, *, seed: int = 0, sharpness: float = 1.0
) -> tuple[Floats, NDArray[np.int64]]:
    """Posteriors with several modes, and ranks that follow them only roughly."""
    generator = np.random.default_rng(seed)
    true = generator.dirichlet(np.full(num_ranks, 0.5), num_images)
    ranks = np.array([generator.choice(num_ranks, p=row) for row in true])
    said = (true + 0.1 * generator.dirichlet(np.ones(num_ranks), num_images)) ** sharpness
    return said / said.sum(1, keepdims=True), ranks


def rps_by_hand(row: list[float], rank: int) -> float:
    return sum((sum(row[: k + 1]) - (rank <= k)) ** 2 for k in range(len(row)))


def aps_by_hand(row: list[float], rank: int) -> float:
    inside = [row.index(max(row))]
    while rank not in inside:
        neighbours = [k for k in (min(inside) - 1, max(inside) + 1) if 0 <= k < len(row)]
        inside.append(max(neighbours, key=lambda k: (row[k], -k)))
    return sum(row[k] for k in inside)


def intervals_by_hand(
    posterior: Floats, calibration: Calibration, level: float, method: Method
) -> list[tuple[int, int]]:
    score = {"rps": rps_by_hand, "aps": aps_by_hand}[method]
    pairs = zip(calibration.posterior.tolist(), calibration.ranks.tolist(), strict=True)
    seen = sorted(round(score(row, rank), 6) for row, rank in pairs)
    bound = seen[math.ceil(round((len(seen) + 1) * level, 9)) - 1]
    found: list[tuple[int, int]] = []
    for row in posterior.tolist():
        scores = [round(score(row, rank), 6) for rank in range(len(row))]
        inside = [k for k, s in enumerate(scores) if s <= max(bound, min(scores))]
        assert inside == list(range(inside[0], inside[-1] + 1))
        found.append((inside[0], inside[-1]))
    return found


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_intervals_are_their_definition(num_ranks: int, method: Method) -> None:
    posterior, ranks = drawn(num_ranks, 120)
    calibration = Calibration(posterior[:59], ranks[:59])
    for level in (0.5, 0.9, 0.95):
        lower, upper, note = intervals(posterior[59:], calibration, coverage=level, method=method)
        assert not note
        pairs = list(zip(lower.tolist(), upper.tolist(), strict=True))
        assert pairs == intervals_by_hand(posterior[59:], calibration, level, method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_the_coverage_is_as_stated(num_ranks: int, method: Method) -> None:
    level, calibrated, tested, trials = 0.8, 39, 100, 300
    posterior, ranks = drawn(num_ranks, trials * (calibrated + tested))
    shares: list[float] = []
    for trial in range(trials):
        first = trial * (calibrated + tested)
        known, new = np.split(np.arange(first, first + calibrated + tested), [calibrated])
        lower, upper, _ = intervals(
            posterior[new],
            Calibration(posterior[known], ranks[known]),
            coverage=level,
            method=method,
        )
        shares.append(float(((lower <= ranks[new]) & (ranks[new] <= upper)).mean()))
    error = np.std(shares) / math.sqrt(trials)
    assert error < 0.006
    assert np.mean(shares) > level - 4 * error
    # 40 * 0.8 is whole, so that the coverage of scores without ties is the stated one exactly.
    # The last of 3 ranks has the probability 1 in every image, a tie that is taken in whole.
    if (num_ranks, method) != (3, "aps"):
        assert np.mean(shares) < level + 4 * error


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("num_ranks", NUM_RANKS)
def test_scores_rise_on_both_sides_of_one_rank(num_ranks: int, method: Method) -> None:
    posterior, _ = drawn(num_ranks, 300, sharpness=4)
    posterior[:100] = np.round(posterior[:100], 1)  # ties and zeros
    posterior = posterior[posterior.sum(1) > 0]
    posterior /= posterior.sum(1, keepdims=True)
    steps = np.diff({"rps": rps_scores, "aps": aps_scores}[method](posterior))
    risen = np.logical_or.accumulate(steps > 0, axis=1)
    assert not (risen & (steps < 0)).any()


@pytest.mark.parametrize("method", METHODS)
def test_sharper_posteriors_have_narrower_intervals(method: Method) -> None:
    generator = np.random.default_rng(0)
    ranks = generator.integers(0, 30, 2000)
    widths: list[float] = []
    for deviation in (6.0, 3.0, 1.0, 0.4):
        centres = ranks + generator.normal(0, deviation, len(ranks))
        log = -np.square(np.arange(30) - centres[:, None]) / (2 * deviation**2)
        posterior = np.exp(log - log.max(1, keepdims=True))
        posterior /= posterior.sum(1, keepdims=True)
        calibration = Calibration(posterior[:1000], ranks[:1000])
        lower, upper, _ = intervals(posterior[1000:], calibration, method=method)
        widths.append(float((upper - lower + 1).mean()))
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < widths[0] / 4


def test_small_cases_by_hand() -> None:
    # RPS of rank 0: 0.5^2. Of rank 2: 0.5^2 + 1^2.
    calibration = Calibration(np.array([[0.5, 0.5, 0.0]] * 2), np.array([0, 2]))
    posterior = np.array([[0.5, 0.25, 0.25], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    expected = np.array([[0.3125, 0.3125, 0.8125], [2.0, 1.0, 0.0], [0.0, 1.0, 2.0]])
    assert rps_scores(posterior) == pytest.approx(expected)
    # Bound 0.25: no rank of the first image conforms so well, and its two medians stay.
    lower, upper, note = intervals(posterior, calibration, coverage=0.3)
    assert (lower.tolist(), upper.tolist(), note) == ([0, 2, 0], [1, 2, 0], "")
    # Bound 1.25.
    lower, upper, note = intervals(posterior, calibration, coverage=0.6)
    assert (lower.tolist(), upper.tolist(), note) == ([0, 1, 0], [2, 2, 1], "")
    assert aps_scores(posterior).tolist() == [[0.5, 0.75, 1.0], [1.0, 1.0, 1.0], [1.0, 1.0, 1.0]]


@pytest.mark.parametrize(
    ("num_images", "level", "enough"),
    [(0, 0.5, False), (8, 0.9, False), (9, 0.9, True), (18, 0.95, False), (19, 0.95, True)],
)
def test_too_few_calibration_images_give_all_ranks_and_say_so(
    num_images: int, level: float, enough: bool
) -> None:
    posterior, ranks = drawn(4, num_images + 5)
    calibration = Calibration(posterior[:num_images], ranks[:num_images])
    lower, upper, note = intervals(posterior[num_images:], calibration, coverage=level)
    assert bool(note) != enough
    if not enough:
        assert lower.tolist() == [0] * 5
        assert upper.tolist() == [3] * 5
        assert f"{num_images} calibration images are too few for a coverage of {level}" in note


def test_a_certain_head_with_two_ranks_and_no_image_to_predict() -> None:
    calibration = Calibration(np.array([[1.0, 0.0]] * 20), np.array([0] * 19 + [1]))
    lower, upper, _ = intervals(np.array([[0.0, 1.0]]), calibration)
    assert (lower.tolist(), upper.tolist()) == ([1], [1])
    assert len(intervals(np.zeros((0, 2)), calibration).lower) == 0


@pytest.mark.parametrize("level", [0.0, 1.0, -0.1, 90.0, math.nan])
def test_a_coverage_that_cannot_be_is_refused(level: float) -> None:
    posterior, ranks = drawn(3, 4)
    with pytest.raises(SpecError, match="coverage must lie between 0 and 1"):
        intervals(posterior, Calibration(posterior, ranks), coverage=level)


def test_calibration_that_does_not_fit_is_refused() -> None:
    posterior, ranks = drawn(3, 20)
    with pytest.raises(ValueError, match=r"posterior must be \(N, 3\), got \(20, 2\)"):
        intervals(posterior, Calibration(np.full((20, 2), 0.5), ranks))
    with pytest.raises(ValueError, match=r"calibration ranks must be 20 of 0\.\.2, got \(19,\)"):
        intervals(posterior, Calibration(posterior, ranks[:-1]))
    with pytest.raises(ValueError, match=r"calibration ranks must be 20 of 0\.\.2"):
        intervals(posterior, Calibration(posterior, ranks + 1))
    with pytest.raises(SpecError, match="unknown method 'cqr' of intervals; take rps or aps"):
        intervals(posterior, Calibration(posterior, ranks), method="cqr")  # type: ignore[arg-type]


def test_metrics_are_the_share_and_the_mean_number_of_ranks() -> None:
    posterior, ranks = drawn(10, 200)
    calibration = Calibration(posterior[:99], ranks[:99])
    lower, upper, _ = intervals(posterior[99:], calibration, coverage=0.95)
    evaluation = Evaluation(
        ranks=ranks[99:],
        rank_values=range(10),
        estimates=np.zeros(101),
        posterior=posterior[99:],
        calibration=calibration,
    )
    triples = list(zip(lower, ranks[99:], upper, strict=True))
    assert coverage(evaluation, 95) == sum(a <= r <= b for a, r, b in triples) / 101
    assert width(evaluation, 95) == pytest.approx(sum(b - a + 1 for a, _, b in triples) / 101)


def test_a_metric_without_calibration_images_says_so() -> None:
    posterior, ranks = drawn(3, 4)
    evaluation = Evaluation(
        ranks=ranks, rank_values=range(3), estimates=np.zeros(4), posterior=posterior
    )
    with pytest.raises(ValueError, match="there are no calibration images"):
        coverage(evaluation, 90)


def test_metrics_are_named_by_their_percentage() -> None:
    metric = parse_interval_metric("coverage@99.5")
    assert metric is not None
    assert (metric.name, metric.title) == ("coverage@99.5", "coverage of 99.5 % intervals")
    for name in ("coverage@0", "width@100", "coverage@", "cover@90", "width@-5"):
        assert parse_interval_metric(name) is None
