"""From a dataset's name to its samples: where it lies, its options, and its download on request."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast

from filelock import FileLock

from ordbench.data.paths import dataset_folder, resolve_cache, resolve_root
from ordbench.data.published import published_images, with_published_note
from ordbench.dataset import Dataset, DatasetCard, Samples, check_argument, downloadable
from ordbench.errors import BrokenPluginError, DatasetError
from ordbench.plugins.options import changed, resolve
from ordbench.plugins.registry import DATASETS
from ordbench.recipe import OptionValue
from ordbench.utils.files import cannot_write


def open_dataset(
    name: str,
    argument: str = "",
    options: Mapping[str, OptionValue] | None = None,
    *,
    data_root: Path | None = None,
    cache: Path | None = None,
    download: bool = False,
    agreed: bool = False,
) -> Samples:
    """List the samples of a dataset.

    Args:
        name: Its registered name.
        argument: What stands after the colon.
        options: Its options, as typed.
        data_root: As for `ordbench.data.paths.resolve_root`.
        cache: As for `ordbench.data.paths.resolve_cache`; what comes with ordbench is made there.
        download: Whether it is fetched if it is missing.
        agreed: Whether the user has agreed to the terms of its download.

    Raises:
        DatasetError: If it is missing or unusable, or its terms have not been agreed to.
        SpecError: If an option is not one of its own.
        BrokenPluginError: If what it gives is not what its card says.
    """
    plugin = DATASETS[name]
    resolved = resolve(plugin, options or {}, owner=f"dataset {name!r}")
    check_argument(plugin.card, argument, name)
    parent = resolve_cache(cache) if plugin.card.embedded else resolve_root(data_root)
    try:
        with DATASETS.blamed(name, "cannot be read"):
            dataset = plugin(dataset_folder(parent, name), argument, **resolved)
            listing = _read(name, dataset, download=download, agreed=agreed)
    except OSError as error:
        raise DatasetError(
            f"dataset {name!r}: {error.filename or argument} cannot be read: "
            f"{error.strerror or error}; check the path and your right to read it"
        ) from error
    _check_content(name, plugin.card, listing)
    if plugin.card.grouped and (nobody := [s.name for s in listing.samples if s.group is None]):
        raise DatasetError(
            f"dataset {name!r} says that people repeat, but {len(nobody)} samples do not say whom "
            f"they show, first {nobody[0]!r}; its reader must fill in Sample.group"
        )
    known = published_images(plugin, name)
    whole = not changed(plugin, resolved)
    return with_published_note(listing, known, whole=whole) if known else listing


def _check_content(name: str, card: DatasetCard, listing: Samples) -> None:
    """Refuse a reader that gives images where its card says features, or the other way round."""
    if not isinstance(cast(object, listing), Samples):
        raise BrokenPluginError(
            f"dataset {name!r}: its reader must return ordbench.Samples, got {listing!r}"
        )
    images = sum(sample.image is not None for sample in listing.samples)
    wanted = 0 if card.brings_features else len(listing.samples)
    if images != wanted or card.brings_features != (listing.features is not None):
        brings = "has features in place of images" if card.brings_features else "has images"
        raise BrokenPluginError(
            f"dataset {name!r} says on its card that it {brings}, but its reader gives {images} "
            f"images of {len(listing.samples)} samples and "
            f"{'no' if listing.features is None else 'their'} features; "
            "correct the card or the reader"
        )


def _read(name: str, dataset: Dataset, *, download: bool, agreed: bool) -> Samples:
    try:
        return dataset.read()
    except DatasetError:
        if not download:
            raise
        if not downloadable(type(dataset)):
            dataset.download()  # it cannot be, and says how to get it; nothing is written
        if dataset.card.terms and not agreed:
            raise DatasetError(
                f"dataset {name!r} is downloaded only for those who agree to its terms "
                f"({dataset.card.terms}); run ordbench data get {name}"
            ) from None
        return _downloaded(dataset)


def _downloaded(dataset: Dataset) -> Samples:
    """Fetch a dataset, unless another process has done so while this one waited."""
    lock = dataset.root.with_name(f".{dataset.root.name}.lock")
    try:
        lock.parent.mkdir(parents=True, exist_ok=True)
        held = FileLock(lock).acquire()
    except OSError as error:
        raise cannot_write(lock, error) from None
    with held:
        try:
            return dataset.read()
        except DatasetError:
            dataset.download()
        return dataset.read()
