"""Two folders of records held against each other, run by run."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from operator import attrgetter
from typing import NamedTuple

from ordbench.results.rows import RunRow
from ordbench.utils.text import printable

TOLERANCE = 1e-9


class Change(NamedTuple):
    """One score of one run that is not the same in both; None where there is none."""

    name: str
    first: float | None
    second: float | None

    @property
    def size(self) -> float:
        """Distance of the two; infinite where one of them is missing or undefined."""
        if self.first is None or self.second is None:
            return math.inf
        distance = abs(self.first - self.second)
        return math.inf if math.isnan(distance) else distance

    def __str__(self) -> str:
        return f"{self.name} {_number(self.first)} and {_number(self.second)}"


class Changed(NamedTuple):
    """A run whose outcome is not the same in both."""

    run: RunRow
    changes: list[Change]


class Difference(NamedTuple):
    """What two folders of records do not share, and what they do.

    Attributes:
        first: Runs that only the first holds.
        second: Runs that only the second holds.
        changed: Runs that both hold, with other outcomes.
        same: Runs that both hold, with the same outcome.
    """

    first: Sequence[RunRow]
    second: Sequence[RunRow]
    changed: Sequence[Changed]
    same: Sequence[RunRow]

    def __bool__(self) -> bool:
        return bool(self.first or self.second or self.changed)


def diff(
    first: Sequence[RunRow], second: Sequence[RunRow], *, tolerance: float = TOLERANCE
) -> Difference:
    """Compare runs of the same id.

    Args:
        first: Runs, one an id.
        second: Runs, one an id.
        tolerance: How far apart two scores may be and still count as the same.
    """
    others = {run.run_id: run for run in second}
    changed: list[Changed] = []
    same: list[RunRow] = []
    for run in first:
        other = others.get(run.run_id)
        if other is not None:
            changes = changes_of(run, other, tolerance=tolerance)
            if changes:
                changed.append(Changed(run, changes))
            else:
                same.append(run)
    known = {run.run_id for run in first}
    return Difference(
        [run for run in first if run.run_id not in others],
        [run for run in second if run.run_id not in known],
        changed,
        same,
    )


def changes_of(first: RunRow, second: RunRow, *, tolerance: float = TOLERANCE) -> list[Change]:
    """Scores of one run that differ, the largest difference first. Two undefined ones do not."""
    pairs = _scores(first), _scores(second)
    changes = [
        Change(name, *(scores.get(name) for scores in pairs)) for name in pairs[0] | pairs[1]
    ]
    found = [change for change in changes if not _same(change, tolerance)]
    return sorted(found, key=lambda change: (-change.size, change.name))


def report(difference: Difference, first: str, second: str) -> Iterator[str]:
    """Lines for a terminal: each run that is not in both or not the same, then the labels.

    Args:
        difference: See `diff`.
        first: What the first folder is called.
        second: What the second folder is called.
    """
    for name, runs in ((first, difference.first), (second, difference.second)):
        yield from (f"only in {name}: {_title(run)}" for run in runs)
    for run, changes in difference.changed:
        more = f" and {len(changes) - 1} more" if len(changes) > 1 else ""
        yield f"differs: {_title(run)}: {changes[0]}{more}"
    yield from _summary(difference, first, second)


def _summary(difference: Difference, first: str, second: str) -> Iterator[str]:
    counts: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0, 0])
    largest: dict[str, Change] = {}
    changed = [run for run, _ in difference.changed]
    for place, runs in enumerate((difference.first, difference.second, changed, difference.same)):
        for run in runs:
            counts[run.label][place] += 1
    for run, changes in difference.changed:
        before = largest.get(run.label, changes[0])
        largest[run.label] = max(before, changes[0], key=attrgetter("size"))
    rows = [["head", f"only in {first}", f"only in {second}", "differ", "same", "most apart"]]
    for label, numbers in sorted(counts.items()):
        most = str(largest[label]) if label in largest else ""
        rows.append([printable(label), *map(str, numbers), most])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = [cell.rjust(width) for cell, width in zip(row[1:-1], widths[1:], strict=False)]
        yield "  ".join([row[0].ljust(widths[0]), *cells, row[-1]]).rstrip()


def _title(run: RunRow) -> str:
    shots = "all images" if run.shots is None else f"{run.shots}-shot"
    unusual = {
        f"fold {run.fold}": run.fold > 0,
        f"layer {run.layer}": run.layer != "post",
        "unit length": run.normalize,
        f"protocol {run.protocol}": run.protocol != "standard",
        f"text {run.text}": run.text,
    }
    what = [f"{run.label} on {run.dataset_name}", run.backbone, shots]
    what += [text for text, is_so in unusual.items() if is_so]
    seeds = f"data seed {run.data_seed}, train seed {run.train_seed}"
    return printable(", ".join([run.run_id, *what, seeds]))


def _scores(run: RunRow) -> dict[str, float]:
    return {**run.metrics, **{f"{name}_baseline": value for name, value in run.baseline.items()}}


def _same(change: Change, tolerance: float) -> bool:
    first, second = change.first, change.second
    if first is None or second is None:
        return False
    both_undefined = math.isnan(first) and math.isnan(second)
    return first == second or both_undefined or change.size <= tolerance


def _number(value: float | None) -> str:
    return "none" if value is None else repr(value)
