"""Split conformal prediction: intervals of ranks that hold the true one with a stated coverage.

The coverage holds on average over images and over draws of the calibration images, for any
posterior, if these and the others are exchangeable and the head has seen neither. That of one draw
of M images varies with a standard deviation of about sqrt(coverage (1 - coverage) / M). Validation
images chose the step or the settings of a head, so calibration on them is a little too hopeful.

Source: Vovk, Gammerman and Shafer (2005). Algorithmic learning in a random world.
https://doi.org/10.1007/b106715
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from ordbench.errors import SpecError
from ordbench.metrics.decoding import Floats, check_posterior
from ordbench.metrics.evaluation import Calibration, Evaluation

Method = Literal["rps", "aps"]


class Intervals(NamedTuple):
    """One interval of ranks an image; both ends belong to it.

    Attributes:
        lower: The lowest ranks ``(N,)``.
        upper: The highest ranks ``(N,)``.
        note: Why every interval holds all ranks, where there are too few calibration images.
    """

    lower: NDArray[np.int64]
    upper: NDArray[np.int64]
    note: str = ""


def intervals(
    posterior: Floats, calibration: Calibration, *, coverage: float = 0.9, method: Method = "rps"
) -> Intervals:
    """The ranks that conform at least as well as a share of ``coverage`` of calibration images.

    How badly a rank conforms is a score that rises on both sides of one rank, so the set is an
    interval; that rank is always in it. The bound is the ceil((M + 1) coverage)-th lowest of the M
    scores of calibration images, which is exact for a finite M.

    Args:
        posterior: Of the images, ``(N, K)``.
        calibration: Posterior ``(M, K)`` and true ranks ``(M,)`` of other images.
        coverage: Share of images whose true rank is in their interval, at least; 1 - alpha.
        method: See `rps_scores` and `aps_scores`.

    Raises:
        SpecError: If the coverage does not lie between 0 and 1, or there is no such method.
        ValueError: If a posterior is none, or the shapes do not fit.

    With 4 calibration images, a coverage of 0.8 takes the largest of their scores, 0.25:

    >>> posterior = np.array([[0.5, 0.5, 0.0]])
    >>> four = Calibration(posterior.repeat(4, 0), np.array([0, 0, 1, 0]))
    >>> lower, upper, note = intervals(posterior, four, coverage=0.8)
    >>> lower.tolist(), upper.tolist(), note
    ([0], [1], '')
    """
    check_coverage(coverage)
    if method not in get_args(Method):
        raise SpecError(f"unknown method {method!r} of intervals; take {' or '.join(_SCORES)}")
    num_ranks, scores_of = posterior.shape[-1], _SCORES[method]
    # Scores that differ by rounding only, such as sums of all probabilities, are to be a tie.
    scores = scores_of(check_posterior(posterior, num_ranks)).round(6)
    seen = scores_of(check_posterior(calibration.posterior, num_ranks)).round(6)
    ranks = calibration.ranks
    if ranks.shape != (len(seen),) or not np.isin(ranks, range(num_ranks)).all():
        raise ValueError(
            f"calibration ranks must be {len(seen)} of 0..{num_ranks - 1}, got {ranks.shape}"
        )
    if note := too_few(len(ranks), coverage):
        all_ranks = np.zeros(len(scores), np.int64), np.full(len(scores), num_ranks - 1)
        return Intervals(*all_ranks, note=note)
    bound = np.sort(seen[np.arange(len(ranks)), ranks])[_place(len(ranks), coverage) - 1]
    inside = scores <= np.maximum(bound, scores.min(1, keepdims=True))
    return Intervals(inside.argmax(1), num_ranks - 1 - inside[:, ::-1].argmax(1))


def check_coverage(coverage: float) -> None:
    """Refuse what no interval has.

    Raises:
        SpecError: If the coverage does not lie between 0 and 1.
    """
    if not 0 < coverage < 1:
        raise SpecError(f"coverage must lie between 0 and 1, such as 0.9; got {coverage}")


def rps_scores(probs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The ranked probability score ``(N, K)`` of each rank; the median has the lowest.

    From a rank to the next it changes by 2 P(rank <= k) - 1, which rises with k.

    Source: Haas, Killmaier, Javanmardi and Hüllermeier (2026). Reliable conformal prediction for
    ordinal classification using the ranked probability score. https://arxiv.org/abs/2606.24959

    >>> rps_scores(np.array([[0.25, 0.5, 0.25]])).tolist()  # 0.75^2 + 0.25^2, 2 * 0.25^2
    [[0.625, 0.125, 0.625]]
    """
    below = probs.cumsum(1)[:, :-1]
    of_first = np.square(below - 1).sum(1, keepdims=True)
    steps = (2 * below - 1).cumsum(1)
    return np.concatenate([of_first, of_first + steps], axis=1)


