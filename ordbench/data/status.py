"""Which datasets are here: for each registered one its folder, and how many images are in it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal, NamedTuple

from ordbench.data.image_files import visible
from ordbench.data.loading import open_dataset
from ordbench.data.paths import dataset_folder, resolve_cache, resolve_root
from ordbench.dataset import DatasetCard
from ordbench.errors import OrdbenchError
from ordbench.plugins.registry import DATASETS

State = Literal["here", "missing", "unusable", "your own"]


class DatasetStatus(NamedTuple):
    """One dataset.

    Attributes:
        name: Its registered name.
        title: Its name in print.
        state: Whether it can be used; ``your own`` is what is read from a path that is typed.
        reason: Why it is so, where there is more to say.
        images: How many samples are listed; None where that is not known without making them.
        ranks: K, where the samples are listed.
        folder: Where it was looked for; None for ``your own``.
        licence: Terms of use, in one line.
    """

    name: str
    title: str
    state: State
    reason: str = ""
    images: int | None = None
    ranks: int | None = None
    folder: Path | None = None
    licence: str = ""


def statuses(data_root: Path | None = None, cache: Path | None = None) -> list[DatasetStatus]:
    """Look at every registered dataset, by name; labels are read, images are not decoded.

    Args:
        data_root: As for `ordbench.data.paths.resolve_root`.
        cache: As for `ordbench.data.paths.resolve_cache`.
    """
    return [status_of(name, data_root, cache) for name in DATASETS]


def status_of(name: str, data_root: Path | None = None, cache: Path | None = None) -> DatasetStatus:
    """Look at one dataset, with its default options.

    Raises:
        UnknownPluginError: If there is none of that name.
    """
    DATASETS.offer(name)
    try:
        card = DATASETS[name].card
    except OrdbenchError as error:
        return DatasetStatus(name, "", "unusable", str(error))
    folder = folder_of(name, card, data_root, cache)
    about = DatasetStatus(name, card.title, "here", folder=folder, licence=card.licence)
    if folder is None:
        return about._replace(state="your own", reason=f"write {name}:{card.argument}")
    if card.embedded:
        return about._replace(reason=card.how_to_get)
    if not any(visible(path.name) and path.is_file() for path in folder.rglob("*")):
        return about._replace(state="missing")
    try:
        found = open_dataset(name, data_root=data_root, cache=cache)
    except OrdbenchError as error:
        reason = str(error).removeprefix(f"{card.title} not found in {folder}: ")
        return about._replace(state="unusable", reason=reason)
    return about._replace(images=len(found.samples), ranks=found.task.num_ranks)


def folder_of(
    name: str, card: DatasetCard, data_root: Path | None, cache: Path | None
) -> Path | None:
    """Where a dataset lies on this computer; None where the user types a path of his own."""
    if card.argument:
        return None
    return dataset_folder(resolve_cache(cache) if card.embedded else resolve_root(data_root), name)
