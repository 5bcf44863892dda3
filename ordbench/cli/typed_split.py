"""The split that a run would use, from what a user typed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import compress
from pathlib import Path
from typing import cast, get_args

from ordbench.data.images import open_rgb
from ordbench.data.loading import open_dataset
from ordbench.dataset import Sample, Samples
from ordbench.errors import DatasetError, SpecError
from ordbench.plugins.reference import PluginRef
from ordbench.splits.protocol import draw
from ordbench.splits.split import Protocol, Split
from ordbench.sweeps.spec import parse_shots


def draw_one(
    dataset: str, shots: str, fold: int, data_seed: int, protocol: str, data_root: Path | None
) -> Split:
    """Draw the split that a run on ``dataset``, as typed, would use.

    Raises:
        DatasetError: If the dataset is missing or unusable.
        SpecError: If there is no such fold, protocol or number of shots.
    """
    choice = PluginRef.parse(dataset)
    if protocol not in get_args(Protocol):
        raise SpecError(f"--protocol {protocol}: wanted {' or '.join(get_args(Protocol))}")
    wanted = parse_shots([shots])
    if len(wanted) != 1:
        raise SpecError(f"--shots {shots!r}: a split has one number of shots, or 'all'")
    listing = open_dataset(choice.name, choice.argument, choice.options, data_root=data_root)
    return draw(
        _readable(listing),
        dataset=choice.name,
        protocol=cast(Protocol, protocol),
        fold=fold,
        shots=wanted[0],
        data_seed=data_seed,
    )


def _readable(listing: Samples) -> Samples:
    """The listing without the images that no run can decode."""
    with ThreadPoolExecutor() as pool:
        samples = tuple(compress(listing.samples, pool.map(_is_readable, listing.samples)))
    return replace(listing, samples=samples)


def _is_readable(sample: Sample) -> bool:
    try:
        open_rgb(sample.image)
    except DatasetError:
        return False
    return True
