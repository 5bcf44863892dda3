"""The runs of a sweep, where datasets say which folds they have."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ordbench.errors import OrdbenchError
from ordbench.runs.resources import Locations, Resources
from ordbench.runs.spec import RunSpec
from ordbench.sweeps.spec import SweepSpec


def all_runs(spec: SweepSpec, settings: Locations) -> list[RunSpec]:
    """Every run of a sweep; datasets are read only where all their folds are asked for.

    A dataset that cannot be read has fold 0, of which the sweep says what is wrong.
    """
    if None not in spec.fold:
        return spec.expand()
    resources = Resources(replace(settings, manifest=spec.split or settings.manifest))

    def folds(run: RunSpec) -> Sequence[int]:
        try:
            return resources.folds(run)
        except OrdbenchError:
            return (0,)

    return spec.expand(folds)
