"""What runs share: datasets, features and text towers, of which the last few are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ordbench.backbone import TextTower
from ordbench.data.loading import open_dataset
from ordbench.data.paths import resolve_cache
from ordbench.dataset import Part, Samples, SkippedFile
from ordbench.errors import BackboneError, DatasetError, OrdbenchError, SpecError
from ordbench.features.extraction import Features, Progress, extract, open_family
from ordbench.features.given import as_tensor, given_features
from ordbench.plugins.reference import PluginRef
from ordbench.recipe import OptionValue
from ordbench.runs.spec import RunSpec
from ordbench.splits.cross import with_test_dataset
from ordbench.splits.draw import draw, open_protocol
from ordbench.splits.formats import read_split
from ordbench.splits.list_files import SplitLists
from ordbench.splits.listed import divide, draw_divided
from ordbench.splits.manifest import apply_manifest
from ordbench.splits.pictures import join_identical, note_identical_rows, row_hashes
from ordbench.splits.split import Split
from ordbench.training.trainer import LabelledFeatures
from ordbench.utils.last_few import LastFew

KEPT = 4  # datasets, features and text towers in memory
KEPT_SPLITS = 256
LOOKED_AT = 4096  # rows that are compared at a time
_ALL_IMAGES: dict[str, Any] = {"shots": None, "data_seed": 0}


@dataclass(frozen=True)
class EncodedDataset:
    """A dataset as one backbone sees it: readable samples, their features ``(N, D)`` and ranks."""

    listing: Samples
    features: Features

    @cached_property
    def ranks(self) -> Tensor:
        """``(N,)``, int64."""
        return torch.tensor([sample.rank for sample in self.listing.samples])

    @cached_property
    def shared(self) -> WeakValueDictionary[tuple[str, Part], LabelledFeatures]:
        """Features of a part, by the hash of its split, which several runs hold now."""
        return WeakValueDictionary()

    def __reduce__(self) -> tuple[Callable[..., EncodedDataset], tuple[object, ...]]:
        """Send the features as an array, which joblib and Ray map into memory and do not copy."""
        plain = replace(self.features, features=torch.empty(0))
        return _received, (self.listing, plain, self.features.features.numpy())


def _received(listing: Samples, features: Features, rows: NDArray[np.float32]) -> EncodedDataset:
    return EncodedDataset(listing, replace(features, features=as_tensor(rows)))


@dataclass(frozen=True, kw_only=True)
class Locations:
    """Where things lie, and what may be done there; small enough to be sent to another process.

    Attributes:
        data_root: Folder of the datasets; None for ``ORDBENCH_DATA`` or the user's own.
        cache: Folder of the feature cache; None for ``ORDBENCH_CACHE`` or the user's own.
        device: ``cpu``, ``cuda``, ``cuda:N``, or ``auto``.
        download: Whether a missing dataset may be fetched.
        allow_leak: Whether given or official parts may share people or pictures.
        manifest: Split to use in place of drawn ones: a manifest, or a file or folder of lists.
        save_heads: Whether trained heads are kept beside the records.
    """

    data_root: Path | None = None
    cache: Path | None = None
    device: str = "auto"
    download: bool = False
    allow_leak: bool = False
    manifest: Path | None = None
    save_heads: bool = True


class Resources:
    """Opens what a run needs, and keeps the last few of each kind for the next runs.

    Args:
        settings: Where things lie.
        progress: Told how many images of how many are encoded.
    """

    def __init__(self, settings: Locations | None = None, progress: Progress | None = None) -> None:
        self.settings = settings or Locations()
        self.progress = progress
        self.cache = resolve_cache(self.settings.cache)
        self.device = resolve_device(self.settings.device)
        self.save_heads = self.settings.save_heads
        manifest = self.settings.manifest
        self.manifest = read_split(manifest) if manifest else None
        self._listings = LastFew(KEPT)
        self._materials = LastFew(KEPT)
        self._splits = LastFew(KEPT_SPLITS)
        self._fingerprints = LastFew(KEPT)
        self._text_towers = LastFew(KEPT)
        self._divided = LastFew(KEPT)

    def listing(self, spec: RunSpec) -> Samples:
        """The samples of a run's dataset.

        Raises:
            DatasetError: If it is missing or unusable.
            SpecError: If an option is not one of the dataset's.
        """
        return self._listings.get(_dataset(spec), lambda: self._read(spec))

    def material(self, spec: RunSpec) -> EncodedDataset:
        """The readable samples of a run's dataset, with their features.

        Raises:
            DatasetError: If no image can be read.
            BackboneError: If the backbone or its weights cannot be had.
        """
        listing = self.listing(spec)
        key = (*_dataset(spec), spec.backbone, spec.layer, spec.normalize, spec.dtype)
        make = self._extract if listing.features is None else self._given
        return self._materials.get(key, lambda: make(spec, listing))

    def split(self, spec: RunSpec, listing: Samples) -> Split:
        """Which samples train, validate and test.

        Raises:
            DatasetError: If people would stand on both sides, or a part would be empty.
            SpecError: If there is no such fold, if there are fewer images than shots, or if the
                run is of another split than the manifest that was given.
        """
        drawn_by = (spec.dataset, spec.protocol, spec.fold, spec.split, spec.shots, spec.data_seed)
        key = (listing.fingerprint, *drawn_by)
        return self._splits.get(key, lambda: self._split(spec, listing))

    def folds(self, spec: RunSpec) -> Sequence[int]:
        """Which folds can be tested of the dataset of a run, as its protocol divides it.

        Raises:
            OrdbenchError: If the dataset or a split that was given cannot be used.
        """
        if isinstance(self.manifest, Split):
            return (self.manifest.fold,)
        listing = self.listing(spec)
        if self.manifest:
            lists, protocol = self.manifest, spec.protocol
            listing = divide(listing, lists, dataset=spec.dataset, protocol=protocol).listing
        return open_protocol(spec.protocol).test_folds(listing, dataset=spec.dataset)

    def own_split(self, spec: RunSpec, listing: Samples, split: Split) -> str:
        """Hash of a split that is not the one that is drawn without a manifest; empty if it is.

        Of lists it is that of all their images, drawn by data seed 0 where the protocol draws some
        of them, so that it is the same at any shots and seed.
        """
        if not self.manifest:
            return ""
        try:
            if self._draw(spec, listing).hash == split.hash:
                return ""
        except OrdbenchError:
            pass
        if isinstance(self.manifest, SplitLists):
            return self.split(spec.model_copy(update=_ALL_IMAGES), listing).hash
        return split.hash

    def fingerprint(self, backbone: str) -> str:
        """Hash of a backbone's weights."""
        family, argument = open_family(backbone)
        return self._fingerprints.get(backbone, lambda: family.fingerprint(argument))

    def text_tower(self, spec: RunSpec) -> TextTower | None:
        """The tower that a text head prompts: that of ``--text``, else the backbone's own.

        Raises:
            SpecError: If ``--text`` names a backbone without a text tower.
        """
        name = spec.text or spec.backbone
        tower = self._text_towers.get(name, lambda: self._load_text_tower(name))
        if spec.text and tower is None:
            raise SpecError(f"--text {spec.text} has no text encoder; use --text clip:RN50/openai")
        return tower

    def _read(self, spec: RunSpec) -> Samples:
        found = self._open(spec.dataset, spec.dataset_argument, spec.dataset_options)
        if spec.test_dataset:
            ref = PluginRef.parse(spec.test_dataset)
            test = self._open(ref.name, ref.argument, ref.options)
            found = with_test_dataset(found, test, train_name=spec.dataset, test_name=ref.name)
        return replace(found, leaky=found.leaky or self.settings.allow_leak)

    def _open(self, name: str, argument: str, options: Mapping[str, OptionValue]) -> Samples:
        return open_dataset(
            name,
            argument,
            options,
            data_root=self.settings.data_root,
            cache=self.cache,
            download=self.settings.download,
        )

    def _split(self, spec: RunSpec, listing: Samples) -> Split:
        if isinstance(self.manifest, SplitLists):
            return self._draw_listed(spec, listing, self.manifest)
        _refuse_other(self.manifest, spec)
        if self.manifest:
            return apply_manifest(listing, self.manifest, spec.protocol)
        return self._draw(spec, listing)

    def _draw_listed(self, spec: RunSpec, listing: Samples, lists: SplitLists) -> Split:
        divided = self._divided.get(
            (spec.dataset, spec.protocol, listing.fingerprint),
            lambda: divide(listing, lists, dataset=spec.dataset, protocol=spec.protocol),
        )
        draw_at = partial(
            draw_divided,
            divided,
            dataset=spec.dataset,
            fold=spec.fold,
        )
        # A record has the hash of the split, as `own_split` gives it.
        if spec.split not in {lists.hash, draw_at(**_ALL_IMAGES).hash}:
            _refuse_other_hash(lists.hash, spec)
        split = draw_at(shots=spec.shots, data_seed=spec.data_seed)
        if spec.test_dataset:
            _refuse_untested(split, spec.test_dataset)
        return split

    def _draw(self, spec: RunSpec, listing: Samples) -> Split:
        return draw(
            listing,
            dataset=spec.dataset,
            protocol=spec.protocol,
            fold=spec.fold,
            shots=spec.shots,
            data_seed=spec.data_seed,
        )

    def _extract(self, spec: RunSpec, listing: Samples) -> EncodedDataset:
        features = extract(
            [sample.image for sample in listing.samples if sample.image is not None],
            backbone=spec.backbone,
            layer=spec.layer,
            normalize=spec.normalize,
            dtype=spec.dtype,
            device=self.device,
            cache=self.cache,
            progress=self.progress,
        )
        if len(set(features.pixels)) > 1 and _all_equal(features.features):
            raise BackboneError(
                f"backbone {spec.backbone} gives the same features for all images, so that nothing "
                "can be learned from them; check its weights"
            )
        readable = join_identical(_readable(listing, features), features.pixels)
        return EncodedDataset(readable, features)

    def _given(self, spec: RunSpec, listing: Samples) -> EncodedDataset:
        """The features that a dataset brings; they lie in memory once."""
        assert listing.features is not None
        features = given_features(listing.features, normalize=spec.normalize)
        if _all_equal(features.features):
            raise DatasetError(
                f"dataset {spec.dataset!r} has the same features for all samples, so that nothing "
                "can be learned from them; check how they were made"
            )
        noted = note_identical_rows(listing, row_hashes(listing.features))
        return EncodedDataset(replace(noted, features=None), features)

    def _load_text_tower(self, name: str) -> TextTower | None:
        family, argument = open_family(name)
        return family.load_text_tower(argument, device=self.device)


