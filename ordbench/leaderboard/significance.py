"""Which cells of a leaderboard are not distinguishable from the best of their column."""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ordbench.errors import SpecError, StoreError
from ordbench.leaderboard.ranking import Row, Score, leader
from ordbench.metrics.registry import Metric
from ordbench.results.layout import archive_path
from ordbench.results.rescoring import NO_POSTERIOR
from ordbench.results.rows import CellRuns
from ordbench.statistics.holm import holm

if TYPE_CHECKING:
    from ordbench.results.image_scores import ImageScores, ImageSet
    from ordbench.statistics.paired import Paired

ALPHA = 0.05
logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class ColumnTest:
    """The comparisons of all pairs of heads in one column.

    Attributes:
        pairs: By the labels of both rows, in the order of the labels.
        untested: Why a head was compared with none, by label.
    """

    pairs: Mapping[tuple[str, str], Paired] = field(default_factory=dict)
    untested: Mapping[str, str] = field(default_factory=dict)

    def distinguishable(self, best: str) -> dict[str, bool]:
        """Whether heads are significantly different from the best, with `holm` over all of these.

        So the truly best head is shown as best, or as not distinguishable from the best, in at
        least 95 % of columns. Of ten heads that are all equal, one or more are called
        distinguishable in up to 15 %, as the best of them was lucky; where that matters, ``p_holm``
        of `pairs` is over all pairs.

        Source: Edwards and Hsu (1983). Multiple comparisons with the best treatment. Journal of
        the American Statistical Association 78.
        """
        known = {
            one if other == best else other: pair.p
            for (one, other), pair in self.pairs.items()
            if best in (one, other) and pair.p is not None
        }
        adjusted = holm(list(known.values()))
        return {label: p_value < ALPHA for label, p_value in zip(known, adjusted, strict=True)}


def with_tests(rows: Sequence[Row], tests: Sequence[ColumnTest], metric: Metric) -> tuple[Row, ...]:
    """Say of each cell whether it is distinguishable from the best of its column.

    Args:
        rows: In the order of the table.
        tests: One a column.
        metric: Which end is best.
    """
    columns: list[list[Score | None]] = []
    for column, test in zip(zip(*(row.cells for row in rows), strict=True), tests, strict=True):
        at = leader(column, metric)
        found = {} if at is None else test.distinguishable(rows[at].label)
        columns.append(
            [
                cell and replace(cell, distinguishable=found.get(row.label))
                for cell, row in zip(column, rows, strict=True)
            ]
        )
    return tuple(
        replace(row, cells=cells)
        for row, cells in zip(rows, zip(*columns, strict=True), strict=True)
    )


class Significance:
    """Compares the heads of a column by their stored predictions.

    Args:
        root: The store of the runs.
        metric: What is compared.
        decode: How posteriors become estimates.

    Raises:
        SpecError: If the metric is no mean over images.
        StoreError: If ``root`` is an archive, which holds no predictions.
    """

    def __init__(self, root: Path, metric: Metric, decode: str) -> None:
        from ordbench.results.image_scores import scorer

        scorer(metric)
        if archive := archive_path(root):
            raise StoreError(
                f"{archive} is an archive, which holds no predictions; name the folder of the runs"
            )
        self._root, self._metric, self._decode = root, metric, decode

    def __call__(self, cells: Mapping[str, Sequence[CellRuns]]) -> ColumnTest:
        """Compare all pairs of heads in one column, by label."""
        scores, untested = self.read(cells)
        return ColumnTest(compare_heads(scores), untested)

    def read(
        self, cells: Mapping[str, Sequence[CellRuns]]
    ) -> tuple[dict[str, ImageScores], dict[str, str]]:
        """Scores of the heads that were tested on the same images, and why others were not."""
        read: dict[str, ImageScores] = {}
        untested: dict[str, str] = {}
        for label in sorted(cells):
            try:
                read[label] = self._read(cells[label])
            except StoreError as error:
                logger.warning("%s is not tested: %s", label, error)
                untested[label] = "no usable predictions"
            except SpecError:
                untested[label] = NO_POSTERIOR
        most = _most_common([scores.images for scores in read.values()])
        for label, scores in list(read.items()):
            if most is None or not scores.images.same(most):
                untested[label] = "tested on other images"
                del read[label]
        return read, untested

    def _read(self, cells: Sequence[CellRuns]) -> ImageScores:
        from ordbench.results.image_scores import read_image_scores

        return read_image_scores(self._root, cells, self._metric, self._decode)


def compare_heads(
    scores: Mapping[str, ImageScores], against: Collection[str] | None = None
) -> dict[tuple[str, str], Paired]:
    """Compare pairs of heads that were tested on the same images, in the order of the labels.

    Args:
        scores: By label.
        against: Heads of which one stands in each pair; None for all pairs.
    """
    from ordbench.statistics.paired import compare_all

    if not scores:
        return {}
    labels = list(scores)
    chosen = None if against is None else [labels.index(label) for label in against]
    images = next(iter(scores.values())).images
    found = compare_all([one.by_seed for one in scores.values()], images.units, chosen)
    return {(labels[one], labels[other]): pair for (one, other), pair in found.items()}


def _most_common(images: Sequence[ImageSet]) -> ImageSet | None:
    """The images that most heads were tested on, of equals those of the first."""
    counts = [sum(one.same(other) for other in images) for one in images]
    return images[counts.index(max(counts))] if images else None
