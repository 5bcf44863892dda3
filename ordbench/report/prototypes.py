"""The prototypes of a kept head: what features are compared with, one vector a rank."""

from __future__ import annotations

from collections.abc import Sequence
from math import isclose
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from ordbench.errors import SpecError
from ordbench.head import BaseHead
from ordbench.nn.ordinality import ordinality
from ordbench.results.trained_heads import head_of
from ordbench.runs.record import Record


class Prototypes(NamedTuple):
    """How alike a head's K prototypes are.

    Attributes:
        label: The head.
        cosines: ``(K, K)``.
        ordinality: See `ordbench.nn.ordinality`.
        rank_values: K numbers in ``unit``.
        unit: Of the ranks.
    """

    label: str
    cosines: NDArray[np.float64]
    ordinality: float
    rank_values: Sequence[float]
    unit: str


def prototypes_of(results: Path, record: Record) -> Prototypes:
    """Read the prototypes of the head that a run kept, or train it again.

    Raises:
        SpecError: If the head has no prototypes.
        StoreError: If the run failed, or its head cannot be had.
    """
    predictor = head_of(record, results)
    measured = record.metrics.get("head", {}).get("ordinality")
    weights = _weights(predictor.head)
    task = predictor.facts.task
    found = None if weights is None else ordinality(weights)["ordinality"]
    # What the head measured of its prototypes tells whether these are they.
    if weights is None or measured is None or not isclose(found or 0.0, measured, abs_tol=0.01):
        raise SpecError(
            f"{record.label} has no prototypes; prompt heads have, and heads with one linear score "
            "a rank: those with a number in `ordbench table --metric ordinality`"
        )
    unit = F.normalize(weights.detach().double().cpu(), dim=1)
    return Prototypes(record.label, (unit @ unit.T).numpy(), measured, task.rank_values, task.unit)


def _weights(head: BaseHead) -> Tensor | None:
    """What unit features are multiplied by, ``(K, E)``: deployed prompts, or linear scores."""
    for owner, name in (("classifier", "prototypes"), ("score", "weight")):
        found = getattr(getattr(head, owner, None), name, None)
        if isinstance(found, torch.Tensor):
            return found
    return None