def _all_equal(features: Tensor) -> bool:
    return all(bool((rows == features[:1]).all()) for rows in torch.split(features, LOOKED_AT))


def _dataset(spec: RunSpec) -> tuple[str, str, str, str]:
    return spec.dataset, spec.dataset_argument, str(spec.dataset_options), spec.test_dataset


def _readable(listing: Samples, features: Features) -> Samples:
    """The listing without the images that could not be decoded."""
    unreadable = {rejected.name: rejected for rejected in features.rejected}
    if not unreadable:
        return listing
    kept = tuple(s for s in listing.samples if str(s.image) not in unreadable)
    lost = tuple(
        SkippedFile(s.name, unreadable[str(s.image)].reason)
        for s in listing.samples
        if str(s.image) in unreadable
    )
    return replace(listing, samples=kept, rejected=listing.rejected + lost)


def resolve_device(wanted: str) -> str:
    """The device that ``--device`` names.

    Raises:
        SpecError: If there is no such device.
    """
    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if wanted == "auto":
        return "cuda" if gpus else "cpu"
    match = re.fullmatch(r"cpu|cuda(?::(\d+))?", wanted)
    if not match:
        raise SpecError(f"--device {wanted}: wanted auto, cpu, cuda or cuda:N")
    if wanted.startswith("cuda") and not gpus:
        raise SpecError(f"--device {wanted}: this machine has no usable CUDA device; use cpu")
    if match[1] and int(match[1]) >= gpus:
        raise SpecError(f"--device {wanted}: this machine has cuda:0 to cuda:{gpus - 1}")
    return wanted


