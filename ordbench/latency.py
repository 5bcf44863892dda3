"""How long heads take, and how many times as long as the linear probe in the same rounds."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

import torch

from ordbench.footprint import Footprint
from ordbench.latency_entrant import Entrant, entrant, gradients
from ordbench.latency_heads import REFERENCE, Workbench
from ordbench.latency_runtime import NotTimed
from ordbench.latency_setting import Setting
from ordbench.timing import TRIALS, Ratio, Samples, nothing, race, ratio


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
    samples: Samples
    ratio: Ratio | None
    cost: Footprint


@dataclass(frozen=True)
class Comparison:
    """Heads that took turns.

    Attributes:
        setting: What they share.
        rows: The heads that were timed.
        skipped: Why the others were not, by head.
    """

    setting: Setting
    rows: tuple[Row, ...]
    skipped: dict[str, str]


def compare(
    settings: Iterable[Setting],
    bench: Workbench,
    *,
    seconds: float = 2.0,
    trials: int = TRIALS,
    threads: int = 1,
) -> Iterator[Comparison]:
    """Time heads in one setting after the other.

    Args:
        settings: Where to compare them.
        bench: Builds the heads.
        seconds: How long to time a setting, preparations not counted.
        trials: Number of trials of each, at least 2.
        threads: Threads on the CPU. With more than one, each operation waits for the slowest of
            them: on a machine that does other work, its time is that of the other work.

    Raises:
        OrdbenchError: If a text tower cannot be had.
    """
    for setting in settings:
        if setting.stage == "with-text" and not any(map(bench.prompts, bench.labels)):
            continue
        with _threads(threads):
            yield _compare(setting, bench, seconds, trials)


def _compare(setting: Setting, bench: Workbench, seconds: float, trials: int) -> Comparison:
    entrants: dict[str, Entrant] = {}
    skipped: dict[str, str] = {}
    torch.compiler.reset()  # what was compiled for other settings would count as too much
    for label in bench.labels:
        if setting.stage == "with-text" and label != REFERENCE and not bench.prompts(label):
            continue
        try:
            entrants[label] = entrant(label, setting, bench)
        except NotTimed as reason:
            skipped[label] = str(reason)
    device = setting.device
    with gradients(setting):
        timed = race(
            [one.fresh for one in entrants.values()],
            seconds=seconds,
            trials=trials,
            synchronize=partial(torch.cuda.synchronize, device) if "cuda" in device else nothing,
        )
    samples = dict(zip(entrants, timed, strict=True))
    reference = samples.get(REFERENCE)
    rows = [
        Row(label, one, ratio(one, reference) if reference else None, entrants[label].cost)
        for label, one in samples.items()
    ]
    return Comparison(setting, tuple(rows), skipped)


@contextmanager
def _threads(number: int) -> Generator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)
