"""How long heads take, and how many times as long as the linear probe in the same rounds."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import torch

from ordbench.latency.builders import REFERENCE, HeadBuilder
from ordbench.latency.cost import Cost
from ordbench.latency.runtimes import NotTimed
from ordbench.latency.setting import LatencySetting
from ordbench.latency.timing import TRIALS, Ratio, Timings, nothing, ratio, time_interleaved
from ordbench.latency.workloads import Workload, gradients, make_workload
from ordbench.utils import torch_threads as interpreter


@dataclass(frozen=True)
class Row:
    """One head in one comparison.

    Attributes:
        label: The head.
        samples: What it took.
        ratio: To the linear probe, in the same rounds; None where that could not be timed.
        cost: What it costs besides time.
    """

    label: str
    samples: Timings
    ratio: Ratio | None
    cost: Cost


@dataclass(frozen=True)
class Comparison:
    """Heads that took turns.

    Attributes:
        setting: What they share.
        rows: The heads that were timed.
        skipped: Why the others were not, by head.
    """

    setting: LatencySetting
    rows: tuple[Row, ...]
    skipped: dict[str, str]


def compare(
    settings: Iterable[LatencySetting],
    bench: HeadBuilder,
    *,
    seconds: float = 2.0,
    trials: int = TRIALS,
    threads: int = 1,
) -> Iterator[Comparison]:
    """Time heads in one setting after the other.

    Args:
        settings: Where to compare them.
        bench: Builds the heads.
        seconds: How long to time a setting, preparations not counted; a training step of prompt
            heads is timed as long again.
        trials: Number of trials of each, at least 2.
        threads: Threads on the CPU. With more than one, each operation waits for the slowest of
            them: on a machine that does other work, its time is that of the other work.

    Raises:
        OrdbenchError: If a text tower cannot be had.
    """
    for setting in settings:
        if setting.stage == "with-text" and not any(map(bench.prompts, bench.labels)):
            continue
        with interpreter.threads(threads):
            yield _compare(setting, bench, seconds, trials)


def _compare(
    setting: LatencySetting, bench: HeadBuilder, seconds: float, trials: int
) -> Comparison:
    workloads: dict[str, Workload] = {}
    skipped: dict[str, str] = {}
    torch.compiler.reset()  # what was compiled for other settings would count as too much
    for label in bench.labels:
        if setting.stage == "with-text" and label != REFERENCE and not bench.prompts(label):
            skipped[label] = "it uses no text encoder"
            continue
        try:
            workloads[label] = make_workload(label, setting, bench)
        except NotTimed as reason:
            skipped[label] = str(reason)
    rows: list[Row] = []
    for group in _groups(workloads, setting, bench):
        rows += _rows(group, setting, seconds, trials, known=rows)
    return Comparison(setting, tuple(rows), skipped)


def _groups(
    workloads: dict[str, Workload], setting: LatencySetting, bench: HeadBuilder
) -> list[dict[str, Workload]]:
    """Heads that take turns, the reference among them.

    A step through a text tower is a thousand times as long as others: beside it, these would be
    timed a few times only.
    """
    apart = setting.stage == "train"
    fast = {k: one for k, one in workloads.items() if not (apart and bench.prompts(k))}
    slow = {k: one for k, one in workloads.items() if k == REFERENCE or k not in fast}
    return [fast, slow] if len(fast) < len(workloads) else [fast]


def _rows(
    group: dict[str, Workload],
    setting: LatencySetting,
    seconds: float,
    trials: int,
    known: list[Row],
) -> list[Row]:
    """Time one group; a head that has its row already, the reference, gets no second one."""
    on_cuda = setting.device.startswith("cuda")
    with gradients(setting):
        timed = time_interleaved(
            [one.fresh for one in group.values()],
            seconds=seconds,
            trials=trials,
            synchronize=partial(torch.cuda.synchronize, setting.device) if on_cuda else nothing,
        )
    samples = dict(zip(group, timed, strict=True))
    reference = samples.get(REFERENCE)
    return [
        Row(label, one, ratio(one, reference) if reference else None, group[label].cost)
        for label, one in samples.items()
        if label not in {row.label for row in known}
    ]