def aps_scores(probs: NDArray[np.float64]) -> NDArray[np.float64]:
    """The probability ``(N, K)`` of the interval around the mode in which each rank is the last.

    The interval starts as the likeliest rank, the lowest at a tie, and takes in the likelier of
    its two neighbours, the lower one at a tie, again and again. The rank's own probability counts
    in full, so that no random number is drawn.

    Source: Lu, Angelopoulos and Pomponi (2022). Improving trustworthiness of AI disease severity
    rating in medical imaging with ordinal conformal prediction sets.
    https://arxiv.org/abs/2207.02238

    >>> aps_scores(np.array([[0.125, 0.5, 0.25, 0.125]])).tolist()
    [[0.875, 0.5, 0.75, 1.0]]
    """
    num, num_ranks = probs.shape
    images = np.arange(num)
    walled = np.pad(probs, ((0, 0), (1, 1)), constant_values=-1.0)  # rank k stands at k + 1
    lower = upper = probs.argmax(1)
    mass = probs[images, lower]
    scores = np.zeros_like(probs)
    scores[images, lower] = mass
    for _ in range(num_ranks - 1):
        down, up = walled[images, lower], walled[images, upper + 2]
        goes_down = down >= up
        lower, upper = lower - goes_down, upper + ~goes_down
        mass = mass + np.maximum(down, up)
        scores[images, np.where(goes_down, lower, upper)] = mass
    return scores


_SCORES = {"rps": rps_scores, "aps": aps_scores}


def coverage(evaluation: Evaluation, percent: float) -> float:
    """Share of images whose true rank is in their interval of a stated coverage, in percent.

    Raises:
        ValueError: If the evaluation has no posterior or no calibration images.
    """
    lower, upper, _ = _of(evaluation, percent)
    return float(((lower <= evaluation.ranks) & (evaluation.ranks <= upper)).mean())


def width(evaluation: Evaluation, percent: float) -> float:
    """Mean number of ranks in the intervals of a stated coverage, in percent.

    Raises:
        ValueError: If the evaluation has no posterior or no calibration images.
    """
    lower, upper, _ = _of(evaluation, percent)
    return float((upper - lower + 1).mean())


def _of(evaluation: Evaluation, percent: float) -> Intervals:
    if evaluation.calibration is None:
        raise ValueError("there are no calibration images")
    share = float(Fraction(str(percent)) / 100)
    return intervals(evaluation.probs, evaluation.calibration, coverage=share)


def too_few(num: int, coverage: float) -> str:
    """Why all ranks are in every interval that ``num`` images calibrate; empty if that is not so.

    >>> too_few(9, 0.9), too_few(8, 0.9)[:30]
    ('', '8 calibration images are too f')
    """
    if _place(num, coverage) <= num:
        return ""
    share = _share(coverage)
    return (
        f"{num} calibration images are too few for a coverage of {coverage:g}, which takes "
        f"{math.ceil(share / (1 - share))}: every interval holds all ranks"
    )


def _place(num: int, coverage: float) -> int:
    """Which of the sorted scores of ``num`` images is the bound, counted from 1."""
    return math.ceil((num + 1) * _share(coverage))


def _share(coverage: float) -> Fraction:
    return Fraction(str(float(coverage)))  # as typed: 20 * 0.95 is to be 19
