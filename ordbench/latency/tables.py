"""Latencies as tables for a terminal, in Markdown so that they can be pasted."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from rich import box
from rich.console import Group
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from ordbench.latency.builders import REFERENCE
from ordbench.latency.setting import LatencySetting, gpus
from ordbench.latency.timing import SAMPLE_NS
from ordbench.utils.environment import machine, versions

if TYPE_CHECKING:
    from ordbench.latency.compare import Comparison, Row
    from ordbench.latency.timing import Ratio

COLUMNS = (
    "head",
    "N",
    "p50",
    "p95",
    "p99",
    "img/s",
    "x linear [95 %]",
    "params",
    "memory",
    "FLOPs",
)

UNKNOWN = "-"
STAGES = {
    "deployed": "Deployed: features to outputs, without a text encoder",
    "with-text": "Including the text encoder (linear has none)",
    "train": "Training step: forward, loss, backward, update",
}

_PREFIXES = {-9: "n", -6: "u", -3: "m", 0: "", 3: "k", 6: "M", 9: "G", 12: "T"}


def si(number: float, unit: str = "") -> str:
    """Three significant digits with a prefix; u is a millionth, and of units only.

    >>> si(0.0000153, "s"), si(0.541), si(65400), si(75), si(999.9, "B")
    ('15.3 us', '0.541', '65.4 k', '75', '1.00 kB')
    """
    if isinstance(number, int) and abs(number) < 1000:
        return f"{number} {unit}".strip()
    rounded = float(f"{number:.2e}")
    power = min(max(3 * math.floor(math.log10(abs(rounded)) / 3), -9 if unit else 0), 12)
    scaled = rounded / 10.0**power
    return f"{scaled:.{_decimals(scaled)}f} {_PREFIXES[power]}{unit}".strip()


def tables(comparisons: Iterable[Comparison]) -> Group:
    """A table for all batch sizes of a setting each, with the reasons for missing rows."""
    groups: dict[LatencySetting, list[Comparison]] = {}
    for comparison in comparisons:
        shared = comparison.setting.model_copy(update={"batch": 1})
        groups.setdefault(shared, []).append(comparison)
    parts = (part for group in groups.values() for part in _group(group))
    return Group(*parts)


def _group(comparisons: Sequence[Comparison]) -> Iterator[Table | Text]:
    setting = comparisons[0].setting
    yield Text(title(setting))
    if any(comparison.rows for comparison in comparisons):
        yield _table(comparisons)
    reasons: dict[str, list[str]] = {}
    for comparison in comparisons:
        for label, reason in comparison.skipped.items():
            who = reasons.setdefault(reason, [])
            who += [] if label in who else [label]
    for reason, labels in reasons.items():
        yield Text(f"not timed: {', '.join(labels)}: {reason}")
    yield Text("")


def _table(comparisons: Sequence[Comparison]) -> Table:
    table = Table(box=box.MARKDOWN, padding=0)
    for column in COLUMNS:
        table.add_column(column, justify="left" if column == "head" else "right")
    for comparison in comparisons:
        for row in comparison.rows:
            table.add_row(*map(escape, cells(row, comparison.setting)))
    return table


def title(setting: LatencySetting) -> str:
    """What all rows of a table share.

    >>> title(LatencySetting(stage="deployed"))
    'Deployed: features to outputs, without a text encoder. K=101, D=512, float32, cpu, eager.'
    """
    sizes = f"K={setting.num_ranks}, D={setting.in_features}"
    text = f", text {setting.text}" if setting.text else ""
    where = f"{setting.dtype}, {setting.device}, {setting.runtime}{text}"
    return f"{STAGES[setting.stage]}. {sizes}, {where}."


def cells(row: Row, setting: LatencySetting) -> list[str]:
    """One row of a table, in the order of `COLUMNS`.

    A quantile is left out where it would be the slowest sample; FLOPs, where none is counted.
    """
    seconds, cost = row.samples.seconds, row.cost
    p50, p95, p99 = (
        si(row.samples.quantile(part), "s") if len(seconds) * (1 - part) >= 1 else UNKNOWN
        for part in (0.5, 0.95, 0.99)
    )
    return [
        row.label,
        str(setting.batch),
        p50,
        p95,
        p99,
        si(setting.batch / row.samples.quantile(0.5)),
        "1" if row.label == REFERENCE else _interval(row.ratio),
        si(cost.parameters),
        UNKNOWN if cost.memory is None else si(cost.memory, "B"),
        si(cost.flops) if cost.flops else UNKNOWN,
    ]


def _interval(ratio: Ratio | None) -> str:
    if ratio is None:
        return UNKNOWN
    digits = _decimals(ratio.estimate)
    estimate, low, high = (f"{value:.{digits}f}" for value in ratio)
    return f"{estimate} [{low}, {high}]"


def _decimals(number: float) -> int:
    """Behind the point, for three significant digits.

    >>> _decimals(0.123), _decimals(1.23), _decimals(123.0), _decimals(4017.0)
    (3, 2, 0, 0)
    """
    return max(0, 2 - math.floor(math.log10(abs(number)) + 1e-9))


def conditions(comparisons: Iterable[Comparison], threads: int) -> str:
    """What a reader must know to judge the numbers."""
    about = machine("cpu")
    found = gpus(comparison.setting for comparison in comparisons)
    named = "".join(f"{device} is {name}, " for device, name in found.items())
    return (
        f"{about['processor']}, {threads} thread{'s' * (threads > 1)} on {about['cores']} cores, "
        f"{named}torch {versions()['torch']}. p50, p95 and p99 are of samples of at least "
        f"{SAMPLE_NS // 1000} us, for which a fast call is repeated; img/s is N / p50; "
        "params are weights that a call reads; memory holds these, the state of an optimiser "
        "and what a call makes; FLOPs are those of matrix products. Weights are random: they do "
        "not change the time."
    )
