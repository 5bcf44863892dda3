"""One leaderboard, and the line that says what its numbers mean."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from ordbench.leaderboard.notes import Note
from ordbench.leaderboard.ranking import Row
from ordbench.leaderboard.significance import ColumnTest
from ordbench.metrics.registry import Metric
from ordbench.results.rows import CellRuns


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
        cells: The runs behind it, in any order, by row label and column title.
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
    cells: Mapping[tuple[str, str], Sequence[CellRuns]] = field(
        default_factory=dict[tuple[str, str], "Sequence[CellRuns]"], repr=False, compare=False
    )

    @property
    def caption(self) -> str:
        """All that the numbers mean, in one line."""
        return "; ".join(self.meanings.values())

    @property
    def meanings(self) -> dict[str, str]:
        """The parts of the caption; those of `facts` by their names."""
        better = "higher" if self.metric.higher_is_better else "lower"
        over = f"{self.per}s in parentheses" if self.runs is None else f"{self.runs} {self.per}s"
        spread = "mean and 95 % t interval" if self.interval else "mean ± standard deviation"
        decoding = {"": "", "point": "point estimates"}
        parts = {
            "metric": f"{self.metric.title} [{self.unit}], {better} is better",
            "decoding": decoding.get(self.decoding, f"decoded by {self.decoding}"),
            "runs": f"one {self.per}" if self.runs == 1 else f"{spread} over {over}",
            **{name: f"{name} {value}" for name, value in self.facts.items()},
            "ranked": "" if self.ranked else "selected on the test images, so not ranked",
        }
        return {name: part for name, part in parts.items() if part}
