"""The scores of each test image by the runs of one head, read from stored predictions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ordbench.errors import SpecError, StoreError
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.per_image import PerImage, per_image
from ordbench.metrics.registry import BUILTIN_DECODES, Metric
from ordbench.results.evaluations import decoded
from ordbench.results.layout import archive_path
from ordbench.results.rows import CellRuns, Seeds
from ordbench.results.store import Store
from ordbench.runs.predictions import Predictions
from ordbench.statistics.paired import SeedScores


@dataclass(frozen=True, kw_only=True)
class ImageSet:
    """The N images that runs were tested on, in the order of their names.

    Attributes:
        samples: Their names.
        ranks: Their true ranks ``(N,)``.
        rank_values: K numbers in ``unit``.
        unit: What estimates are measured in.
        groups: Whom they show; None where that is not known.
        extra: More true values by name.
    """

    samples: tuple[str, ...]
    ranks: NDArray[np.int64]
    rank_values: tuple[float, ...]
    unit: str
    groups: tuple[str | None, ...]
    extra: Mapping[str, tuple[float | str | None, ...]]

    @property
    def units(self) -> list[str]:
        """What is independent: people, and images of which nothing is known."""
        pairs = zip(self.groups, self.samples, strict=True)
        return [f"image {name}" if group is None else f"group {group}" for group, name in pairs]

    def same(self, other: ImageSet) -> bool:
        """Whether they are the same images with the same truth."""
        return self.samples == other.samples and np.array_equal(self.ranks, other.ranks)


@dataclass(frozen=True, kw_only=True)
class ImageScores:
    """What S runs, which differ in their seeds, say of the same N images.

    Attributes:
        images: The images.
        seeds: Data seed and train seed of each run.
        scores: ``(S, N)``; their mean over images is the metric.
        estimates: ``(S, N)`` in the dataset's unit.
        train_medians: Median of the training ranks of each run in that unit; None in older files.
    """

    images: ImageSet
    seeds: Sequence[Seeds]
    scores: NDArray[np.float64]
    estimates: NDArray[np.float64]
    train_medians: Sequence[float | None]

    @property
    def by_seed(self) -> SeedScores:
        """As comparisons take them."""
        return SeedScores(self.seeds, self.scores)


def scorer(metric: Metric) -> PerImage:
    """The function that scores single images.

    Raises:
        SpecError: If the metric is no mean over images.
    """
    found = per_image(metric)
    if found is None:
        raise SpecError(
            f"metric {metric.name!r} is no mean over test images, so images cannot be resampled; "
            "take mae, accuracy, off1, cs@K, nll, rps or brier"
        )
    return found


def read_image_scores(
    root: Path, cells: Iterable[CellRuns], metric: Metric, decode: str
) -> ImageScores:
    """Read the predictions of runs that differ in nothing but their seeds.

    Args:
        root: The store of the runs.
        cells: At least one run.
        metric: A mean over images.
        decode: How posteriors become estimates.

    Raises:
        SpecError: If the metric is no mean over images, or needs a posterior that is not there.
        StoreError: If predictions are not there, are damaged, or are not of the same images.
    """
    score = scorer(metric)
    if archive := archive_path(root):
        raise StoreError(f"{archive} is an archive, which holds no predictions; name the folder")
    store = Store(root)
    runs = sorted(
        (seeds, run_id)
        for cell in cells
        for seeds, run_id in zip(cell.seeds, cell.run_ids, strict=True)
    )
    read = [_read(store, run_id, metric, score, decode) for _, run_id in runs]
    images = read[0][0]
    for (_, run_id), (others, *_) in zip(runs, read, strict=True):
        if not others.same(images):
            raise StoreError(f"runs {runs[0][1]} and {run_id} were not tested on the same images")
    return ImageScores(
        images=images,
        seeds=[seeds for seeds, _ in runs],
        scores=np.stack([scores for _, scores, _, _ in read]),
        estimates=np.stack([estimates for _, _, estimates, _ in read]),
        train_medians=[median for *_, median in read],
    )


_Read = tuple[ImageSet, NDArray[np.float64], NDArray[np.float64], float | None]


def _read(store: Store, run_id: str, metric: Metric, score: PerImage, decode: str) -> _Read:
    # The estimates of ordbench's own decodings are stored beside the posterior, and read faster.
    stored = not metric.of_posterior and decode in BUILTIN_DECODES
    predictions = store.read_predictions(run_id, posterior=not stored)
    if stored and not predictions.estimates.keys() & {decode, "point"}:
        stored, predictions = False, store.read_predictions(run_id)
    task = None if predictions.rank_values else store.read(run_id).task
    values = tuple(task.rank_values if task else predictions.rank_values)
    if metric.of_posterior and predictions.posterior is None:
        raise SpecError(f"metric {metric.name!r} needs a posterior, and run {run_id} has none")
    if len(set(predictions.samples)) < len(predictions.samples):
        raise StoreError(f"the predictions of run {run_id} name an image twice; run it again")
    try:
        evaluation = (
            _as_stored(predictions, values, decode)
            if stored
            else decoded(predictions, values, decode).evaluation
        )
        scores = score(evaluation)
    except ValueError as error:
        raise StoreError(
            f"the predictions of run {run_id} cannot be used: {error}; run it again"
        ) from error
    order = np.argsort(np.asarray(predictions.samples, np.str_), kind="stable")
    return (
        _images(predictions, values, order),
        scores[order],
        np.asarray(evaluation.estimates, np.float64)[order],
        predictions.train_median,
    )


def _as_stored(predictions: Predictions, values: tuple[float, ...], decode: str) -> Evaluation:
    estimates = predictions.estimates
    return Evaluation(
        ranks=predictions.ranks,
        rank_values=values,
        estimates=estimates[decode] if decode in estimates else estimates["point"],
    )


def _images(
    predictions: Predictions, values: tuple[float, ...], order: NDArray[np.intp]
) -> ImageSet:
    indices: list[int] = order.tolist()
    groups = predictions.groups or [None] * len(indices)
    return ImageSet(
        samples=tuple(predictions.samples[index] for index in indices),
        ranks=np.asarray(predictions.ranks)[order],
        rank_values=values,
        unit=predictions.unit,
        groups=tuple(groups[index] for index in indices),
        extra={
            name: tuple(known[index] for index in indices)
            for name, known in predictions.extra.items()
        },
    )
