"""Scores of some of the test images: those that share a value beside the rank."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ordbench.errors import SpecError, StoreError
from ordbench.metrics.registry import Metric
from ordbench.results.layout import archive_path
from ordbench.results.rescoring import score
from ordbench.results.rows import CellRuns, RunRow, group_by_cell
from ordbench.results.store import Store
from ordbench.runs.predictions import Predictions
from ordbench.utils.text import did_you_mean

PARTS = 4  # of an attribute of many numbers
FEW = 12  # numbers that stand for themselves
MANY = 50  # words that are still an attribute and no names
Indices = NDArray[np.intp]
Extra = Mapping[str, Sequence[float | str | None]]


def parts_of(extra: Extra, name: str) -> list[tuple[str, Indices]]:
    """The images of each value of an attribute, in the order of the values.

    Many numbers are cut into quarters. Images without a value are in no part.

    Args:
        extra: Values beside the rank, by name.
        name: One of these names.

    Raises:
        SpecError: If there is no such attribute, or it has too many values.
    """
    if name not in extra:
        raise SpecError(f"the test images have no attribute {name!r}; {did_you_mean(name, extra)}")
    found: defaultdict[float | str, list[int]] = defaultdict(list)
    for at, value in enumerate(extra[name]):
        if value is not None and value == value:  # a number that is none is no value
            found[value].append(at)
    numbers = [value for value in found if not isinstance(value, str)]
    if len(numbers) == len(found) > FEW:
        chosen = np.sort(np.concatenate([np.asarray(found[value]) for value in numbers]))
        values = np.asarray([extra[name][at] for at in chosen.tolist()], np.float64)
        return [(title, chosen[inside]) for title, inside in quarters(values)]
    if len(found) > MANY:
        raise SpecError(f"attribute {name!r} has {len(found)} values; wanted at most {MANY}")
    ordered = sorted(found, key=lambda value: (isinstance(value, str), value))
    return [
        (value if isinstance(value, str) else f"{value:g}", np.asarray(found[value]))
        for value in ordered
    ]


def quarters(values: NDArray[np.float64]) -> list[tuple[str, Indices]]:
    """Images cut into four by a number ``(N,)``, equal numbers together.

    There are fewer parts where many numbers are equal.

    >>> [(title, inside.tolist()) for title, inside in quarters(np.array([5.0, 1, 2, 2, 4, 9]))]
    [('1..2', [1, 2, 3]), ('4', [4]), ('5..9', [0, 5])]
    """
    ends = np.unique(np.quantile(values, np.linspace(0, 1, PARTS + 1), method="lower"))
    part = np.searchsorted(ends[1:-1], values)
    found = (np.flatnonzero(part == number) for number in range(max(1, len(ends) - 1)))
    return [(span(values[one].min(), values[one].max()), one) for one in found if len(one)]


def span(low: float, high: float) -> str:
    """A range of numbers in words."""
    return f"{low:g}" if low == high else f"{low:g}..{high:g}"


def by_attribute(
    root: Path, cells: Iterable[CellRuns], name: str, metric: Metric, decode: str
) -> list[CellRuns]:
    """Score the images of each value of an attribute as cells of their own.

    The value stands among the facts of the runs, in `RunRow.other`. Runs whose dataset has no such
    attribute are left out.

    Args:
        root: The store of the runs.
        cells: Runs; those that are done are scored.
        name: Of the attribute.
        metric: What to compute.
        decode: How posteriors become estimates.

    Raises:
        BrokenPluginError: If the metric or the decoding cannot be computed.
        SpecError: If no run has the attribute.
        StoreError: If predictions are not there, or are damaged.
    """
    if archive := archive_path(root):
        raise StoreError(f"{archive} is an archive, which holds no predictions; name the folder")
    store = Store(root)
    rows: list[RunRow] = []
    unknown: SpecError | None = None
    for run in (run for cell in cells if cell.first.status == "done" for run in cell.rows()):
        try:
            rows += _parts_of_run(store, run, name, metric, decode)
        except SpecError as error:
            unknown = error
    if unknown and not rows:
        raise unknown
    return group_by_cell(rows)


def _parts_of_run(
    store: Store, run: RunRow, name: str, metric: Metric, decode: str
) -> Iterator[RunRow]:
    record, predictions = store.read(run.run_id), store.read_predictions(run.run_id)
    for value, chosen in parts_of(predictions.extra, name):
        part = _part(predictions, chosen)
        found = score(store, record, part, metric, decode)
        yield replace(
            run,
            other={**run.other, name: value},
            metrics={found.column: found.value} if found.column else {},
            baseline={},
        )


def _part(predictions: Predictions, chosen: Indices) -> Predictions:
    at: list[int] = chosen.tolist()
    return replace(
        predictions,
        samples=[predictions.samples[index] for index in at],
        ranks=predictions.ranks[chosen],
        estimates={name: values[chosen] for name, values in predictions.estimates.items()},
        posterior=None if predictions.posterior is None else predictions.posterior[chosen],
        groups=[predictions.groups[index] for index in at] if predictions.groups else (),
        extra={name: [known[index] for index in at] for name, known in predictions.extra.items()},
    )
