"""Error analysis of one run: confusion, errors by rank, reliability, and the worst images."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.calibration import BINS
from ordbench.metrics.evaluation import Evaluation


class RankErrors(NamedTuple):
    """The errors of the images whose true rank is one of a group.

    Attributes:
        low: Value of the first of these ranks.
        high: Value of the last.
        images: How many images show one of them.
        bias: Mean of estimate less truth, in the dataset's unit; None without images.
        mae: Mean absolute error, in the dataset's unit; None without images.
    """

    low: float
    high: float
    images: int
    bias: float | None
    mae: float | None


class ReliabilityBin(NamedTuple):
    """The images whose likeliest rank has a probability in one bin.

    Attributes:
        low: Lower end of the bin, not in it.
        high: Upper end.
        images: How many images are in it.
        confidence: Their mean probability of the likeliest rank.
        accuracy: The share of them whose likeliest rank is the true one.
    """

    low: float
    high: float
    images: int
    confidence: float
    accuracy: float


class RiskCoverage(NamedTuple):
    """The MAE of the images of which a head is surest, for each share of the images.

    Attributes:
        coverage: Shares of the images ``(N,)``, 1/N to 1.
        risk: MAE of the surest of them ``(N,)``, in the dataset's unit; the last is the MAE.
    """

    coverage: NDArray[np.float64]
    risk: NDArray[np.float64]

    @property
    def area(self) -> float:
        """AURC: the mean of the risk over all coverages."""
        return float(self.risk.mean())


class ImageError(NamedTuple):
    """One image: its name, its true value, the estimate, and estimate less truth."""

    sample: str
    true: float
    estimate: float
    error: float


def rank_groups(num_ranks: int, at_most: int) -> list[range]:
    """Cut 0..K-1 into contiguous groups, whose sizes differ by one at most.

    >>> rank_groups(7, 3), rank_groups(2, 10)
    ([range(0, 3), range(3, 5), range(5, 7)], [range(0, 1), range(1, 2)])
    """
    parts = min(num_ranks, at_most)
    size, larger = divmod(num_ranks, parts)
    starts = [part * size + min(part, larger) for part in range(parts + 1)]
    return [range(first, end) for first, end in pairwise(starts)]


def confusion(evaluation: Evaluation, groups: Sequence[range]) -> NDArray[np.int64]:
    """Images ``(G, G)`` by the group of the true rank (rows) and of the estimated rank (columns).

    The estimated rank is the one nearest to the estimate.

    >>> ranks, estimates = np.array([0, 0, 1, 2]), np.array([10.0, 19.0, 21.0, 21.0])
    >>> seen = Evaluation(ranks=ranks, rank_values=(10, 20, 30), estimates=estimates)
    >>> confusion(seen, rank_groups(3, 3)).tolist()
    [[1, 1, 0], [0, 1, 0], [0, 1, 0]]
    """
    group, number = _group_of(groups), len(groups)
    pairs = group[evaluation.ranks] * number + group[evaluation.predicted_ranks]
    return np.bincount(pairs, minlength=number * number).reshape(number, number).astype(np.int64)


def errors_by_rank(evaluation: Evaluation, groups: Sequence[range]) -> list[RankErrors]:
    """Bias and MAE of the images of each group of true ranks, in the dataset's unit.

    >>> ranks, estimates = np.array([0, 0, 1]), np.array([13.0, 9.0, 15.0])
    >>> seen = Evaluation(ranks=ranks, rank_values=(10, 20), estimates=estimates)
    >>> errors_by_rank(seen, rank_groups(2, 2))[0]
    RankErrors(low=10.0, high=10.0, images=2, bias=1.0, mae=2.0)
    """
    shown = _group_of(groups)[evaluation.ranks]
    signed, values = _signed_errors(evaluation), evaluation.rank_values
    counts, bias, distance = (
        np.bincount(shown, weights=weights, minlength=len(groups))
        for weights in (None, signed, np.abs(signed))
    )
    return [
        RankErrors(
            low=float(values[group[0]]),
            high=float(values[group[-1]]),
            images=int(count),
            bias=float(bias[number] / count) if count else None,
            mae=float(distance[number] / count) if count else None,
        )
        for number, (group, count) in enumerate(zip(groups, counts, strict=True))
    ]


def reliability(evaluation: Evaluation) -> list[ReliabilityBin]:
    """The bins of `ordbench.metrics.calibration.ece` that hold an image.

    The mean over images of the distance between a bin's confidence and accuracy is the ECE.

    Source: Guo et al. (2017). On calibration of modern neural networks.
    https://arxiv.org/abs/1706.04599

    Raises:
        ValueError: If there is no posterior.
    """
    probs = evaluation.probs
    confidence, hits = probs.max(1), probs.argmax(1) == evaluation.ranks
    bins = np.ceil(confidence * BINS).astype(np.int64)
    found: list[ReliabilityBin] = []
    for number in np.unique(bins):
        inside = bins == number
        found.append(
            ReliabilityBin(
                low=float((number - 1) / BINS),
                high=float(number / BINS),
                images=int(inside.sum()),
                confidence=float(confidence[inside].mean()),
                accuracy=float(hits[inside].mean()),
            )
        )
    return found


def risk_coverage(evaluation: Evaluation) -> RiskCoverage:
    """Risk against coverage, where an image is the surer the less error its posterior expects.

    That is the mean distance, under the posterior, of the rank's value from the estimate. Images
    of the same expected error count as if each had the mean of their errors, so that their order
    does not matter.

    Source: Geifman & El-Yaniv (2017). Selective classification for deep neural networks.
    https://arxiv.org/abs/1705.08500

    Raises:
        ValueError: If there is no posterior.

    >>> seen = Evaluation(
    ...     ranks=np.array([0, 1]),
    ...     rank_values=(0, 10),
    ...     estimates=np.array([0, 0]),
    ...     posterior=np.array([[1.0, 0.0], [0.5, 0.5]]),
    ... )
    >>> risk_coverage(seen).risk.tolist()
    [0.0, 5.0]
    """
    values = np.asarray(evaluation.rank_values, np.float64)
    estimates = np.asarray(evaluation.estimates, np.float64)
    probs = evaluation.probs
    expected = np.array(
        [row @ np.abs(values - at) for row, at in zip(probs, estimates, strict=True)]
    )
    _, group, counts = np.unique(expected.round(9), return_inverse=True, return_counts=True)
    errors = np.bincount(group, weights=evaluation.errors) / counts
    number = np.arange(1, len(group) + 1)
    return RiskCoverage(number / len(group), np.repeat(errors, counts).cumsum() / number)


def signed_distances(evaluation: Evaluation) -> NDArray[np.int64]:
    """Images ``(2K - 1,)`` by estimated less true rank, from -(K - 1) to K - 1.

    >>> ranks, estimates = np.array([0, 0, 1]), np.array([10.0, 19.0, 11.0])
    >>> seen = Evaluation(ranks=ranks, rank_values=(10, 20), estimates=estimates)
    >>> signed_distances(seen).tolist()
    [1, 1, 1]
    """
    size = len(evaluation.rank_values) - 1
    distances = evaluation.predicted_ranks - evaluation.ranks + size
    return np.bincount(distances, minlength=2 * size + 1).astype(np.int64)


def worst_images(evaluation: Evaluation, at_most: int) -> list[ImageError]:
    """The images with the largest absolute errors, the largest first."""
    order = np.argsort(-np.abs(_signed_errors(evaluation)), kind="stable")
    return _image_errors(evaluation, order[:at_most].tolist())


def best_images(evaluation: Evaluation, at_most: int) -> list[ImageError]:
    """The images with the smallest absolute errors, the smallest first."""
    order = np.argsort(np.abs(_signed_errors(evaluation)), kind="stable")
    return _image_errors(evaluation, order[:at_most].tolist())


def _image_errors(evaluation: Evaluation, indices: Sequence[int]) -> list[ImageError]:
    signed = _signed_errors(evaluation)
    return [
        ImageError(
            sample=evaluation.samples[index],
            true=float(evaluation.rank_values[evaluation.ranks[index]]),
            estimate=float(evaluation.estimates[index]),
            error=float(signed[index]),
        )
        for index in indices
    ]


def _group_of(groups: Sequence[range]) -> NDArray[np.int64]:
    """The group of each rank."""
    return np.repeat(np.arange(len(groups)), [len(group) for group in groups])


def _signed_errors(evaluation: Evaluation) -> NDArray[np.float64]:
    """Estimate less truth ``(N,)``, in the dataset's unit."""
    true = np.asarray(evaluation.rank_values, np.float64)[evaluation.ranks]
    return np.asarray(evaluation.estimates, np.float64) - true
