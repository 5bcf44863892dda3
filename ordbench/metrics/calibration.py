"""How far the probabilities of a posterior are from the shares that are then observed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ordbench.metrics.evaluation import Evaluation

BINS = 15


def brier(evaluation: Evaluation) -> float:
    """Brier score: sum over ranks of (p_k - [rank is k])^2, averaged over images; 0 to 2.

    Agrees with ``sklearn.metrics.brier_score_loss(labels=range(K), scale_by_half=False)``.

    Source: Brier (1950). Verification of forecasts expressed in terms of probability.
    https://doi.org/10.1175/1520-0493(1950)078%3C0001:VOFEIT%3E2.0.CO;2

    >>> seen = {"rank_values": (0, 1), "ranks": np.array([0]), "estimates": np.array([0])}
    >>> brier(Evaluation(posterior=np.array([[0.75, 0.25]]), **seen))
    0.125
    """
    probs, ranks = evaluation.probs, evaluation.ranks
    images = np.arange(len(ranks))
    return float((np.square(probs).sum(1) - 2 * probs[images, ranks] + 1).mean())


def ece(evaluation: Evaluation) -> float:
    """Expected calibration error of the likeliest rank, over 15 bins of equal width.

    Sum over bins of the share of images in it, times the distance of their mean probability from
    the share of them that is right. A bin holds its upper end.

    Source: Guo et al. (2017). On calibration of modern neural networks.
    https://arxiv.org/abs/1706.04599
    """
    probs = evaluation.probs
    confidence = probs.max(1)
    surplus = confidence - (probs.argmax(1) == evaluation.ranks)
    bins = np.ceil(confidence * BINS).astype(np.int64)
    return float(np.abs(np.bincount(bins, weights=surplus)).sum() / len(confidence))


def ace(evaluation: Evaluation) -> float:
    """Adaptive calibration error: the mean over all K ranks and over 15 bins of equal count.

    For each rank, images are sorted by its probability and cut into 15 bins (N where there are
    fewer images), whose sizes differ by one at most. A bin has the distance of its mean
    probability from its share of the rank. Images of the same probability count as an equal part
    of the rank each, so that the order of images does not matter.

    Source: Nixon et al. (2019). Measuring calibration in deep learning, section 3.3.
    https://arxiv.org/abs/1904.01685
    """
    probs, ranks = evaluation.probs, evaluation.ranks
    distances = [_ace_of(column, ranks == rank) for rank, column in enumerate(probs.T)]
    return float(np.mean(distances))


def _ace_of(probs: NDArray[np.float64], shown: NDArray[np.bool_]) -> float:
    """The mean distance over the bins of one rank."""
    distinct, group, counts = np.unique(probs, return_inverse=True, return_counts=True)
    shares = np.bincount(group, weights=shown) / counts
    surplus = np.repeat(distinct - shares, counts)
    bins = np.array_split(surplus, min(BINS, len(surplus)))
    return float(np.mean([abs(one.mean()) for one in bins]))
