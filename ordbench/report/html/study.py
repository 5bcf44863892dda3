"""What a report says of the heads of one column: how they compare, and where each of them errs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import comb
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ordbench.leaderboard.significance import ColumnTest, Significance, compare_heads
from ordbench.metrics.evaluation import Evaluation
from ordbench.metrics.registry import Metric
from ordbench.report.error_analysis import (
    ImageError,
    RankErrors,
    errors_by_rank,
    rank_groups,
    worst_images,
)
from ordbench.results.image_scores import ImageScores
from ordbench.results.rows import CellRuns

ALL_PAIRS = 300  # of heads in a column: more take minutes
GROUPS = 10  # of ranks
WORST = 6  # images of a head
_TIE = 1e-9


class HeadErrors(NamedTuple):
    """Where one head errs, over all of its runs in a column.

    Attributes:
        by_rank: Bias and MAE of at most ten groups of neighbouring ranks, mean over runs.
        worst: The images with the largest errors of the mean estimate over runs.
        run_ids: The runs.
    """

    by_rank: Sequence[RankErrors]
    worst: Sequence[ImageError]
    run_ids: Sequence[str]


@dataclass(frozen=True)
class StudiedColumn(ColumnTest):
    """The comparisons of a column, and more of its heads.

    Attributes:
        heads: Where each head errs that was compared, by label.
        against: The heads that all others were compared with; empty for all pairs.
        unit: What errors are measured in.
    """

    heads: Mapping[str, HeadErrors] = field(default_factory=dict[str, HeadErrors])
    against: Sequence[str] = ()
    unit: str = ""


class ColumnStudy(Significance):
    """Compares the heads of a column and says where they err, reading each run once.

    All pairs are compared where they are few. Otherwise every head is compared with the best and
    with the reference; the p values, and so the marks, are those of all pairs.

    Args:
        root: The store of the runs.
        metric: What is compared.
        decode: How posteriors become estimates.
        reference: Label or name of a head that is compared with all others in any case.

    Raises:
        SpecError: If the metric is no mean over images.
        StoreError: If ``root`` is an archive, which holds no predictions.
    """

    def __init__(self, root: Path, metric: Metric, decode: str, reference: str = "") -> None:
        super().__init__(root, metric, decode)
        self._better = 1 if metric.higher_is_better else -1
        self._reference = reference

    def __call__(self, cells: Mapping[str, Sequence[CellRuns]]) -> StudiedColumn:
        """Study the heads of one column, by label."""
        scores, untested = self.read(cells)
        against: list[str] | None = None
        if comb(len(scores), 2) > ALL_PAIRS:
            against = list(dict.fromkeys([*self._named(scores, cells), *self._best(scores)]))
        return StudiedColumn(
            compare_heads(scores, against),
            untested,
            heads={label: head_errors(found, cells[label]) for label, found in scores.items()},
            against=against or (),
            unit=next((found.images.unit for found in scores.values()), ""),
        )

    def _named(
        self, scores: Mapping[str, ImageScores], cells: Mapping[str, Sequence[CellRuns]]
    ) -> list[str]:
        """The reference: the row of that label, else all rows of the head of that name."""
        exact = [label for label in scores if label == self._reference]
        return exact or [one for one in scores if cells[one][0].first.head == self._reference]

    def _best(self, scores: Mapping[str, ImageScores]) -> list[str]:
        """The best of the heads with the most runs; at a tie all of them."""
        most = max(len(one.seeds) for one in scores.values())
        means = {
            label: self._better * float(one.scores.mean())
            for label, one in scores.items()
            if len(one.seeds) == most
        }
        top = max(means.values())
        return [label for label, mean in means.items() if mean >= top - _TIE * abs(top)]


def head_errors(scores: ImageScores, cells: Iterable[CellRuns]) -> HeadErrors:
    """Where a head errs, over all of its runs."""
    images, runs = scores.images, len(scores.seeds)
    groups = rank_groups(len(images.rank_values), GROUPS)
    every = Evaluation(
        ranks=np.tile(images.ranks, runs),
        rank_values=images.rank_values,
        estimates=scores.estimates.ravel(),
    )
    mean = Evaluation(
        ranks=images.ranks,
        rank_values=images.rank_values,
        estimates=scores.estimates.mean(0),
        samples=images.samples,
    )
    by_rank = [one._replace(images=one.images // runs) for one in errors_by_rank(every, groups)]
    run_ids = [run_id for cell in cells for run_id in cell.run_ids]
    return HeadErrors(by_rank, worst_images(mean, WORST), run_ids)
