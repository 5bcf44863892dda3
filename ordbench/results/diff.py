"""Two folders of records compared, run by run."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
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
        first, second = ("none" if v is None else repr(v) for v in (self.first, self.second))
        return f"{self.name} {first} and {second}"


class Difference(NamedTuple):
    """What two folders of records do not share, and what they do.

    Attributes:
        first: Runs that only the first holds.
        second: Runs that only the second holds.
        changed: Runs with other scores in both, each with what changed, the largest first.
        same: Runs with the same scores in both.
        renamed: How many of both have another id in the second.
    """

    first: Sequence[RunRow]
    second: Sequence[RunRow]
    changed: Sequence[tuple[RunRow, list[Change]]]
    same: Sequence[RunRow]
    renamed: int = 0

    def __bool__(self) -> bool:
        return bool(self.first or self.second or self.changed)


def diff(
    first: Sequence[RunRow], second: Sequence[RunRow], *, tolerance: float = TOLERANCE
) -> Difference:
    """Compare runs of the same id, and those that have the same description.

    Another version of ordbench gives other ids: a run whose id the other side does not know is
    compared with the one of the same head, dataset, backbone, protocol, shots and seeds, if there
    is just one on each side.

    Args:
        first: Runs, one an id.
        second: Runs, one an id.
        tolerance: How far apart two scores may be and still count as the same.
    """
    pairs = _pairs(first, second, lambda run: run.run_id)
    left = [run for run in first if run.run_id not in pairs]
    found = {other.run_id for _, other in pairs.values()}
    right = [run for run in second if run.run_id not in found]
    renamed = _pairs(left, right, _description)
    partners = {run.run_id: other for run, other in (*pairs.values(), *renamed.values())}
    found = {other.run_id for other in partners.values()}
    both = [
        (run, changes_of(run, partners[run.run_id], tolerance=tolerance))
        for run in first
        if run.run_id in partners
    ]
    return Difference(
        [run for run in first if run.run_id not in partners],
        [run for run in second if run.run_id not in found],
        [(run, changes) for run, changes in both if changes],
        [run for run, changes in both if not changes],
        len(renamed),
    )


def _pairs(
    first: Sequence[RunRow], second: Sequence[RunRow], key: Callable[[RunRow], str]
) -> dict[str, tuple[RunRow, RunRow]]:
    """The runs whose key stands once on each side, by that key."""
    ours, theirs = ({key(run): run for run in runs} for runs in (first, second))
    counts = Counter(map(key, first)), Counter(map(key, second))
    alone = [name for name in ours if counts[0][name] == counts[1][name] == 1]
    return {name: (ours[name], theirs[name]) for name in alone}


def changes_of(first: RunRow, second: RunRow, *, tolerance: float = TOLERANCE) -> list[Change]:
    """Scores of one run that differ, the largest difference first. Two undefined ones do not."""
    one, other = _scores(first), _scores(second)
    changes = [Change(name, one.get(name), other.get(name)) for name in one | other]
    found = [change for change in changes if not _same(change, tolerance)]
    return sorted(found, key=lambda change: (-change.size, change.name))


def report(difference: Difference, first: str, second: str) -> Iterator[str]:
    """Lines for a terminal: each run that is not in both or not the same, then counts by head.

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
    groups = {
        f"only in {first}": difference.first,
        f"only in {second}": difference.second,
        "differ": [run for run, _ in difference.changed],
        "same": difference.same,
    }
    counts = {name: Counter(run.label for run in runs) for name, runs in groups.items()}
    for label in sorted({label for found in counts.values() for label in found}):
        numbers = ", ".join(f"{found[label]} {name}" for name, found in counts.items())
        yield f"{printable(label)}: {numbers}"
    if difference.renamed:
        yield f"{difference.renamed} pairs have other ids; they were matched by what they describe"


def to_json(difference: Difference) -> str:
    """The run ids on each side and what changed; a score that is missing or undefined is null."""
    changed = [
        {
            "run_id": run.run_id,
            "head": run.label,
            "changes": [
                {"name": one.name, "first": _finite(one.first), "second": _finite(one.second)}
                for one in changes
            ],
        }
        for run, changes in difference.changed
    ]
    content = {
        "only_in_first": [run.run_id for run in difference.first],
        "only_in_second": [run.run_id for run in difference.second],
        "changed": changed,
        "same": [run.run_id for run in difference.same],
    }
    return json.dumps(content, indent=2, ensure_ascii=False)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _title(run: RunRow) -> str:
    return printable(f"{run.run_id}, {_description(run)}")


def _description(run: RunRow) -> str:
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
    return ", ".join([*what, seeds])


def _scores(run: RunRow) -> dict[str, float]:
    return {**run.metrics, **{f"{name}_baseline": value for name, value in run.baseline.items()}}


def _same(change: Change, tolerance: float) -> bool:
    first, second = change.first, change.second
    if first is None or second is None:
        return False
    both_undefined = math.isnan(first) and math.isnan(second)
    return first == second or both_undefined or change.size <= tolerance
