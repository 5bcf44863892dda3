"""Cells of a sweep: runs that differ in their seeds only."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ordbench.plugins.registry import HEADS
from ordbench.runs.record import cell_key
from ordbench.runs.spec import RunSpec
from ordbench.runs.titles import cell_title, dataset_label, head_label


class Cell(NamedTuple):
    """Runs that differ in their seeds only; they are trained together."""

    key: str
    specs: tuple[RunSpec, ...]

    @property
    def title(self) -> str:
        """What its runs share, in words."""
        return cell_title(self.specs[0], head_label(self.specs[0]))


def cells(specs: Iterable[RunSpec]) -> list[Cell]:
    """Group runs into cells, each run once, in the order of their first runs."""
    groups: defaultdict[str, list[RunSpec]] = defaultdict(list)
    for spec in {spec.model_dump_json(): spec for spec in specs}.values():
        groups[cell_key(spec)].append(spec)
    return [Cell(key, tuple(group)) for key, group in groups.items()]


def longest_first(planned: Sequence[Cell]) -> list[Cell]:
    """Cells by what they may take, so that no worker is left alone with a long one at the end.

    Prompt heads take longest, and more images take longer. Cells of one dataset and backbone stay
    together, so that features are loaded once.

    Source: Graham (1969). Bounds on multiprocessing timing anomalies.
    https://doi.org/10.1137/0117039
    """
    groups: defaultdict[tuple[str, ...], list[Cell]] = defaultdict(list)
    for cell in planned:
        spec = cell.specs[0]
        groups[dataset_label(spec), spec.backbone, spec.layer].append(cell)
    return [cell for group in groups.values() for cell in sorted(group, key=_cost, reverse=True)]


def _cost(cell: Cell) -> tuple[bool, float]:
    spec = cell.specs[0]
    return HEADS[spec.head].needs_text, math.inf if spec.shots is None else spec.shots
