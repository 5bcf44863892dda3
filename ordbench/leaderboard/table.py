"""One leaderboard, and the line that says what its numbers mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ordbench.leaderboard.notes import Note
from ordbench.leaderboard.ranking import Row
from ordbench.leaderboard.significance import ColumnTest
from ordbench.metrics.registry import Metric


@dataclass(frozen=True, kw_only=True)
class Table:
    """One leaderboard.

    Attributes:
        metric: What is shown.
        unit: What it is measured in.
        decoding: How posteriors became estimates: ``argmax``, ``mean``, ``median``; ``point`` if no
            head has a posterior; empty for a score that needs no decoding.
        facts: What all runs share, by name: dataset, backbone, protocol ...
        ranked: Whether rows may be compared; if not, they are sorted by name and nothing is marked.
        columns: Their titles.
        rows: One a head; see `ordbench.leaderboard.ranking.ranked`.
        reference: The median of the training ranks, never marked; None where it has no score.
        runs: Runs behind every cell; None where that differs.
        expected: How many runs a cell would have, had it all seeds (and folds) of the table.
        per: What tells the runs of a cell apart: their seed, or seed and fold ("run").
        interval: Whether cells show 95 % t intervals in place of standard deviations.
        tests: The comparisons of each column's heads; empty where they were not compared.
        notes: What a reader must know besides.
        dataset: The dataset's registered name; empty where columns are datasets.
    """

    metric: Metric
    unit: str
    decoding: str
    facts: Mapping[str, str]
    ranked: bool
    columns: tuple[str, ...]
    rows: tuple[Row, ...]
    reference: Row | None
    runs: int | None
    expected: int
    per: Literal["seed", "run"]
    notes: tuple[Note, ...]
    interval: bool = False
    tests: tuple[ColumnTest, ...] = ()
    dataset: str = ""

    @property
    def caption(self) -> str:
        """All that the numbers mean, in one line."""
        better = "higher" if self.metric.higher_is_better else "lower"
        over = f"{self.per}s in parentheses" if self.runs is None else f"{self.runs} {self.per}s"
        spread = "mean and 95 % t interval" if self.interval else "mean ± standard deviation"
        pieces = [
            f"{self.metric.title} [{self.unit}], {better} is better",
            {"": "", "point": "point estimates"}.get(self.decoding, f"decoded by {self.decoding}"),
            f"one {self.per}" if self.runs == 1 else f"{spread} over {over}",
            *(f"{name} {value}" for name, value in self.facts.items()),
            "" if self.ranked else "selected on the test images, so not ranked",
        ]
        return "; ".join(piece for piece in pieces if piece)
