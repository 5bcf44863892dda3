"""The split that a run would use, from what a user typed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from ordbench.data.loading import open_dataset
from ordbench.data.published import fold_note, published_images
from ordbench.dataset import Sample, Samples, SkippedFile
from ordbench.errors import DatasetError, SpecError
from ordbench.plugins.reference import PluginRef
from ordbench.plugins.registry import DATASETS
from ordbench.splits.cross import with_test_dataset
from ordbench.splits.draw import draw, open_protocol, protocol_name
from ordbench.splits.formats import read_split
from ordbench.splits.listed import divide, draw_divided
from ordbench.splits.manifest import apply_manifest
from ordbench.splits.pictures import join_identical, note_identical_rows, row_hashes
from ordbench.splits.split import Split
from ordbench.sweeps.spec import parse_shots
from ordbench.utils.images import pixels_hash


class DrawnSplit(NamedTuple):
    """A split, and the readable samples that it divides."""

    split: Split
    samples: Samples

    def validation(self) -> str:
        """Where the validation images come from, in a line."""
        split, samples = self
        if open_protocol(split.protocol).validates_on_test:
            return "validation: the test images"
        official = {sample.name for sample in samples.samples if sample.part == "val"}
        if samples.draws:
            official = {name for draw in samples.draws[split.fold :][:1] for name in draw.val}
        given = official.issuperset(split.val)
        source = "the official validation images" if given else "held out from training"
        return f"validation: {source}"

    def published(self) -> str:
        """Whether the split is that of the published images; empty where this is not known."""
        split, samples = self
        known = published_images(DATASETS[split.dataset], split.dataset)
        if not known or split.shots is not None or split.protocol != "standard":
            return ""
        return fold_note(samples, known, split.fold, split.hash)


def draw_one(
    dataset: str,
    shots: str,
    fold: int,
    data_seed: int,
    protocol: str,
    data_root: Path | None,
    test_dataset: str = "",
    given: Path | None = None,
    *,
    allow_leak: bool = False,
) -> DrawnSplit:
    """Draw the split that a run on ``dataset``, as typed, would use.

    ``test_dataset`` is what the run would be tested on instead, as typed; empty for ``dataset``.
    ``given`` is the file or folder of its ``--split``. A manifest says what it was drawn with.

    Raises:
        DatasetError: If the dataset is missing or unusable.
        SpecError: If there is no such fold, protocol or number of shots.
    """
    choice = PluginRef.parse(dataset)
    wanted = parse_shots([shots])
    if len(wanted) != 1:
        raise SpecError(f"--shots {shots!r}: a split has one number of shots, or 'all'")
    listing = open_dataset(choice.name, choice.argument, choice.options, data_root=data_root)
    if test_dataset:
        other = PluginRef.parse(test_dataset)
        tested = open_dataset(other.name, other.argument, other.options, data_root=data_root)
        listing = with_test_dataset(listing, tested, train_name=choice.name, test_name=other.name)
    samples = _readable(listing)
    samples = replace(samples, leaky=samples.leaky or allow_leak)
    from_file = read_split(given) if given else None
    if isinstance(from_file, Split):
        return DrawnSplit(apply_manifest(samples, from_file, from_file.protocol), samples)
    if from_file:
        divided = divide(samples, from_file, dataset=choice.name, protocol=protocol_name(protocol))
        split = draw_divided(
            divided,
            dataset=choice.name,
            fold=fold,
            shots=wanted[0],
            data_seed=data_seed,
        )
        return DrawnSplit(split, divided.listing)
    split = draw(
        samples,
        dataset=choice.name,
        protocol=protocol_name(protocol),
        fold=fold,
        shots=wanted[0],
        data_seed=data_seed,
    )
    return DrawnSplit(split, samples)


def _readable(listing: Samples) -> Samples:
    """The listing as a run sees it: unreadable images are named, identical pictures joined."""
    if listing.features is not None:
        return note_identical_rows(listing, row_hashes(listing.features))
    with ThreadPoolExecutor() as pool:
        found = list(pool.map(_pixels_or_problem, listing.samples))
    pairs = list(zip(listing.samples, found, strict=True))
    lost = tuple(one for _, one in pairs if isinstance(one, SkippedFile))
    kept = tuple(sample for sample, one in pairs if isinstance(one, str))
    readable = replace(listing, samples=kept, rejected=listing.rejected + lost)
    return join_identical(readable, [one for one in found if isinstance(one, str)])


def _pixels_or_problem(sample: Sample) -> str | SkippedFile:
    try:
        return pixels_hash(sample.open())
    except DatasetError as error:
        return SkippedFile(sample.name, str(error).removeprefix(f"{sample.image} "))
