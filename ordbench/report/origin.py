"""Where records come from: how many runs, what made them, and on what."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from math import fsum
from typing import NamedTuple

from ordbench.runs.record import Record


class Origin(NamedTuple):
    """What made some records.

    Attributes:
        runs: How many there are.
        seconds: Wall time of all trainings.
        versions: Of each library, in order of the names.
        machines: Each in words.
    """

    runs: int
    seconds: float
    versions: Mapping[str, Sequence[str]]
    machines: Sequence[str]


def origin(records: Sequence[Record]) -> Origin:
    """Gather what made these records."""
    versions: defaultdict[str, set[str]] = defaultdict(set)
    machines: set[str] = set()
    for record in records:
        for name, version in record.versions.items():
            versions[name].add(version)
        machines.add(", ".join(f"{name} {about}" for name, about in sorted(record.machine.items())))
    return Origin(
        runs=len(records),
        seconds=fsum(record.seconds.get("fit", 0.0) for record in records),
        versions={name: sorted(found) for name, found in sorted(versions.items())},
        machines=sorted(machines),
    )