def _refuse_untested(manifest: Split, test_dataset: str) -> None:
    """A split for another test dataset names its samples, and tests no others."""
    prefix = f"{PluginRef.parse(test_dataset).name}:"
    for part, names in (("train", manifest.train), ("val", manifest.val), ("test", manifest.test)):
        tested = part == "test" or set(names) == set(manifest.test)  # as the protocol paper does
        wrong = next((name for name in names if name.startswith(prefix) != tested), None)
        if wrong is not None:
            raise SpecError(
                f"the split has {wrong!r} in {part}, but the run tests on all of --test-dataset "
                f"{test_dataset} and on nothing else; leave --test-dataset out, or write a split "
                "with it"
            )


def _refuse_other_hash(given: str, spec: RunSpec) -> None:
    if spec.split != given:
        asked, got = (split[:12] or "a drawn one" for split in (spec.split, given))
        raise SpecError(
            f"the split of the run is {asked}, that of the settings is {got}; give the run's own "
            "manifest (Settings.manifest), or leave RunSpec.split out"
        )


def _refuse_other(manifest: Split | None, spec: RunSpec) -> None:
    """A record must not claim a split, shots, a fold or a draw that is not its own.

    Raises:
        SpecError: If the run asks for anything else than the manifest says.
    """
    if manifest and spec.test_dataset:
        _refuse_untested(manifest, spec.test_dataset)
    _refuse_other_hash(manifest.hash if manifest else "", spec)
    for name in ("dataset", "shots", "fold", "data_seed") if manifest else ():
        made, asked = getattr(manifest, name), getattr(spec, name)
        if made != asked:
            made, asked = ("all" if value is None else value for value in (made, asked))
            flag = f"--{name.replace('_', '-')}"
            agree = f"take {flag} {made}" if name == "dataset" else f"leave {flag} out"
            raise SpecError(
                f"the split was made for {flag} {made}, the run asks for {flag} {asked}; "
                f"{agree}, or write a split for it"
            )
