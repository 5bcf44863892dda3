"""What runs are called: as a user would type them, with the options that are not the default."""

from __future__ import annotations

from ordbench.choice import Choice
from ordbench.options import changed
from ordbench.registry import DATASETS, HEADS
from ordbench.spec import RunSpec


def head_label(spec: RunSpec) -> str:
    """What a table calls the head of a run: its name and the options that are not the default."""
    return str(Choice(spec.head, options=changed(HEADS[spec.head], spec.head_options)))


def dataset_label(spec: RunSpec) -> str:
    """The dataset of a run as it would be typed, with the options that are not the default."""
    options = changed(DATASETS[spec.dataset], spec.dataset_options)
    return str(Choice(spec.dataset, spec.dataset_argument, options))
