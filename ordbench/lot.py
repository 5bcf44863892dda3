"""Runs that differ in nothing but seeds, by columns: 100,000 runs are some 1,000 of these."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass
from operator import attrgetter

from ordbench.flat import SHARED, FlatRecord

Scores = Mapping[str, Sequence[float]]
"""Scores by name, one a run."""

_OWN = attrgetter("run_id", "created", "data_seed", "train_seed", "seconds_fit")


@dataclass(frozen=True)
class Lot:
    """Runs that differ in nothing but seeds: what is said of one is said of all.

    Attributes:
        first: One of them.
        run_ids: One a run, as all that follows.
        created: When each was made.
        seeds: Data seed and train seed of each.
        seconds: Wall time of each training.
        metrics: Scores on the test images, as in `FlatRecord`.
        baseline: Scores of the median of the training ranks.
    """

    first: FlatRecord
    run_ids: Sequence[str]
    created: Sequence[str]
    seeds: Sequence[tuple[int, int]]
    seconds: Sequence[float | None]
    metrics: Scores
    baseline: Scores

    def __len__(self) -> int:
        return len(self.run_ids)

    def rows(self) -> Iterator[FlatRecord]:
        """The runs one by one."""
        shared, error = self.first[:SHARED], self.first.error
        own = zip(self.run_ids, self.created, self.seeds, self.seconds, strict=True)
        scores = zip(
            _by_run(self.metrics, len(self)), _by_run(self.baseline, len(self)), strict=True
        )
        for (run_id, created, seeds, seconds), both in zip(own, scores, strict=True):
            yield FlatRecord._make((*shared, run_id, created, *seeds, seconds, error, *both))

    def part(self, run_ids: Set[str]) -> list[Lot]:
        """Those of its runs: one lot, or none."""
        rows = [row for row in self.rows() if row.run_id in run_ids]
        return [of_rows(rows)] if rows else []


def of_rows(rows: Sequence[FlatRecord]) -> Lot:
    """A lot of runs that differ in seeds alone and have scores of the same names; at least one."""
    run_ids, created, data_seeds, train_seeds, seconds = zip(*map(_OWN, rows), strict=True)
    first = rows[0]
    return Lot(
        first,
        run_ids,
        created,
        list(zip(data_seeds, train_seeds, strict=True)),
        seconds,
        {name: [row.metrics[name] for row in rows] for name in first.metrics},
        {name: [row.baseline[name] for row in rows] for name in first.baseline},
    )


def alike(rows: Iterable[FlatRecord]) -> list[Lot]:
    """The lots of some runs."""
    lots: defaultdict[tuple[object, ...], list[FlatRecord]] = defaultdict(list)
    for row in rows:
        names = tuple(row.metrics), tuple(row.baseline)
        lots[(*row[:SHARED], row.error, *names)].append(row)
    return [of_rows(lot) for lot in lots.values()]


def _by_run(scores: Scores, runs: int) -> Iterable[dict[str, float]]:
    names = list(scores)
    if not names:
        return ({} for _ in range(runs))
    return (dict(zip(names, run, strict=True)) for run in zip(*scores.values(), strict=True))
