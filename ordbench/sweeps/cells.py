"""Cells of a sweep: runs that are equal but for their seeds, and what they are called."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ordbench.plugins.registry import HEADS
from ordbench.runs.spec import RunSpec
from ordbench.runs.titles import cell_title, head_label


class Cell(NamedTuple):
    """Runs that are equal but for their seeds: they are trained together."""

    key: str
    specs: tuple[RunSpec, ...]

    @property
    def title(self) -> str:
        """What its runs have in common, in words."""
        return cell_title(self.specs[0], head_label(self.specs[0]))


def cells(specs: Iterable[RunSpec]) -> list[Cell]:
    """Group runs into cells, each run once, in the order of their first runs."""
    groups: defaultdict[str, list[RunSpec]] = defaultdict(list)
    for spec in {spec.model_dump_json(): spec for spec in specs}.values():
        seedless = spec.model_copy(update={"data_seed": 0, "train_seed": 0})
        groups[seedless.model_dump_json()].append(spec)
    return [Cell(key, tuple(group)) for key, group in groups.items()]


def longest_first(planned: Sequence[Cell]) -> list[Cell]:
    """Cells by what they may take, so that no worker is left alone with a long one at the end.

    Prompt heads take longest, and more images take longer.

    Source: Graham (1969). Bounds on multiprocessing timing anomalies.
    https://doi.org/10.1137/0117039
    """

    def cost(cell: Cell) -> tuple[bool, float]:
        spec = cell.specs[0]
        return HEADS[spec.head].needs_text, math.inf if spec.shots is None else spec.shots

    return sorted(planned, key=cost, reverse=True)
