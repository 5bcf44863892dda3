"""Bootstrap draws of test images and of seeds, which depend on their names and on nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import lru_cache
from math import sqrt

import numpy as np
from numpy.typing import NDArray

_AT_A_TIME = 1_000_000  # weights of images in memory
Floats = NDArray[np.float64]


class Images:
    """Test images that are drawn with replacement: unit by unit, where images belong together.

    Args:
        units: One name an image; images of the same name (of one person) are drawn together.

    Raises:
        ValueError: If there are none.
    """

    def __init__(self, units: Sequence[str]) -> None:
        if not units:
            raise ValueError("wanted test images, got none")
        names, self._unit = np.unique(np.asarray(units, np.str_), return_inverse=True)
        self.number = len(names)
        self._seed = _seed_of(names.tolist())

    def means(self, scores: Floats, resamples: int) -> Floats:
        """Means of scores over resampled images.

        Deviations from the mean are stretched by sqrt(G / (G - 1)) for G units, so that their
        variance has no bias.

        Args:
            scores: ``(N, M)``: M scores of each image.
            resamples: How many draws, B.

        Returns:
            ``(B, M)``; of fewer than two units the mean itself, B times.
        """
        mean: Floats = scores.mean(0)
        if self.number < 2:
            return np.tile(mean, (resamples, 1))
        sums = np.stack([np.bincount(self._unit, column) for column in (scores - mean).T], 1)
        sizes = np.bincount(self._unit).astype(np.float64)
        generator = np.random.default_rng(self._seed)
        drawn = np.empty((resamples, scores.shape[1]))
        step = max(1, _AT_A_TIME // self.number)
        for start in range(0, resamples, step):
            rows = min(step, resamples - start)
            weights = self._weights(generator, rows)
            drawn[start : start + rows] = weights @ sums / (weights @ sizes)[:, None]
        return mean + drawn * sqrt(self.number / (self.number - 1))

    def _weights(self, generator: np.random.Generator, rows: int) -> Floats:
        """How often each unit is drawn when as many are drawn as there are ``(rows, G)``."""
        chosen = generator.integers(0, self.number, (rows, self.number))
        chosen += np.arange(rows)[:, None] * self.number
        counts = np.bincount(chosen.ravel(), minlength=rows * self.number)
        return counts.reshape(rows, self.number).astype(np.float64)


def seed_deviations(scores: Floats, draws: Sequence[int], resamples: int) -> Floats:
    """How far the mean over few seeds may be from the mean over all seeds there could be.

    With three seeds, draws with replacement understate the variance by a third and have no tails:
    a test by them errs far more often than it says. So a draw gives the seeds random weights of
    sum 0 that make the deviation of their mean Student's t with S - 1 degrees of freedom, times
    the standard error: what it is for scores that scatter normally over seeds.

    Args:
        scores: ``(S,)``: one a seed.
        draws: The S seeds, which start the generator.
        resamples: How many draws, B.

    Returns:
        ``(B,)``; zeros for one seed, of which nothing is known.
    """
    number = len(scores)
    if number < 2:
        return np.zeros(resamples)
    deviations: Floats = _seed_weights(tuple(draws), resamples) @ (scores - scores.mean())
    return deviations


@lru_cache(maxsize=8)
def _seed_weights(draws: tuple[int, ...], resamples: int) -> Floats:
    """Weights ``(B, S)`` of a multivariate t distribution; all pairs of heads share them."""
    generator = np.random.default_rng(_seed_of(draws))
    normal = generator.standard_normal((resamples, len(draws)))
    spread = np.sqrt(generator.chisquare(len(draws) - 1, resamples) * len(draws))
    weights: Floats = normal / spread[:, None]
    return weights


def _seed_of(names: Sequence[object]) -> int:
    return int.from_bytes(hashlib.sha256(json.dumps(list(names)).encode()).digest()[:16], "big")
