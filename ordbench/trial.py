"""A try at some runs: seeds of a cell train together, and what breaks is a record too."""

from __future__ import annotations

import traceback
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ordbench.errors import OrdbenchError
from ordbench.facts import facts
from ordbench.interpreter import threads
from ordbench.predictions import Predictions
from ordbench.prepared import Prepared
from ordbench.record import Record
from ordbench.runner import Bench, train_and_test


class Trial(NamedTuple):
    """What a try at one run brought; nothing of it is written yet.

    Attributes:
        record: Of a run that is done, or of a failure.
        predictions: What the head said of the test images.
        trace: Where in the code a run failed.
    """

    record: Record
    predictions: Predictions | None = None
    trace: str = ""


def attempt(prepared: Sequence[Prepared], bench: Bench) -> list[Trial]:
    """Train and test runs, equal but for their seeds; what breaks is a failure and no error.

    Nothing is written, so that a machine without the store can do it. It keeps to one thread, so
    that the bits of the outcome depend neither on the engine nor on the number of cores.
    """
    with threads(1):
        return [trial for group in _alike(prepared) for trial in _train_or_fail(group, bench)]


def failure(prepared: Prepared, error: Exception, device: str) -> Record:
    """The record of a run that broke on a device."""
    said = " ".join(_utf8(str(error)).split())
    return Record(
        status="failed",
        **facts(prepared, device),
        error=said if isinstance(error, OrdbenchError) else f"{type(error).__name__}: {said}",
    )


def _alike(prepared: Sequence[Prepared]) -> list[list[Prepared]]:
    """Groups that can be stacked: equally many training and validation images."""
    groups: defaultdict[tuple[int, int], list[Prepared]] = defaultdict(list)
    for one in prepared:
        groups[len(one.split.train), len(one.split.val)].append(one)
    return list(groups.values())


def _train_or_fail(group: Sequence[Prepared], bench: Bench) -> Iterator[Trial]:
    """Try a group; if it breaks, each run is tried alone, and what breaks then is a failure."""
    try:
        trained = train_and_test(group, bench)
    except Exception as error:
        if len(group) > 1:
            for one in group:
                yield from _train_or_fail([one], bench)
            return
        trace = _utf8(traceback.format_exc())
        yield Trial(failure(group[0], error, bench.device), trace=trace)
        return
    for record, predictions in trained:
        yield Trial(record, predictions)


def _utf8(text: str) -> str:
    """Text that can be written; the name of a file need not be UTF-8."""
    return text.encode(errors="backslashreplace").decode()
