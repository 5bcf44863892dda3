"""The split that a run would use, from what a user typed."""

from __future__ import annotations

from pathlib import Path
from typing import cast, get_args

from ordbench.choice import Choice
from ordbench.errors import SpecError
from ordbench.open_dataset import open_dataset
from ordbench.protocol import draw
from ordbench.spec import Protocol
from ordbench.split import Split
from ordbench.typed_values import parse_shots


def draw_one(
    dataset: str, shots: str, fold: int, data_seed: int, protocol: str, data_root: Path | None
) -> Split:
    """Draw the split that a run on ``dataset``, as typed, would use.

    Raises:
        DatasetError: If the dataset is missing or unusable.
        SpecError: If there is no such fold, protocol or number of shots.
    """
    choice = Choice.parse(dataset)
    if protocol not in get_args(Protocol):
        raise SpecError(f"--protocol {protocol}: wanted {' or '.join(get_args(Protocol))}")
    listing = open_dataset(choice.name, choice.argument, choice.options, data_root=data_root)
    (wanted,) = parse_shots([shots])
    return draw(
        listing,
        dataset=choice.name,
        protocol=cast(Protocol, protocol),
        fold=fold,
        shots=wanted,
        data_seed=data_seed,
    )
